import { type Answer, createPartnerClient, type PartnerClient } from '../../src/cli/partner-client.ts';
import { type Town, tell } from './bridge.ts';
import { until } from './wait.ts';

const ANSWERED_WITHIN_MS = 120_000;

/** An envelope of digital cash as a ministry sends it, ten units to everybody. */
export interface Submission {
  readonly envelopeId: string;
  readonly disbursements: number;
  /** Sends everything, again and again without a pause where there is no answer, so that there is always work. */
  send(): Promise<void>;
  client: PartnerClient;
}

/** Links the beneficiaries of an envelope at the mapper and gets its requests ready. */
export async function prepareSubmission(
  town: Town,
  disbursements: number,
  batchSize: number,
): Promise<Submission> {
  const envelopeId = `envelope-${disbursements}-${batchSize}`;
  const people = Array.from(
    { length: disbursements },
    (_, n) => `${envelopeId}-${String(n).padStart(6, '0')}`,
  );
  const links = people.map((id, n) => ({
    id: `ben-${id}`,
    name: 'A Beneficiary',
    fa_type: 'BANK',
    account_number: `77${String(n).padStart(8, '0')}`,
    bank_code: 'EXAMPLE-BANK',
    branch_code: 'HQ',
  }));
  await tell(town.spar.url, '/_admin/links', links);
  const client = createPartnerClient({ url: town.bridgeUrl, sender: 'ministry' });
  const envelope = {
    id: envelopeId,
    benefit_program_id: 1,
    benefit_program_mnemonic: 'PROGRAM',
    target_registry: 'farmer_registry',
    benefit_code_id: 1,
    benefit_code_mnemonic: 'CASH',
    benefit_type: 'CASH_DIGITAL',
    disbursement_cycle_id: 1,
    cycle_code_mnemonic: 'CYCLE-1',
    disbursement_frequency: 'Monthly',
    measurement_unit: 'USD',
    disbursement_schedule_date: new Date().toISOString().slice(0, 10),
    number_of_beneficiaries: disbursements,
    number_of_disbursements: disbursements,
    total_disbursement_quantity: String(disbursements * 10),
  };
  return {
    envelopeId,
    disbursements,
    client,
    async send() {
      await accepted(() => client.createEnvelopes([envelope]));
      for (let start = 0; start < disbursements; start += batchSize) {
        const batch = people.slice(start, start + batchSize).map((id) => ({
          disbursement_id: id,
          disbursement_envelope_id: envelopeId,
          beneficiary_id: `ben-${id}`,
          beneficiary_name: 'A Beneficiary',
          disbursement_quantity: '10',
          narrative: 'Monthly benefit',
          disbursement_cycle_id: 1,
        }));
        await accepted(() => client.createDisbursements(`${envelopeId}-batch-${start}`, batch));
      }
    },
  };
}

/** Makes a request until it is answered. @throws Error when the answer is not that it was accepted */
async function accepted<T>(request: () => Promise<Answer<T>>): Promise<void> {
  await until(
    'the request is answered',
    async () => {
      const answer = await request();
      if (answer.kind === 'success') return true;
      if (answer.kind === 'failed' && answer.passing) return false;
      throw new Error(`It was not accepted: ${JSON.stringify(answer)}`);
    },
    ANSWERED_WITHIN_MS,
  );
}

/** What the bank's ledger holds for the program's account. */
export async function ledgerOf(town: Town) {
  const ledger = await tell(town.bank.url, `/_admin/ledger?account=${town.account}`);
  return ledger as { debits: number; debited_sum: string; duplicate_references: number };
}
