import { z } from 'zod';
import { cancelEnvelopes } from '../../stages/cancellation.ts';
import { whyUnchangeable } from '../partner/envelope-refusals.ts';
import { recordAction } from './audit-log.ts';
import { audited } from './audited.ts';
import { endpoint } from './endpoint.ts';
import { ProblemError } from './problem.ts';
import { whoActs } from './who.ts';
import { done, withReason } from './wire/actions.ts';
import { line } from './wire/common.ts';

/** `POST /operator/envelopes/{id}/cancel`: as a partner cancels one. */
export const cancelEnvelope = endpoint({
  method: 'POST',
  path: '/operator/envelopes/{id}/cancel',
  summary: 'Cancels an envelope of which nothing has been paid',
  role: 'operator',
  audits: 'cancel',
  params: z.object({ id: line(200) }),
  body: withReason,
  answer: done,
  refusals: {
    DISBURSEMENT_ENVELOPE_NOT_FOUND: 404,
    DISBURSEMENT_ENVELOPE_ALREADY_CANCELED: 409,
    DISBURSEMENT_ENVELOPE_SCHEDULE_DATE_REACHED: 409,
    ENVELOPE_UNREADABLE: 409,
  },
  handle(context, { operator, params: { id }, body: { reason } }) {
    const { system, clock } = context;
    const asked = { operator, action: 'cancel', target: { envelope: id }, reason } as const;
    return audited(context, asked, () =>
      system.transact(async (tx) => {
        const [told] = await cancelEnvelopes(tx, [id], whoActs(operator, reason));
        if (!told || told.problem === 'missing') {
          throw new ProblemError(404, 'DISBURSEMENT_ENVELOPE_NOT_FOUND', `There is no envelope ${id}.`);
        }
        if (told.problem === 'parked') {
          const why = `The row of envelope ${id} cannot be read; correct it first.`;
          throw new ProblemError(409, 'ENVELOPE_UNREADABLE', why);
        }
        if (!told.accepted) {
          const { code, why } = whyUnchangeable(told);
          throw new ProblemError(409, code, `Envelope ${id} cannot be cancelled: ${why}.`);
        }
        await recordAction(tx.sql, clock, asked, { accepted: 1, refused: 0 });
        return { done: true } as const;
      }),
    );
  },
});
