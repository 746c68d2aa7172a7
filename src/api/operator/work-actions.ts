import { addToAction, NOTHING_YET, type OperatorAction, type Outcome, recordAction } from './audit-log.ts';
import { audited, conflicts } from './audited.ts';
import type { OperatorContext } from './context.ts';
import { endpoint, requireRight } from './endpoint.ts';
import { ProblemError } from './problem.ts';
import { stageNamed } from './stages.ts';
import { whoActs } from './who.ts';
import {
  PAYER_CODES,
  type WorkAction,
  type WorkActionAnswer,
  type WorkTarget,
  workAction,
  workActionAnswer,
  workPreview,
  workPreviewAnswer,
} from './wire/actions.ts';
import { type Operator, ROLES } from './wire/common.ts';
import {
  countWork,
  selectWork,
  stillFits,
  type WorkActionName,
  type WorkSelection,
} from './work-selection.ts';

/** Records that one request acts on at most; the answer says how many are left. */
export const ACTED_ON_MAX = 10_000;
/** Records of one transaction. A release writes about every disbursement of a batch. */
const SET_SIZES: Readonly<Record<WorkActionName, number>> = { retry: 500, dispatch: 500, release: 50 };

/** Ids that the audit log repeats. */
const IDS_ON_RECORD_MAX = 20;

const REFUSALS = { STAGE_UNKNOWN: 404, STAGE_NOT_RELEASABLE: 409 } as const;

/** `POST /operator/actions/preview`: how many records an action would be for, and whether it is for a payer only. */
export const previewWork = endpoint({
  method: 'POST',
  path: '/operator/actions/preview',
  summary: 'How many records an action would be for',
  role: 'viewer',
  body: workPreview,
  answer: workPreviewAnswer,
  refusals: REFUSALS,
  async handle({ system, database: { sql }, clock }, { body: { action, target } }) {
    const now = clock.now();
    const selection = selectionOf(system, action, target);
    const [matching, payers] = await Promise.all([
      countWork(sql, selection, now),
      countWork(sql, selection, now, 'payer'),
    ]);
    const asOf = selection.asOf ?? now;
    return { matching, payer_only: action === 'release' || payers > 0, as_of: asOf.toISOString() };
  },
});

/** `POST /operator/actions/retry`: work that stopped in ERROR is tried again, with all its attempts. */
export const retryWork = actionEndpoint('retry', 'Tries work again that stopped in ERROR');
/** `POST /operator/actions/release`: what stopped in ERROR counts as done, without what failed. */
export const releaseWork = actionEndpoint(
  'release',
  'Lets work go on that stopped in ERROR, without what failed',
);
/** `POST /operator/actions/dispatch`: waiting work is done now. */
export const dispatchWork = actionEndpoint(
  'dispatch',
  'Does work now that waits for its next attempt or tick',
);

function actionEndpoint(action: WorkActionName, summary: string) {
  return endpoint<object, object, WorkAction, WorkActionAnswer>({
    method: 'POST',
    path: `/operator/actions/${action}`,
    summary,
    role: action === 'release' ? 'payer' : 'operator',
    audits: action,
    body: workAction,
    answer: workActionAnswer,
    refusals: { ...REFUSALS, ...(action === 'dispatch' ? { STAGE_PAUSED: 409 } : {}) },
    handle(context, { operator, body: { target, reason } }) {
      const asked: OperatorAction = { operator, action, target: onRecord(target), reason };
      return audited(context, asked, () => act(context, asked, action, target));
    },
  });
}

/** The journal has every single record; the audit log is to be read. */
function onRecord({ ids, ...target }: WorkTarget): Readonly<Record<string, unknown>> {
  if (!ids) return target;
  return { ...target, number_of_ids: ids.length, ids: ids.slice(0, IDS_ON_RECORD_MAX) };
}

/**
 * Acts on all that fits, set by set. The entry in the audit log is written with the first set and grows with each, in
 * their transactions: whatever happens in between, it says what has been done.
 */
