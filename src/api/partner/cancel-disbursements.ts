import { z } from 'zod';
import type { Queryable } from '../../db/connection.ts';
import { sumDecimals } from '../../decimal.ts';
import { goesThroughZones } from '../../machines/benefit-type.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { ActorTransaction } from '../../runtime/transaction.ts';
import { batchActor, envelopeActor } from '../../stages/actors.ts';
import { namesToRelocate, relocate } from '../../stages/cancellation.ts';
import { errorCodes } from './answer-fields.ts';
import { UNCHANGEABLE_CODES, whyUnchangeable } from './envelope-refusals.ts';
import { type Fault, occurrences, requireItems } from './faults.ts';
import { isBlank, listOf, record, reference } from './fields.ts';
import { type Answer, messageOf, Refusal } from './message.ts';
import type { Operation } from './operation.ts';

const DISBURSEMENTS_MAX = 10_000;

const item = record({ disbursement_id: reference.nullish() });
const schema = messageOf({ request_payload: listOf(item, DISBURSEMENTS_MAX) });
const answered = z.object({
  disbursement_id: z.string().nullish(),
  cancellation_status: z.enum(['NOT_CANCELLED', 'CANCELLED']).nullable(),
  response_error_codes: errorCodes,
});
const answer = z.array(answered);

type Asked = readonly { readonly disbursement_id?: string | null | undefined }[];

interface Found {
  readonly id: string;
  readonly envelope_id: string;
  readonly batch_id: string;
  readonly benefit_type: Parameters<typeof goesThroughZones>[0];
  readonly quantity: string;
  readonly cancellation_status: 'NOT_CANCELLED' | 'CANCELLED';
}

/**
 * `/cancel_disbursements`: takes disbursements of one envelope back, each that can be. They leave the totals that the
 * envelope has received: it waits for others in their place, or is amended. The answer is an ERROR as soon as one is
 * refused, so that nobody takes it for done, and says of each what became of it.
 */
export const cancelDisbursements: Operation<z.infer<typeof schema>, z.infer<typeof answer>> = {
  path: '/cancel_disbursements',
  summary: 'Cancels disbursements of one envelope, item by item',
  schema,
  answer,
  refusal: answer,
  codes: [
    'INVALID_DISBURSEMENT_PAYLOAD',
    'INVALID_DISBURSEMENT_ID',
    'MULTIPLE_ENVELOPES_FOUND',
    'DISBURSEMENT_ALREADY_CANCELED',
    ...UNCHANGEABLE_CODES,
  ],
  changes: true,
  answersOnce: true,
  async perform(context, { request_payload: asked }, { remember }) {
    requireItems(asked);
    const ids = [...new Set(asked.map(({ disbursement_id: id }) => id ?? ''))];
    const found = await disbursementsOf(context.database.sql, ids);
    const envelopeId = onlyEnvelopeOf(asked, found);
    if (envelopeId === null) throw answerOf(asked, found, malformed(asked, found)) as Refusal;
    return context.system.transact(async (tx) => {
      const outcome = await cancel(tx, asked, ids, envelopeId);
      const said = answerOf(asked, outcome.found, outcome.faults);
      if (outcome.cancelled === 0) throw said;
      return remember(tx, said);
    });
  },
};

async function disbursementsOf(sql: Queryable, ids: readonly string[]): Promise<ReadonlyMap<string, Found>> {
  const rows = await sql<Found[]>`
    select d.id, d.disbursement_envelope_id as envelope_id, d.disbursement_batch_control_id as batch_id,
      b.benefit_type, d.disbursement_quantity as quantity, d.cancellation_status
    from disbursements d join disbursement_batch_control b on b.id = d.disbursement_batch_control_id
    where d.id = any(${ids as string[]})`;
  return new Map(rows.map((row) => [row.id, row]));
}

/** @throws Refusal MULTIPLE_ENVELOPES_FOUND; null when none of the disbursements is there */
function onlyEnvelopeOf(asked: Asked, found: ReadonlyMap<string, Found>): string | null {
  const [first, other] = new Set([...found.values()].map(({ envelope_id }) => envelope_id));
  if (other === undefined) return first ?? null;
  const sentence = `The list has disbursements of envelope ${first} and of ${other}.`;
  throw new Refusal('MULTIPLE_ENVELOPES_FOUND', sentence, {
    payload: asked.map(({ disbursement_id }) => itemOf(disbursement_id, found, ['MULTIPLE_ENVELOPES_FOUND'])),
  });
}

/** What is wrong with items for themselves, by id. */
function malformed(asked: Asked, found: ReadonlyMap<string, Found>): Map<string, Fault> {
  const times = occurrences(asked.map(({ disbursement_id: id }) => id));
  const code = 'INVALID_DISBURSEMENT_ID';
  const faults = new Map<string, Fault>();
  for (const { disbursement_id: id } of asked) {
    if (isBlank(id)) faults.set(id ?? '', { code, why: 'disbursement_id is missing' });
    else if (times(id) > 1) faults.set(id ?? '', { code, why: 'the list has this id more than once' });
    else if (!found.has(id ?? '')) faults.set(id ?? '', { code, why: 'there is no disbursement by this id' });
  }
  return faults;
}

