import { randomUUID } from 'node:crypto';

/** An envelope as a partner announces it. */
export interface EnvelopeFixture {
  id?: string | null;
  [field: string]: unknown;
}

/** A disbursement as a partner sends it. */
export interface DisbursementFixture {
  disbursement_id: string;
  [field: string]: unknown;
}

/** A day so many days from now (UTC), YYYY-MM-DD. */
export function dayFromNow(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

/** An envelope of digital cash that keeps all rules: 10 disbursements, 1000 in all, due today. */
export function envelopeFixture(changes: Record<string, unknown> = {}): EnvelopeFixture {
  return {
    id: `ENV-${randomUUID()}`,
    benefit_program_id: 7,
    benefit_program_mnemonic: 'SAFETY-NET',
    benefit_program_description: 'Rural safety net',
    target_registry: 'FARMER',
    benefit_code_id: 12,
    benefit_code_mnemonic: 'CASH',
    benefit_code_description: 'Monthly cash',
    benefit_type: 'CASH_DIGITAL',
    disbursement_cycle_id: 3,
    disbursement_frequency: 'Monthly',
    cycle_code_mnemonic: 'JULY',
    number_of_beneficiaries: 10,
    number_of_disbursements: 10,
    total_disbursement_quantity: 1000,
    measurement_unit: 'ETB',
    disbursement_schedule_date: dayFromNow(0),
    ...changes,
  };
}

/** A disbursement of 100 to a beneficiary of its own. */
export function disbursementFixture(
  envelopeId: string,
  changes: Record<string, unknown> = {},
): DisbursementFixture {
  return {
    disbursement_id: `DISB-${randomUUID()}`,
    disbursement_envelope_id: envelopeId,
    beneficiary_id: `BEN-${randomUUID()}`,
    beneficiary_name: 'Almaz Bekele',
    disbursement_quantity: 100,
    narrative: 'July support',
    disbursement_cycle_id: 3,
    ...changes,
  };
}

/** So many disbursements of an envelope. */
export function disbursementFixtures(
  envelopeId: string,
  count: number,
  changes: Record<string, unknown> = {},
): DisbursementFixture[] {
  return Array.from({ length: count }, () => disbursementFixture(envelopeId, changes));
}

/** A payload in its message envelope. */
export function messageFixture(
  payload: unknown,
  body: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    request_header: {
      sender_app_mnemonic: 'PBMS',
      sender_app_url: 'https://pbms.example',
      request_id: `REQ-${randomUUID()}`,
      request_timestamp: new Date().toISOString(),
      instance_id: null,
    },
    request_body: { pagination_request: null, request_payload: payload, ...body },
  };
}