async function act(
  context: OperatorContext,
  asked: OperatorAction,
  action: WorkActionName,
  target: WorkTarget,
): Promise<WorkActionAnswer> {
  const { system, database, clock } = context;
  const startedAt = clock.now();
  const selection = selectionOf(system, action, target);
  await requireNoPayersWork(context, selection, asked.operator, startedAt);
  const ids = await selectWork(database.sql, selection, startedAt, ACTED_ON_MAX);
  const missing = target.ids ? new Set(target.ids).size - ids.length : 0;
  let sum: Outcome = { ...NOTHING_YET, refused: missing };
  let entry: number | null = null;
  for (let start = 0; start < ids.length; start += SET_SIZES[action]) {
    const set = ids.slice(start, start + SET_SIZES[action]);
    const done = await unlessRefusedMidway(
      entry,
      actOnSet(context, asked, selection, set, { entry, refusedBefore: missing }),
    );
    if (done === null) {
      const left = ids.length - start;
      return { ...sum, remaining: await remainingOf(context, selection, startedAt, left) };
    }
    entry = done.entry;
    sum = { accepted: sum.accepted + done.outcome.accepted, refused: sum.refused + done.outcome.refused };
  }
  if (entry === null) await recordAction(database.sql, clock, asked, sum);
  return { ...sum, remaining: await remainingOf(context, selection, startedAt, 0) };
}

interface SetDone {
  readonly entry: number | null;
  readonly outcome: Outcome;
}

/**
 * What has been done is answered also when the rest is refused (the stage has been paused meanwhile): whoever asks for the
 * rest is told why.
 *
 * @param entry of what has been done before; null: nothing yet
 * @returns null when it is refused after something has been done
 */
async function unlessRefusedMidway(entry: number | null, set: Promise<SetDone>): Promise<SetDone | null> {
  try {
    return await set;
  } catch (error) {
    if (entry !== null && error instanceof ProblemError) return null;
    throw error;
  }
}

/** One set, in one transaction with its part of the entry in the audit log. */
async function actOnSet(
  { system, clock }: OperatorContext,
  asked: OperatorAction,
  selection: WorkSelection,
  ids: readonly string[],
  { entry, refusedBefore }: { readonly entry: number | null; readonly refusedBefore: number },
): Promise<SetDone> {
  const isPayer = asked.operator.role === 'payer';
  let written = entry;
  const { accepted, refused } = await conflicts(['STAGE_PAUSED'], () =>
    system.act(selection.info.stage, selection.action, ids, whoActs(asked.operator, asked.reason), {
      only: (actor) => stillFits(selection, actor, isPayer),
      async also(sql, result) {
        const outcome = { accepted: result.accepted.length, refused: result.refused.length };
        if (entry !== null) await addToAction(sql, entry, outcome);
        else {
          const first = { ...outcome, refused: outcome.refused + refusedBefore };
          written = await recordAction(sql, clock, asked, first);
        }
      },
    }),
  );
  return { entry: written, outcome: { accepted: accepted.length, refused: refused.length } };
}

/** @param left single records that have not been acted on */
function remainingOf(
  { database }: OperatorContext,
  selection: WorkSelection,
  startedAt: Date,
  left: number,
): Promise<number> {
  if (selection.ids) return Promise.resolve(left);
  return countWork(database.sql, { ...selection, asOf: selection.asOf ?? startedAt }, startedAt);
}

/**
 * @throws ProblemError STAGE_UNKNOWN, STAGE_NOT_RELEASABLE
 */
function selectionOf(
  system: OperatorContext['system'],
  action: WorkActionName,
  { stage, ids, code, envelope, as_of }: WorkTarget,
): WorkSelection {
  const info = stageNamed(system, stage);
  const { machine } = info.actor;
  const { region } = info.region;
  const inError = machine.states[region]?.states[info.states.error];
  if (action === 'release' && !inError?.transitions.has(`${region}.release`)) {
    throw new ProblemError(
      409,
      'STAGE_NOT_RELEASABLE',
      `${info.title} cannot be left out: what comes after it needs all of it. Retry what failed instead.`,
    );
  }
  return { info, action, ids, code, envelope, asOf: as_of === undefined ? undefined : new Date(as_of) };
}

/**
 * Refuses a set as a whole when something in it is for a payer to resolve. What turns into such a thing afterwards is left
 * out, under its lock, see {@link stillFits}.
 *
 * @throws ProblemError ROLE_MISSING
 */
async function requireNoPayersWork(
  { database }: OperatorContext,
  selection: WorkSelection,
  operator: Operator,
  now: Date,
): Promise<void> {
  if (selection.action === 'release') return requireRight(operator, 'payer', 'Releasing');
  if (ROLES.indexOf(operator.role) >= ROLES.indexOf('payer')) return;
  const count = await countWork(database.sql, selection, now, 'payer');
  if (count === 0) return;
  const records = count === 1 ? 'record' : 'records';
  throw new ProblemError(
    403,
    'ROLE_MISSING',
    `The money of ${count} ${records} of ${selection.info.title} may be out (submitted to the bank, or ` +
      `${PAYER_CODES.join(' or ')}), which only a payer may decide about; ${operator.name} has the role ` +
      `${operator.role}. Nothing has been done.`,
  );
}