/** Cancels those that can be, in the envelope's transaction. */
async function cancel(tx: ActorTransaction, asked: Asked, ids: readonly string[], envelopeId: string) {
  const isOfEnvelope = ({ envelope_id: id }: Found) => id === envelopeId;
  const before = [...(await disbursementsOf(tx.sql, ids)).values()].filter(isOfEnvelope);
  const batchIds = [...new Set(before.map(({ batch_id }) => batch_id))].sort();
  await tx.exclusively(namesToRelocate(envelopeId, batchIds));
  await tx.load(envelopeActor, [envelopeId]);
  await tx.load(batchActor, batchIds);
  // Read under the locks: nobody cancels one of them meanwhile. What has come since the locks were taken is not held by
  // them, and was not there when it was asked for.
  const known = new Set(before.map(({ id }) => id));
  const now = await disbursementsOf(tx.sql, ids);
  const found = new Map([...now].filter(([id]) => known.has(id)));
  const faults = malformed(asked, found);
  for (const [id, disbursement] of found) {
    const fault = faults.get(id) ?? faultOf(tx, disbursement);
    if (fault) faults.set(id, fault);
  }
  const open = [...found.values()].filter(({ id }) => !faults.has(id));
  if (open.length === 0) return { found, faults, cancelled: 0 };
  const event = {
    type: 'disbursements_cancelled',
    at: tx.now,
    count: open.length,
    quantity: sumDecimals(open.map(({ quantity }) => quantity)),
  } as const;
  const [told] = await tx.send(envelopeActor, [{ id: envelopeId, event }]);
  if (!told?.accepted) {
    const fault = told ? whyUnchangeable(told) : null;
    if (fault) for (const { id } of open) faults.set(id, fault);
    return { found, faults, cancelled: 0 };
  }
  await takeOut(tx, envelopeId, open);
  return { found, faults, cancelled: open.length };
}

/** Why a disbursement for itself cannot be cancelled any more. */
function faultOf(tx: ActorTransaction, { batch_id, cancellation_status }: Found): Fault | null {
  if (cancellation_status === 'CANCELLED') {
    return { code: 'DISBURSEMENT_ALREADY_CANCELED', why: 'the disbursement has been cancelled' };
  }
  const batch = tx.peek(batchActor, batch_id);
  if (!batch) throw new RuntimeError('BATCH_UNREADABLE', `Batch ${batch_id} is parked.`);
  // The numbers of its zone are on their way to warehouse and agency.
  if (batch.value.agency_allocation !== 'PROCESSED') return null;
  return {
    code: 'DISBURSEMENT_ENVELOPE_SCHEDULE_DATE_REACHED',
    why: `warehouse and agency of batch ${batch_id} have been found and are told of it`,
  };
}

/** Takes disbursements out of what their batches do. */
async function takeOut(tx: ActorTransaction, envelopeId: string, open: readonly Found[]): Promise<void> {
  await tx.sql`
    update disbursements set cancellation_status = 'CANCELLED', cancellation_time_stamp = ${tx.now}
    where id = any(${open.map(({ id }) => id)})`;
  const zoned = open.filter(({ benefit_type: type }) => goesThroughZones(type));
  const toRelocate = [...new Set(zoned.map(({ batch_id }) => batch_id))].sort();
  if (toRelocate.length > 0) await relocate(tx, envelopeId, toRelocate);
  const batches = [...new Set(open.map(({ batch_id }) => batch_id))].sort();
  const event = { type: 'disbursements_cancelled', at: tx.now } as const;
  await tx.send(
    batchActor,
    batches.map((id) => ({ id, event })),
  );
}

/** What is answered: a Refusal when an item is refused, with the code that all refused ones share, if they do. */
function answerOf(asked: Asked, found: ReadonlyMap<string, Found>, faults: ReadonlyMap<string, Fault>) {
  const payload = asked.map(({ disbursement_id: id }) => {
    const fault = faults.get(id ?? '');
    return itemOf(id, found, fault ? [fault.code] : []);
  });
  const [first] = faults;
  if (!first) return { payload } satisfies Answer;
  const codes = new Set(payload.flatMap(({ response_error_codes }) => response_error_codes));
  const refused = payload.filter(({ response_error_codes: some }) => some.length > 0).length;
  const [id, { code, why }] = first;
  const all = codes.size === 1 && refused === payload.length;
  return new Refusal(
    all ? code : 'INVALID_DISBURSEMENT_PAYLOAD',
    `${refused} of ${payload.length} disbursements were not cancelled; ${id === '' ? 'one' : id}: ${why}.`,
    { payload },
  );
}

function itemOf(id: string | null | undefined, found: ReadonlyMap<string, Found>, codes: readonly string[]) {
  const status = codes.length === 0 ? 'CANCELLED' : (found.get(id ?? '')?.cancellation_status ?? null);
  return { disbursement_id: id, cancellation_status: status, response_error_codes: [...codes] };
}
