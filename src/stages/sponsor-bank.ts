import { eq } from 'drizzle-orm';
import type { SponsorBank } from '../config.ts';
import type { BankConnector, ProgramAccount } from '../connectors/bank/bank-connector.ts';
import type { Tx } from '../db/connection.ts';
import { disbursementEnvelopes } from '../db/schema/index.ts';
import { type StageContext, StageError } from './context.ts';

export type Envelope = typeof disbursementEnvelopes.$inferSelect;

/** An envelope with the bank and the account that pay for it. */
export interface PayingEnvelope {
  readonly envelope: Envelope;
  readonly bank: BankConnector;
  readonly bankCode: string;
  readonly account: ProgramAccount;
}

/**
 * Finds who pays for an envelope.
 *
 * @throws StageError ENVELOPE_NOT_FOUND, SPONSOR_BANK_NOT_CONFIGURED, BANK_CONNECTOR_NOT_CONFIGURED,
 *   SPONSOR_BANK_CHANGED; ConnectorError PBMS_UNAVAILABLE, PBMS_QUERY_FAILED
 */
export async function payingEnvelope(context: StageContext, envelopeId: string): Promise<PayingEnvelope> {
  const [envelope] = await context.database.orm
    .select()
    .from(disbursementEnvelopes)
    .where(eq(disbursementEnvelopes.id, envelopeId));
  if (!envelope) throw new StageError('ENVELOPE_NOT_FOUND', `There is no envelope ${envelopeId}.`, false);
  const { benefit_program_id: program, benefit_code_id: benefitCode } = envelope;
  const { sponsorBanks } = context;
  const sponsor = await sponsorBanks.of(program, benefitCode);
  if (!sponsor) {
    throw new StageError(
      'SPONSOR_BANK_NOT_CONFIGURED',
      `No sponsor bank is configured for program ${program} and benefit code ${benefitCode} of envelope ` +
        `${envelopeId}; add it to ${sponsorBanks.source}, ${sponsorBanks.remedy}.`,
      false,
    );
  }
  const bank = bankOf(context, sponsor, `envelope ${envelopeId}`);
  await requireSameSponsor(context, envelopeId, sponsor);
  return {
    envelope,
    bank,
    bankCode: sponsor.sponsor_bank_code,
    account: accountOf(sponsor, envelope.measurement_unit),
  };
}

/**
 * The connector to a sponsor bank.
 *
 * @param record what the bank is needed for, for the message
 * @throws StageError BANK_CONNECTOR_NOT_CONFIGURED
 */
export function bankOf(
  { banks, sponsorBanks }: StageContext,
  { sponsor_bank_code: code }: SponsorBank,
  record: string,
): BankConnector {
  const bank = banks.get(code);
  if (bank) return bank;
  throw new StageError(
    'BANK_CONNECTOR_NOT_CONFIGURED',
    `The sponsor bank ${code}, which ${sponsorBanks.source} names for ${record}, has no connector; add it to ` +
      'bank_connectors_impls, restart and retry.',
    false,
  );
}

/** Another bank would truthfully say that it never saw what the first one has already paid. */
async function requireSameSponsor(
  { database, sponsorBanks }: StageContext,
  envelopeId: string,
  sponsor: SponsorBank,
): Promise<void> {
  const [chosen] = await database.sql<{ bank: string | null; account: string | null }[]>`
    select sponsor_bank_code as bank, program_account_number as account
    from envelope_batch_status_for_cash where disbursement_envelope_id = ${envelopeId}`;
  if (!chosen?.bank) return;
  if (chosen.bank === sponsor.sponsor_bank_code && chosen.account === sponsor.program_account_number) return;
  throw new StageError(
    'SPONSOR_BANK_CHANGED',
    `The funds of envelope ${envelopeId} were found at another bank or account than ${sponsorBanks.source} names ` +
      `now; put the former entry back, ${sponsorBanks.remedy}.`,
    false,
  );
}

/** Records who pays, with the answer that the funds are there. */
export async function chooseSponsor(
  sql: Tx,
  envelopeId: string,
  { bankCode, account }: PayingEnvelope,
): Promise<void> {
  await sql`
    update envelope_batch_status_for_cash
    set sponsor_bank_code = ${bankCode}, program_account_number = ${account.accountNumber}
    where disbursement_envelope_id = ${envelopeId}`;
}

function accountOf(sponsor: SponsorBank, currency: string): ProgramAccount {
  return {
    accountNumber: sponsor.program_account_number,
    accountType: sponsor.program_account_type,
    branchCode: sponsor.program_account_branch_code,
    currency,
  };
}
