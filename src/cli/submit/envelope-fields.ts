import { DISBURSEMENT_FREQUENCIES } from '../../api/partner/frequencies.ts';
import { parseDecimal } from '../../decimal.ts';
import { BENEFIT_TYPES } from '../../machines/benefit-type.ts';
import { quoted } from '../one-line.ts';

/** The facts of an envelope that a file of disbursements does not hold, under the names of the wire. */
export interface EnvelopeFields {
  readonly benefit_program_id: number;
  readonly benefit_program_mnemonic: string;
  readonly benefit_program_description?: string;
  readonly target_registry: string;
  readonly benefit_code_id: number;
  readonly benefit_code_mnemonic: string;
  readonly benefit_code_description?: string;
  readonly benefit_type: string;
  readonly disbursement_cycle_id: number;
  readonly cycle_code_mnemonic: string;
  readonly disbursement_frequency: string;
  readonly measurement_unit: string;
  /** `YYYY-MM-DD` */
  readonly disbursement_schedule_date: string;
}

/** Reads one value; @returns the value, or what it must be, as the end of the sentence "… must be" */
type Reader = (value: unknown) => { readonly value: string | number } | { readonly mustBe: string };

/** One field: how it is called on the wire and on the command line, and what it may be. */
export interface FieldDefinition {
  readonly name: keyof EnvelopeFields;
  readonly flag: string;
  readonly placeholder: string;
  readonly help: string;
  readonly required: boolean;
  readonly read: Reader;
}

const someText: Reader = (value) =>
  typeof value === 'string' && value.trim() !== '' ? { value } : { mustBe: 'text that is not empty' };

const wholeNumber: Reader = (value) => {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 1
    ? { value: number }
    : { mustBe: 'a whole number from 1' };
};

const calendarDate: Reader = (value) => {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)) {
    const time = Date.parse(`${value}T00:00:00Z`);
    // 31 February is read as a day in March.
    if (!Number.isNaN(time) && new Date(time).toISOString().startsWith(value)) return { value };
  }
  return { mustBe: 'a date such as 2026-01-31' };
};

function oneOf(choices: readonly string[]): Reader {
  return (value) =>
    typeof value === 'string' && choices.includes(value)
      ? { value }
      : { mustBe: `one of ${choices.join(', ')}` };
}

/** All fields, in the order of the help. */
export const ENVELOPE_FIELDS: readonly FieldDefinition[] = [
  field('benefit_program_id', '--program-id', 'number', 'id of the program', wholeNumber),
  field('benefit_program_mnemonic', '--program-mnemonic', 'text', 'short name of the program', someText),
  field(
    'benefit_program_description',
    '--program-description',
    'text',
    'the program in words',
    someText,
    false,
  ),
  field('target_registry', '--target-registry', 'text', 'registry that the beneficiaries are in', someText),
  field('benefit_code_id', '--benefit-code-id', 'number', 'id of the benefit', wholeNumber),
  field('benefit_code_mnemonic', '--benefit-code-mnemonic', 'text', 'short name of the benefit', someText),
  field(
    'benefit_code_description',
    '--benefit-code-description',
    'text',
    'the benefit in words',
    someText,
    false,
  ),
  field('benefit_type', '--benefit-type', 'type', BENEFIT_TYPES.join(', '), oneOf(BENEFIT_TYPES)),
  field('disbursement_cycle_id', '--cycle-id', 'number', 'id of the cycle', wholeNumber),
  field('cycle_code_mnemonic', '--cycle-mnemonic', 'text', 'short name of the cycle', someText),
  field(
    'disbursement_frequency',
    '--frequency',
    'how-often',
    DISBURSEMENT_FREQUENCIES.join(', '),
    oneOf(DISBURSEMENT_FREQUENCIES),
  ),
  field('measurement_unit', '--unit', 'unit', 'currency or other unit of the quantities', someText),
  field('disbursement_schedule_date', '--schedule-date', 'date', 'day of payment, YYYY-MM-DD', calendarDate),
];

function field(
  name: keyof EnvelopeFields,
  flag: string,
  placeholder: string,
  help: string,
  read: Reader,
  required = true,
): FieldDefinition {
  return { name, flag, placeholder, help, read, required };
}

/** What a ministry's envelope file may also hold: totals that the disbursements must then have, and the id. */
export interface DeclaredTotals {
  readonly id?: string;
  readonly number_of_beneficiaries?: number;
  readonly number_of_disbursements?: number;
  readonly total_disbursement_quantity?: string;
}

/** The values given, checked, or every problem with them as a sentence. */
export type EnvelopeReading =
  | { readonly ok: true; readonly fields: EnvelopeFields; readonly declared: DeclaredTotals }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Puts together the facts of an envelope.
 *
 * @param options values from the command line by field name; they go before those of the file
 * @param file the object of an envelope file, if there is one
 */
export function readEnvelopeFields(
  options: ReadonlyMap<keyof EnvelopeFields, string>,
  file: Readonly<Record<string, unknown>>,
): EnvelopeReading {
  const problems: string[] = [];
  const values: Record<string, string | number> = {};
  for (const definition of ENVELOPE_FIELDS) {
    const given = options.get(definition.name) ?? file[definition.name];
    if (given === undefined || given === null) {
      if (definition.required) problems.push(`${definition.flag} (${definition.name}) is missing.`);
      continue;
    }
    const reading = definition.read(given);
    if ('value' in reading) values[definition.name] = reading.value;
    else
      problems.push(
        `${definition.flag} (${definition.name}) must be ${reading.mustBe}, not ${quoted(String(given))}.`,
      );
  }
  const declared = readDeclared(file, problems);
  // Every required field is there and each value has passed its own reader.
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, fields: values as unknown as EnvelopeFields, declared };
}

const DECLARED: Readonly<Record<keyof DeclaredTotals, Reader>> = {
  id: someText,
  number_of_beneficiaries: wholeNumber,
  number_of_disbursements: wholeNumber,
  total_disbursement_quantity: (value) => {
    const text = typeof value === 'number' ? String(value) : value;
    try {
      if (typeof text === 'string') parseDecimal(text);
      return typeof text === 'string' ? { value: text } : { mustBe: 'a decimal number' };
    } catch {
      return { mustBe: 'a decimal number' };
    }
  },
};

function readDeclared(file: Readonly<Record<string, unknown>>, problems: string[]): DeclaredTotals {
  const declared: Record<string, string | number> = {};
  const ours = new Set<string>(ENVELOPE_FIELDS.map(({ name }) => name));
  for (const [name, value] of Object.entries(file)) {
    if (ours.has(name)) continue;
    if (!Object.hasOwn(DECLARED, name)) {
      problems.push(`${quoted(name)} in the envelope file is not a field of an envelope.`);
      continue;
    }
    if (value === null) continue;
    const reading = DECLARED[name as keyof DeclaredTotals](value);
    if ('value' in reading) declared[name] = reading.value;
    else problems.push(`${name} in the envelope file must be ${reading.mustBe}.`);
  }
  return declared;
}
