import { z } from 'zod';
import { BENEFIT_TYPES } from '../../machines/benefit-type.ts';
import { jsonNumber } from '../json.ts';
import { amount, errorCodes } from './answer-fields.ts';
import type { Fault } from './faults.ts';
import {
  count,
  DESCRIPTION_CHARS_MAX,
  day,
  filledIdentifier,
  identifier,
  isBlank,
  isMissingOrNegative,
  numericId,
  paragraph,
  quantity,
  record,
  reference,
} from './fields.ts';
import { DISBURSEMENT_FREQUENCIES } from './frequencies.ts';

const FREQUENCIES: ReadonlySet<string> = new Set(DISBURSEMENT_FREQUENCIES);

/** What has a rule with a code of its own may be missing here: {@link envelopeFaults} says so with that code. */
export const envelopePayload = record({
  id: reference.nullish(),
  benefit_program_id: numericId.nullish(),
  benefit_program_mnemonic: identifier.nullish(),
  benefit_program_description: paragraph(DESCRIPTION_CHARS_MAX).nullish(),
  target_registry: identifier.nullish(),
  benefit_code_id: numericId.nullish(),
  benefit_code_mnemonic: filledIdentifier,
  benefit_code_description: paragraph(DESCRIPTION_CHARS_MAX).nullish(),
  benefit_type: z.enum(BENEFIT_TYPES, { error: `must be one of ${BENEFIT_TYPES.join(', ')}` }),
  disbursement_cycle_id: numericId,
  disbursement_frequency: identifier.nullish(),
  cycle_code_mnemonic: identifier.nullish(),
  number_of_beneficiaries: count.nullish(),
  number_of_disbursements: count.nullish(),
  total_disbursement_quantity: quantity.nullish(),
  measurement_unit: filledIdentifier,
  disbursement_schedule_date: day,
});

/** An envelope as a partner wants it to be from now on: what is missing or null stays as it is. */
export const amendedPayload = envelopePayload.extend({
  benefit_code_mnemonic: envelopePayload.shape.benefit_code_mnemonic.nullish(),
  benefit_type: envelopePayload.shape.benefit_type.nullish(),
  disbursement_cycle_id: envelopePayload.shape.disbursement_cycle_id.nullish(),
  measurement_unit: envelopePayload.shape.measurement_unit.nullish(),
  disbursement_schedule_date: envelopePayload.shape.disbursement_schedule_date.nullish(),
});

export type AmendedPayload = z.infer<typeof amendedPayload>;

/** An envelope as a partner describes it; its quantity is a canonical decimal string. */
export type EnvelopePayload = z.infer<typeof envelopePayload>;

/** An envelope on the wire. */
const envelopeOnWire = envelopePayload.extend({ total_disbursement_quantity: amount.nullable() });

/** An envelope that has been taken. */
export const storedEnvelope = envelopeOnWire.extend({ id: z.string() });

/** An envelope of a list that is refused. */
export const refusedEnvelope = envelopeOnWire.extend({ response_error_codes: errorCodes });

/** An amendment of a list that is refused, as it was sent. */
export const refusedAmendment = amendedPayload.extend({
  total_disbursement_quantity: amount.nullable(),
  response_error_codes: errorCodes,
});

/** The rules that {@link envelopeFaults} knows. */
export const ENVELOPE_CODES = [
  'INVALID_PROGRAM_ID',
  'INVALID_PROGRAM_MNEMONIC',
  'INVALID_DISBURSEMENT_FREQUENCY',
  'INVALID_CYCLE_CODE_MNEMONIC',
  'INVALID_NO_OF_BENEFICIARIES',
  'INVALID_NO_OF_DISBURSEMENTS',
  'INVALID_DISBURSEMENT_QUANTITY',
  'INVALID_BENEFIT_CODE_ID',
  'INVALID_TARGET_REGISTRY',
  'INVALID_DISBURSEMENT_ENVELOPE_ID',
  'DISBURSEMENT_ENVELOPE_DATE_PASSED',
] as const;

/** What the rules are measured by. */
export interface EnvelopeRules {
  /** Program mnemonics that are accepted; empty accepts all. */
  readonly knownPrograms: ReadonlySet<string>;
  /** The present day (UTC), YYYY-MM-DD. */
  readonly today: string;
}

/** The rules that an envelope breaks, in their order; empty when it keeps them all. */
export function envelopeFaults(envelope: EnvelopePayload, rules: EnvelopeRules): Fault[] {
  const checks: readonly [broken: boolean, code: (typeof ENVELOPE_CODES)[number], why: string][] = [
    [
      isAbsentId(envelope.benefit_program_id),
      'INVALID_PROGRAM_ID',
      'benefit_program_id is missing or not positive',
    ],
    [
      !isKnownProgram(envelope.benefit_program_mnemonic, rules),
      'INVALID_PROGRAM_MNEMONIC',
      'benefit_program_mnemonic is missing or not a known program',
    ],
    [
      !FREQUENCIES.has(envelope.disbursement_frequency ?? ''),
      'INVALID_DISBURSEMENT_FREQUENCY',
      `disbursement_frequency is not one of ${[...FREQUENCIES].join(', ')}`,
    ],
    [isBlank(envelope.cycle_code_mnemonic), 'INVALID_CYCLE_CODE_MNEMONIC', 'cycle_code_mnemonic is missing'],
    [
      (envelope.number_of_beneficiaries ?? 0) < 1,
      'INVALID_NO_OF_BENEFICIARIES',
      'number_of_beneficiaries is missing or less than 1',
    ],
    [
      (envelope.number_of_disbursements ?? 0) < 1,
      'INVALID_NO_OF_DISBURSEMENTS',
      'number_of_disbursements is missing or less than 1',
    ],
    [
      isMissingOrNegative(envelope.total_disbursement_quantity),
      'INVALID_DISBURSEMENT_QUANTITY',
      'total_disbursement_quantity is missing or negative',
    ],
    [
      isAbsentId(envelope.benefit_code_id),
      'INVALID_BENEFIT_CODE_ID',
      'benefit_code_id is missing or not positive',
    ],
    [isBlank(envelope.target_registry), 'INVALID_TARGET_REGISTRY', 'target_registry is missing'],
    [isGivenBlank(envelope.id), 'INVALID_DISBURSEMENT_ENVELOPE_ID', 'id is empty'],
    [
      envelope.disbursement_schedule_date < rules.today,
      'DISBURSEMENT_ENVELOPE_DATE_PASSED',
      `disbursement_schedule_date is before today, ${rules.today} (UTC)`,
    ],
  ];
  return checks.filter(([broken]) => broken).map(([, code, why]) => ({ code, why }));
}

const isAbsentId = (id: number | null | undefined): boolean => (id ?? 0) < 1;

const isGivenBlank = (id: string | null | undefined): boolean =>
  id !== null && id !== undefined && isBlank(id);

function isKnownProgram(mnemonic: string | null | undefined, { knownPrograms }: EnvelopeRules): boolean {
  if (mnemonic === null || mnemonic === undefined || isBlank(mnemonic)) return false;
  return knownPrograms.size === 0 || knownPrograms.has(mnemonic);
}

/** An envelope on the wire: the payload, its quantity a JSON number. */
export function envelopeAnswer<E extends AmendedPayload>(envelope: E) {
  const { total_disbursement_quantity: total } = envelope;
  return { ...envelope, total_disbursement_quantity: total ? jsonNumber(total) : null };
}
