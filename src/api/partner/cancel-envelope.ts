import { z } from 'zod';
import { cancelEnvelopes } from '../../stages/cancellation.ts';
import { errorCodes } from './answer-fields.ts';
import { changedEnvelope, changedEnvelopes } from './changed-envelope.ts';
import { NOT_FOUND, UNCHANGEABLE_CODES, whyUnchangeable } from './envelope-refusals.ts';
import { type Fault, nameIn, occurrences, refusalOf, requireItems } from './faults.ts';
import { isBlank, listOf, record, reference } from './fields.ts';
import { messageOf } from './message.ts';
import type { Operation } from './operation.ts';

const ENVELOPES_MAX = 100;

const item = record({ id: reference.nullish() });
const schema = messageOf({ request_payload: listOf(item, ENVELOPES_MAX) });
const answer = z.array(changedEnvelope);
const refusal = z.array(z.object({ id: z.string().nullish(), response_error_codes: errorCodes }));

/**
 * `/cancel_disbursement_envelope`: takes envelopes back, all of the list or none. Nothing of them is paid or delivered any
 * more, and what was blocked at the bank is given back.
 */
export const cancelDisbursementEnvelope: Operation<z.infer<typeof schema>, z.infer<typeof answer>> = {
  path: '/cancel_disbursement_envelope',
  summary: 'Cancels envelopes of which nothing has been paid, all of the list or none',
  schema,
  answer,
  refusal,
  codes: ['INVALID_DISBURSEMENT_ENVELOPE_ID', ...UNCHANGEABLE_CODES],
  changes: true,
  answersOnce: true,
  async perform({ system }, { request_payload: payload }, { remember }) {
    requireItems(payload);
    const ids = payload.map(({ id }) => id ?? '');
    const times = occurrences(payload.map(({ id }) => id));
    const refuse = (faultOf: (id: string, index: number) => Fault | null): void => {
      const faults = payload.map(({ id }, index) => [faultOf(id ?? '', index)].filter((one) => one !== null));
      const refused = refusalOf(nameIn('Envelope', ids), payload, faults);
      if (refused) throw refused;
    };
    refuse((id) => {
      if (isBlank(id)) return { code: 'INVALID_DISBURSEMENT_ENVELOPE_ID', why: 'id is missing' };
      if (times(id) === 1) return null;
      return { code: 'INVALID_DISBURSEMENT_ENVELOPE_ID', why: 'the list has this id more than once' };
    });
    return system.transact(async (tx) => {
      const faults = new Map<string, Fault>();
      for (const told of await cancelEnvelopes(tx, ids)) {
        if (told.problem === 'missing') faults.set(told.id, NOT_FOUND);
        else if (!told.accepted) faults.set(told.id, whyUnchangeable(told));
      }
      refuse((id) => faults.get(id) ?? null);
      const cancelled = { cancellation_status: 'Cancelled', cancellation_timestamp: tx.now } as const;
      return remember(tx, { payload: await changedEnvelopes(tx.sql, ids, () => cancelled) });
    });
  },
};
