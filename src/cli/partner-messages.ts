import { sourceOf } from '../api/json.ts';
import { parseDecimal } from '../decimal.ts';
import type { EnvelopeFields } from './submit/envelope-fields.ts';

/** A payload of `/create_disbursement_envelopes`, under the names of the wire. */
export interface EnvelopePayload extends EnvelopeFields {
  readonly id: string;
  readonly number_of_beneficiaries: number;
  readonly number_of_disbursements: number;
  /** Exact decimal. */
  readonly total_disbursement_quantity: string;
}

/** A payload of `/create_disbursements`. */
export interface DisbursementPayload {
  readonly disbursement_id: string;
  readonly disbursement_envelope_id: string;
  readonly beneficiary_id: string;
  readonly beneficiary_name: string;
  /** Exact decimal. */
  readonly disbursement_quantity: string;
  readonly narrative: string;
  readonly disbursement_cycle_id: number;
}

/** A JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The value as an object, or null when it is none. */
export function asObject(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

/** A text of an object, or null when it has none of that name. */
export function textIn(object: JsonObject, name: string): string | null {
  const value = object[name];
  return typeof value === 'string' ? value : null;
}

/** A count of an object, or null when it has none of that name. */
export function countIn(object: JsonObject, name: string): number | null {
  const value = object[name];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}

/** An exact decimal of an object, sent as text or as a number, or null when it has none of that name. */
export function decimalIn(object: JsonObject, name: string): string | null {
  const value = object[name];
  const text = typeof value === 'number' ? String(value) : (sourceOf(value) ?? value);
  if (typeof text !== 'string') return null;
  try {
    parseDecimal(text);
    return text;
  } catch {
    return null;
  }
}
