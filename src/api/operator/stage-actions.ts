import { z } from 'zod';
import { noteResumed } from '../../db/restores.ts';
import {
  failAction,
  finishAction,
  NOTHING_YET,
  type OperatorAction,
  recordAction,
  UNFINISHED,
} from './audit-log.ts';
import { audited, conflicts } from './audited.ts';
import type { OperatorContext } from './context.ts';
import { type Asked, endpoint, requireRight } from './endpoint.ts';
import { ProblemError } from './problem.ts';
import { stageNamed } from './stages.ts';
import { whoActs } from './who.ts';
import { done, ticked, withReason } from './wire/actions.ts';
import { line } from './wire/common.ts';

const params = z.object({ stage: line(100) });

/** What happened, where it changed something; where it held already, that is no fault: asking again is harmless. */
const CHANGED = { accepted: 1, refused: 0 };
const HELD_ALREADY = { accepted: 0, refused: 1 };

/**
 * `POST /operator/stages/{stage}/pause`: no process does work of the stage until somebody resumes it; in force within a
 * second. What is paused already stays paused, by whoever did it first.
 */
export const pauseStage = endpoint({
  method: 'POST',
  path: '/operator/stages/{stage}/pause',
  summary: 'Stops the work of a stage in all processes, within a second',
  role: 'operator',
  audits: 'pause',
  params,
  body: withReason,
  answer: done,
  refusals: { STAGE_UNKNOWN: 404 },
  handle: (context, asked) => change(context, 'pause', asked),
});

/** `POST /operator/stages/{stage}/resume`: everything that has become due meanwhile is done. */
export const resumeStage = endpoint({
  method: 'POST',
  path: '/operator/stages/{stage}/resume',
  summary: 'Lets a stage that was stopped go on; payments only by a payer',
  role: 'operator',
  audits: 'resume',
  params,
  body: withReason,
  answer: done,
  refusals: { STAGE_UNKNOWN: 404 },
  handle: (context, asked) => change(context, 'resume', asked),
});

/** Pauses or resumes a stage, its audit entry stored with it. What is so already is no fault: asking again is harmless. */
function change(
  context: OperatorContext,
  action: 'pause' | 'resume',
  { operator, params: { stage }, body: { reason } }: Asked<{ stage: string }, object, { reason: string }>,
): Promise<{ done: true }> {
  const { system, database, clock } = context;
  const asked: OperatorAction = { operator, action, target: { stage }, reason };
  return audited(context, asked, async () => {
    const info = stageNamed(system, stage);
    if (action === 'resume' && info.payerOnly) requireRight(operator, 'payer', 'Resuming payments');
    const changed = await system.pauses[action](info.stage, whoActs(operator, reason), async (sql) => {
      await recordAction(sql, clock, asked, CHANGED);
      if (action === 'resume') await noteResumed(sql, stage);
    });
    if (!changed) await recordAction(database.sql, clock, asked, HELD_ALREADY);
    return { done: true } as const;
  });
}

/** `POST /operator/stages/{stage}/tick`: what the next tick would do, now. */
export const tickStage = endpoint({
  method: 'POST',
  path: '/operator/stages/{stage}/tick',
  summary: 'Runs the tick of a stage now',
  role: 'operator',
  audits: 'tick',
  params,
  body: withReason,
  answer: ticked,
  refusals: { STAGE_UNKNOWN: 404, STAGE_PAUSED: 409 },
  async handle(context, { operator, params: { stage }, body: { reason } }) {
    const { system, database, clock } = context;
    const asked: OperatorAction = { operator, action: 'tick', target: { stage }, reason };
    const info = await audited(context, asked, async () => stageNamed(system, stage));
    // A tick is several transactions: that it was asked for is on record before the first.
    const entry = await recordAction(database.sql, clock, asked, NOTHING_YET, UNFINISHED);
    try {
      const { dispatched, stale } = await conflicts(['STAGE_PAUSED'], () => system.tickNow(info.stage));
      await finishAction(database.sql, entry, { accepted: dispatched + stale, refused: 0 });
      return { dispatched, stale };
    } catch (error) {
      const code = error instanceof ProblemError ? error.code : 'INTERNAL_ERROR';
      await failAction(database.sql, entry, code);
      throw error;
    }
  },
});
