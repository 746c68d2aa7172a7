import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { PartnerContext } from '../options.ts';
import {
  DISBURSEMENT_CODES,
  type DisbursementPayload,
  digestOf,
  disbursementAnswer,
  disbursementFaults,
  disbursementOnWire,
  disbursementPayload,
  disbursementsOf,
  refusedDisbursement,
} from './disbursement-payload.ts';
import { type Batch, batchTaken, idsTaken, storeBatch } from './disbursement-store.ts';
import { type Fault, isUniqueViolation, nameIn, refusalOf } from './faults.ts';
import { filledReference, listOf } from './fields.ts';
import { messageOf, Refusal } from './message.ts';
import type { Operation } from './operation.ts';

/** A request of the default size limit holds about as many. */
const DISBURSEMENTS_MAX = 50_000;

const schema = messageOf({
  disbursement_batch_control_id: filledReference.nullish(),
  request_payload: listOf(disbursementPayload, DISBURSEMENTS_MAX),
});
const answer = z.array(disbursementOnWire);

/**
 * `/create_disbursements`: takes a batch of disbursements of one envelope, all of it or nothing.
 *
 * A request that is sent again (the same disbursements, and the same batch id where one is given) gets the first
 * answer again, also when both are under way at once.
 */
export const createDisbursements: Operation<z.infer<typeof schema>, z.infer<typeof answer>> = {
  path: '/create_disbursements',
  summary: 'Takes a batch of disbursements of one envelope, all of it or nothing',
  schema,
  answer,
  answerBody: { disbursement_batch_control_id: z.string() },
  refusal: z.array(refusedDisbursement),
  codes: [
    ...DISBURSEMENT_CODES,
    'MULTIPLE_ENVELOPES_FOUND',
    'DISBURSEMENT_ENVELOPE_NOT_FOUND',
    'DISBURSEMENT_ENVELOPE_ALREADY_CANCELED',
    'NO_OF_DISBUESEMENTS_EXCEEDS_DECLARED',
    'TOTAL_DISBURSEMENT_QUANTITY_EXCEEDS_DECLARED',
  ],
  changes: true,
  async perform(context, { disbursement_batch_control_id: givenId, request_payload: payload }) {
    const envelopeId = onlyEnvelopeOf(payload);
    const items = disbursementsOf(payload);
    const batch: Batch = { id: givenId ?? uuidv7(), envelopeId, items, digest: digestOf(envelopeId, items) };
    const taken = (id: string) => ({
      payload: payload.map(disbursementAnswer),
      body: { disbursement_batch_control_id: id },
    });
    const earlier = await batchTaken(context.database.sql, batch, givenId ?? null);
    if (earlier !== null) return taken(earlier);
    try {
      await storeBatch(context, batch);
      return taken(batch.id);
    } catch (error) {
      // The same request may have been taken meanwhile; whatever stood in the way was its doing then.
      const meanwhile = await batchTaken(context.database.sql, batch, givenId ?? null);
      if (meanwhile !== null) return taken(meanwhile);
      throw await refusalFor(error, context, batch, payload);
    }
  },
};

/**
 * The envelope of a batch whose disbursements keep all rules that need no look at what is stored.
 *
 * @throws Refusal with the code of the first rule that is broken
 */
function onlyEnvelopeOf(payload: readonly DisbursementPayload[]): string {
  const [first] = payload;
  if (!first)
    throw new Refusal('INVALID_DISBURSEMENT_PAYLOAD', 'The batch has no disbursements.', { payload: [] });
  const refusal = refusalOf(
    nameIn(
      'Disbursement',
      payload.map(({ disbursement_id: id }) => id),
    ),
    payload.map(disbursementAnswer),
    disbursementFaults(payload),
  );
  if (refusal) throw refusal;
  const envelopeId = first.disbursement_envelope_id ?? '';
  const other = payload.find((item) => item.disbursement_envelope_id !== envelopeId);
  if (!other) return envelopeId;
  const sentence = `The batch has disbursements of envelope ${envelopeId} and of ${other.disbursement_envelope_id}.`;
  throw refusedAsAWhole(new Refusal('MULTIPLE_ENVELOPES_FOUND', sentence), payload);
}

/** What to answer when a batch could not be stored: refusals carry the disbursements, faults of ours stay as they are. */
async function refusalFor(
  error: unknown,
  context: PartnerContext,
  batch: Batch,
  payload: readonly DisbursementPayload[],
): Promise<unknown> {
  const isOverflow = error instanceof Refusal && error.code.endsWith('_EXCEEDS_DECLARED');
  if (error instanceof Refusal && !isOverflow) return refusedAsAWhole(error, payload);
  if (!isOverflow && !isUniqueViolation(error)) return error;
  // A batch that is sent again with a change overflows its envelope, but that its ids are used is the better answer.
  const taken = await idsTaken(context.database.sql, batch);
  const fault: Fault = { code: 'INVALID_DISBURSEMENT_ID', why: 'there is a disbursement by this id already' };
  const faults = batch.items.map(({ disbursement_id: id }) => (taken.has(id) ? [fault] : []));
  const refusal = refusalOf(
    nameIn(
      'Disbursement',
      payload.map(({ disbursement_id: id }) => id),
    ),
    payload.map(disbursementAnswer),
    faults,
  );
  if (refusal) return refusal;
  if (isOverflow) return refusedAsAWhole(error, payload);
  const sentence = `There is another batch by the id ${batch.id}, with other disbursements.`;
  return refusedAsAWhole(new Refusal('INVALID_DISBURSEMENT_PAYLOAD', sentence), payload);
}

/** A refusal that is nobody's own fault: every disbursement gets its code. */
function refusedAsAWhole({ code, message }: Refusal, payload: readonly DisbursementPayload[]): Refusal {
  return new Refusal(code, message, {
    payload: payload.map((item) => ({ ...disbursementAnswer(item), response_error_codes: [code] })),
  });
}
