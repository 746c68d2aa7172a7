import { eq } from 'drizzle-orm';
import { type SponsorBank, sponsorBankOf } from '../config.ts';
import type { BankConnector, ProgramAccount } from '../connectors/bank/bank-connector.ts';
import { disbursementEnvelopes } from '../db/schema/index.ts';
import { type StageContext, StageError } from './context.ts';

export type Envelope = typeof disbursementEnvelopes.$inferSelect;

/** An envelope with the bank and the account that pay for it. */
export interface PayingEnvelope {
  readonly envelope: Envelope;
  readonly bank: BankConnector;
  readonly account: ProgramAccount;
}

/**
 * Finds who pays for an envelope.
 *
 * @throws StageError ENVELOPE_NOT_FOUND, SPONSOR_BANK_NOT_CONFIGURED
 */
export async function payingEnvelope(context: StageContext, envelopeId: string): Promise<PayingEnvelope> {
  const [envelope] = await context.database.orm
    .select()
    .from(disbursementEnvelopes)
    .where(eq(disbursementEnvelopes.id, envelopeId));
  if (!envelope) throw new StageError('ENVELOPE_NOT_FOUND', `There is no envelope ${envelopeId}.`, false);
  const { benefit_program_id: program, benefit_code_id: benefitCode } = envelope;
  const sponsor = sponsorBankOf(context.config.sponsor_bank_configurations, program, benefitCode);
  const bank = sponsor && context.banks.get(sponsor.sponsor_bank_code);
  if (!sponsor || !bank) {
    throw new StageError(
      'SPONSOR_BANK_NOT_CONFIGURED',
      `No sponsor bank is configured for program ${program} and benefit code ${benefitCode} of envelope ` +
        `${envelopeId}; add it to sponsor_bank_configurations, restart and retry.`,
      false,
    );
  }
  return { envelope, bank, account: accountOf(sponsor, envelope.measurement_unit) };
}

function accountOf(sponsor: SponsorBank, currency: string): ProgramAccount {
  return {
    accountNumber: sponsor.program_account_number,
    accountType: sponsor.program_account_type,
    branchCode: sponsor.program_account_branch_code,
    currency,
  };
}
