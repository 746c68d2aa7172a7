import { z } from 'zod';
import { RuntimeError } from '../../runtime/errors.ts';
import type { ActorTransaction } from '../../runtime/transaction.ts';
import { envelopeActor } from '../../stages/actors.ts';
import { jsonNumber } from '../json.ts';
import type { PartnerContext } from '../options.ts';
import { changedEnvelope, changedEnvelopes } from './changed-envelope.ts';
import {
  type AmendedPayload,
  amendedPayload,
  ENVELOPE_CODES,
  type EnvelopePayload,
  envelopeAnswer,
  envelopeFaults,
  refusedAmendment,
} from './envelope-payload.ts';
import { factsOf, NOT_FOUND, tooLow, UNCHANGEABLE_CODES, whyUnchangeable } from './envelope-refusals.ts';
import { fundsDueFrom, storedFields } from './envelope-store.ts';
import { type Fault, nameIn, occurrences, refusalOf, requireItems } from './faults.ts';
import { isBlank, listOf } from './fields.ts';
import { messageOf } from './message.ts';
import type { Operation } from './operation.ts';

const ENVELOPES_MAX = 100;

const schema = messageOf({ request_payload: listOf(amendedPayload, ENVELOPES_MAX) });
const answer = z.array(changedEnvelope);

/** What says which envelope it is and cannot be amended, and the code of a payload that says otherwise. */
const FIXED = {
  benefit_program_id: 'INVALID_PROGRAM_ID',
  benefit_program_mnemonic: 'INVALID_PROGRAM_MNEMONIC',
  target_registry: 'INVALID_TARGET_REGISTRY',
  benefit_code_id: 'INVALID_BENEFIT_CODE_ID',
  benefit_code_mnemonic: 'INVALID_BENEFIT_CODE_ID',
  benefit_type: 'INVALID_BENEFIT_CODE_ID',
  measurement_unit: 'INVALID_BENEFIT_CODE_ID',
  disbursement_cycle_id: 'INVALID_CYCLE_CODE_MNEMONIC',
  cycle_code_mnemonic: 'INVALID_CYCLE_CODE_MNEMONIC',
  disbursement_frequency: 'INVALID_DISBURSEMENT_FREQUENCY',
} as const satisfies Partial<Record<keyof EnvelopePayload, string>>;

/** What stays as it is where an amendment leaves it out; the rest says what the envelope is and how much, and must be there. */
const MAY_BE_LEFT_OUT = [
  'benefit_program_description',
  'target_registry',
  'benefit_code_id',
  'benefit_code_mnemonic',
  'benefit_code_description',
  'benefit_type',
  'disbursement_cycle_id',
  'disbursement_frequency',
  'cycle_code_mnemonic',
  'measurement_unit',
  'disbursement_schedule_date',
] as const satisfies readonly (keyof EnvelopePayload)[];

/** Ids of other systems, which rows have as text. */
const NUMERIC: ReadonlySet<string> = new Set<keyof EnvelopePayload>([
  'benefit_code_id',
  'disbursement_cycle_id',
]);

type Stored = Readonly<Record<string, unknown>>;

/** An envelope that keeps all rules but those that need a look at what is stored. */
interface Amendment {
  readonly id: string;
  readonly number_of_beneficiaries: number;
  readonly number_of_disbursements: number;
  readonly total_disbursement_quantity: string;
  readonly disbursement_schedule_date: string;
  readonly benefit_program_description: string | null;
  readonly benefit_code_description: string | null;
}

/**
 * `/amend_disbursement_envelope`: gives envelopes other totals, another date or other descriptions, all of the list or
 * none. Funds that were found or blocked for the former totals are asked for anew.
 */
export const amendDisbursementEnvelope: Operation<z.infer<typeof schema>, z.infer<typeof answer>> = {
  path: '/amend_disbursement_envelope',
  summary: 'Changes the totals, the date and the descriptions of envelopes, all of the list or none',
  schema,
  answer,
  refusal: z.array(refusedAmendment),
  codes: [
    ...ENVELOPE_CODES,
    ...UNCHANGEABLE_CODES,
    'NO_OF_DISBUESEMENTS_EXCEEDS_DECLARED',
    'TOTAL_DISBURSEMENT_QUANTITY_EXCEEDS_DECLARED',
  ],
  changes: true,
  answersOnce: true,
  async perform(context, { request_payload: payload }, { remember }) {
    requireItems(payload);
    const ids = payload.map(({ id }) => id ?? '');
    const refuse = (faultsOf: (envelope: AmendedPayload) => readonly Fault[]): void => {
      const refused = refusalOf(nameIn('Envelope', ids), payload.map(envelopeAnswer), payload.map(faultsOf));
      if (refused) throw refused;
    };
    const times = occurrences(ids);
    refuse(({ id }) => {
      if (isBlank(id)) return [{ code: 'INVALID_DISBURSEMENT_ENVELOPE_ID', why: 'id is missing' }];
      if (times(id) === 1) return [];
      return [{ code: 'INVALID_DISBURSEMENT_ENVELOPE_ID', why: 'the list has this id more than once' }];
    });
    return context.system.transact(async (tx) => {
      await tx.load(envelopeActor, ids);
      const stored = await storedFields(tx.sql, ids);
      refuse((envelope) => faultsBeside(context, envelope, stored.get(envelope.id ?? '')));
      const amendments = payload.map((given) => amendmentOf(filled(given, stored.get(given.id ?? '') ?? {})));
      const faults = new Map<string, Fault>();
      for (const amendment of amendments) {
        const fault = await amend(tx, context, amendment, stored.get(amendment.id));
        if (fault) faults.set(amendment.id, fault);
      }
      refuse(({ id }) => [faults.get(id ?? '')].filter((fault) => fault !== undefined));
      await storeDescriptions(tx, amendments);
      const changed = new Map(amendments.map((amendment) => [amendment.id, onWire(amendment)]));
      return remember(tx, {
        payload: await changedEnvelopes(tx.sql, ids, (id) => changed.get(id) ?? {}),
      });
    });
  },
};

