import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { jsonNumber } from '../json.ts';
import { amount, errorCodes } from './answer-fields.ts';
import type { Fault } from './faults.ts';
import { occurrences } from './faults.ts';
import {
  DESCRIPTION_CHARS_MAX,
  identifier,
  isBlank,
  isMissingOrNegative,
  line,
  NAME_CHARS_MAX,
  numericId,
  quantity,
  record,
  reference,
} from './fields.ts';

/** What has a rule with a code of its own may be missing here: {@link disbursementFaults} says so with that code. */
export const disbursementPayload = record({
  disbursement_id: reference.nullish(),
  disbursement_envelope_id: reference.nullish(),
  beneficiary_id: identifier.nullish(),
  beneficiary_name: line(NAME_CHARS_MAX).nullish(),
  disbursement_quantity: quantity.nullish(),
  narrative: line(DESCRIPTION_CHARS_MAX).nullish(),
  disbursement_cycle_id: numericId.nullish(),
});

/** A disbursement as a partner describes it; its quantity is a canonical decimal string. */
export type DisbursementPayload = z.infer<typeof disbursementPayload>;

/** A disbursement on the wire. */
export const disbursementOnWire = disbursementPayload.extend({ disbursement_quantity: amount.nullable() });

/** A disbursement of a batch that is refused. */
export const refusedDisbursement = disbursementOnWire.extend({ response_error_codes: errorCodes });

/** The rules that {@link disbursementFaults} knows. */
export const DISBURSEMENT_CODES = [
  'INVALID_DISBURSEMENT_ID',
  'INVALID_DISBURSEMENT_ENVELOPE_ID',
  'INVALID_BENEFICIARY_ID',
  'INVALID_DISBURSEMENT_PAYLOAD',
  'INVALID_DISBURSEMENT_QUANTITY',
  'INVALID_NARRATIVE',
] as const;

/** A disbursement that keeps all rules, its name empty where the partner has none; without a cycle of its own it is of its envelope's cycle. */
export interface Disbursement {
  readonly disbursement_id: string;
  readonly beneficiary_id: string;
  readonly beneficiary_name: string;
  readonly disbursement_quantity: string;
  readonly narrative: string;
  readonly disbursement_cycle_id: number | null;
}

/** The rules that each disbursement of a batch breaks by itself or together with the others, in the order of the batch. */
export function disbursementFaults(batch: readonly DisbursementPayload[]): Fault[][] {
  const timesOfId = occurrences(batch.map(({ disbursement_id }) => disbursement_id));
  const timesOfBeneficiary = occurrences(batch.map(({ beneficiary_id }) => beneficiary_id));
  return batch.map((item) => {
    const faults: Fault[] = [];
    const check = (broken: boolean, code: (typeof DISBURSEMENT_CODES)[number], why: string): void => {
      if (broken) faults.push({ code, why });
    };
    check(isBlank(item.disbursement_id), 'INVALID_DISBURSEMENT_ID', 'disbursement_id is missing');
    check(
      timesOfId(item.disbursement_id) > 1,
      'INVALID_DISBURSEMENT_ID',
      'the batch has this id more than once',
    );
    check(
      isBlank(item.disbursement_envelope_id),
      'INVALID_DISBURSEMENT_ENVELOPE_ID',
      'disbursement_envelope_id is missing',
    );
    check(isBlank(item.beneficiary_id), 'INVALID_BENEFICIARY_ID', 'beneficiary_id is missing');
    check(
      timesOfBeneficiary(item.beneficiary_id) > 1,
      'INVALID_BENEFICIARY_ID',
      'the batch has its beneficiary more than once',
    );
    check(
      isMissingOrNegative(item.disbursement_quantity),
      'INVALID_DISBURSEMENT_QUANTITY',
      'disbursement_quantity is missing or negative',
    );
    check(isBlank(item.narrative), 'INVALID_NARRATIVE', 'narrative is missing');
    return faults.filter(({ code }, at) => faults.findIndex((other) => other.code === code) === at);
  });
}

/** Partners' systems need not know names: the account is found by the beneficiary's id. */
const nameOf = ({ beneficiary_name: name }: DisbursementPayload): string =>
  isBlank(name) ? '' : (name ?? '');

/** The disbursements of a batch in which nobody breaks a rule. */
export function disbursementsOf(batch: readonly DisbursementPayload[]): Disbursement[] {
  return batch.map((item) => ({
    disbursement_id: item.disbursement_id ?? '',
    beneficiary_id: item.beneficiary_id ?? '',
    beneficiary_name: nameOf(item),
    disbursement_quantity: item.disbursement_quantity ?? '0',
    narrative: item.narrative ?? '',
    disbursement_cycle_id: item.disbursement_cycle_id ?? null,
  }));
}

/** SHA-256 (hexadecimal) of what a batch says, in its order: equal for a request that is sent again. */
export function digestOf(envelopeId: string, batch: readonly Disbursement[]): string {
  const hash = createHash('sha256').update(JSON.stringify(envelopeId));
  for (const item of batch) {
    const { disbursement_id, beneficiary_id, beneficiary_name, disbursement_quantity, narrative } = item;
    const said = [disbursement_id, beneficiary_id, beneficiary_name, disbursement_quantity, narrative];
    hash.update(JSON.stringify([...said, item.disbursement_cycle_id]));
  }
  return hash.digest('hex');
}

/** A disbursement on the wire: the payload, its quantity a JSON number. */
export function disbursementAnswer(item: DisbursementPayload) {
  const { disbursement_quantity: given } = item;
  return { ...item, disbursement_quantity: given ? jsonNumber(given) : null };
}
