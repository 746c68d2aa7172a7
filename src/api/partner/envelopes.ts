import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { ActorTransaction } from '../../runtime/transaction.ts';
import type { PartnerContext } from '../options.ts';
import {
  ENVELOPE_CODES,
  type EnvelopePayload,
  envelopeAnswer,
  envelopeFaults,
  envelopePayload,
  refusedEnvelope,
  storedEnvelope,
} from './envelope-payload.ts';
import { contentOf, storedEnvelopes, storeEnvelopes } from './envelope-store.ts';
import { type Fault, isUniqueViolation, nameIn, occurrences, refusalOf, requireItems } from './faults.ts';
import { listOf } from './fields.ts';
import { messageOf } from './message.ts';
import type { Operation } from './operation.ts';

const ENVELOPES_MAX = 1_000;
/** Other requests that create the same ids at the same moment, at most; each is seen on the next try. */
const TRIES_MAX = 5;

const schema = messageOf({ request_payload: listOf(envelopePayload, ENVELOPES_MAX) });
const answer = z.array(storedEnvelope);

/** An envelope with its id, ours where the partner gave none. */
type Identified = EnvelopePayload & { readonly id: string };

/**
 * `/create_disbursement_envelopes`: announces envelopes, all of the list or none.
 *
 * An envelope that is there already with the same content is answered as if it were new, so that a request may be sent
 * again; the same id with other content is refused with INVALID_DISBURSEMENT_ENVELOPE_ID.
 */
export const createDisbursementEnvelopes: Operation<z.infer<typeof schema>, z.infer<typeof answer>> = {
  path: '/create_disbursement_envelopes',
  summary: 'Announces envelopes, all of the list or none',
  schema,
  answer,
  refusal: z.array(refusedEnvelope),
  codes: ENVELOPE_CODES,
  changes: true,
  answersOnce: true,
  async perform(context, { request_payload }, { remember }) {
    requireItems(request_payload);
    const envelopes = request_payload.map((payload) => ({ ...payload, id: payload.id ?? uuidv7() }));
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = { payload: envelopes.map(envelopeAnswer) };
        await create(context, envelopes, request_payload, (tx) => remember(tx, answer));
        return answer;
      } catch (error) {
        if (!isUniqueViolation(error) || tries === TRIES_MAX) throw error;
      }
    }
  },
};

async function create(
  context: PartnerContext,
  envelopes: readonly Identified[],
  given: readonly EnvelopePayload[],
  alongside: (tx: ActorTransaction) => Promise<unknown>,
): Promise<void> {
  const stored = await storedEnvelopes(
    context.database.sql,
    envelopes.map(({ id }) => id),
  );
  const rules = {
    knownPrograms: context.knownPrograms,
    today: context.clock.now().toISOString().slice(0, 10),
  };
  const times = occurrences(given.map(({ id }) => id));
  const faults = given.map((payload): Fault[] => {
    if (times(payload.id) > 1) {
      return [{ code: 'INVALID_DISBURSEMENT_ENVELOPE_ID', why: 'the list has this id more than once' }];
    }
    const there = stored.get(payload.id ?? '');
    if (there === undefined) return envelopeFaults(payload, rules);
    if (there === contentOf(payload)) return [];
    return [{ code: 'INVALID_DISBURSEMENT_ENVELOPE_ID', why: 'there is another envelope by this id' }];
  });
  const refusal = refusalOf(
    nameIn(
      'Envelope',
      given.map(({ id }) => id),
    ),
    given.map(envelopeAnswer),
    faults,
  );
  if (refusal) throw refusal;
  await storeEnvelopes(
    context,
    envelopes.filter(({ id }) => !stored.has(id)),
    alongside,
  );
}