/** What is wrong with an amended envelope beside the one that is stored. */
function faultsBeside(
  { knownPrograms, clock }: PartnerContext,
  given: AmendedPayload,
  stored: Stored | undefined,
): readonly Fault[] {
  if (!stored) return [NOT_FOUND];
  const envelope = filled(given, stored);
  const today = clock.now().toISOString().slice(0, 10);
  const sameDay = envelope.disbursement_schedule_date === stored.disbursement_schedule_date;
  const wrong = envelopeFaults(envelope, { knownPrograms, today }).filter(
    // A day that has come and gone may stay.
    ({ code }) => !(sameDay && code === 'DISBURSEMENT_ENVELOPE_DATE_PASSED'),
  );
  if (wrong.length > 0) return wrong;
  return Object.entries(FIXED)
    .filter(([name]) => String(envelope[name as keyof typeof FIXED]) !== String(stored[name]))
    .map(([name, code]) => ({ code, why: `${name} cannot be amended; it is ${String(stored[name])}` }));
}

/** An amendment with all that it leaves out, as it is stored. */
function filled(given: AmendedPayload, stored: Stored): EnvelopePayload {
  const kept = MAY_BE_LEFT_OUT.map((name) => {
    const there = NUMERIC.has(name) ? Number(stored[name]) : stored[name];
    return [name, given[name] ?? there];
  });
  return { ...given, ...Object.fromEntries(kept) };
}

function amendmentOf(envelope: EnvelopePayload): Amendment {
  const { number_of_beneficiaries, number_of_disbursements, total_disbursement_quantity } = envelope;
  return {
    id: envelope.id ?? '',
    number_of_beneficiaries: number_of_beneficiaries ?? 0,
    number_of_disbursements: number_of_disbursements ?? 0,
    total_disbursement_quantity: total_disbursement_quantity ?? '0',
    disbursement_schedule_date: envelope.disbursement_schedule_date,
    benefit_program_description: envelope.benefit_program_description ?? null,
    benefit_code_description: envelope.benefit_code_description ?? null,
  };
}

/** Asks the envelope, which decides. @returns why not; null when it is amended */
async function amend(
  tx: ActorTransaction,
  { processFutureSchedules }: PartnerContext,
  amendment: Amendment,
  stored: Stored | undefined,
): Promise<Fault | null> {
  const {
    id,
    number_of_disbursements,
    total_disbursement_quantity,
    disbursement_schedule_date: day,
  } = amendment;
  const facts = factsOf({ id, accepted: false, actor: tx.peek(envelopeActor, id), problem: 'parked' });
  const funds_due_from =
    day === stored?.disbursement_schedule_date
      ? facts.funds_due_from
      : fundsDueFrom(day, processFutureSchedules, tx.now);
  const event = {
    type: 'amend',
    at: tx.now,
    number_of_disbursements,
    total_disbursement_quantity,
    funds_due_from,
  } as const;
  const [told] = await tx.send(envelopeActor, [{ id, event }]);
  if (!told) throw new RuntimeError('ENVELOPE_UNREADABLE', `Envelope ${id} was not asked.`);
  if (told.accepted) return null;
  const cancelledOrPaid = whyUnchangeable(told);
  if (cancelledOrPaid.code === 'DISBURSEMENT_ENVELOPE_ALREADY_CANCELED') return cancelledOrPaid;
  return tooLow(facts, amendment) ?? cancelledOrPaid;
}

/** What the envelope's machine does not read. */
async function storeDescriptions({ sql }: ActorTransaction, amendments: readonly Amendment[]): Promise<void> {
  await sql`
    update disbursement_envelopes e
    set number_of_beneficiaries = v.number_of_beneficiaries, disbursement_schedule_date = v.disbursement_schedule_date,
      benefit_program_description = v.benefit_program_description,
      benefit_code_description = v.benefit_code_description
    from json_to_recordset(${JSON.stringify(amendments)}::json) as v(
      id text, number_of_beneficiaries int, disbursement_schedule_date date, benefit_program_description text,
      benefit_code_description text)
    where e.id = v.id`;
}

const onWire = (amendment: Amendment) => ({
  ...amendment,
  total_disbursement_quantity: jsonNumber(amendment.total_disbursement_quantity),
});
