import type { Payment } from '../connectors/bank/bank-connector.ts';
import type { Sql } from '../db/connection.ts';
import { compareDecimals } from '../decimal.ts';
import { StageError } from './context.ts';
import type { Payer, Payouts } from './payouts.ts';

interface PayableRow {
  readonly id: string;
  readonly beneficiary_id: string;
  readonly beneficiary_name: string;
  readonly disbursement_quantity: string;
  readonly narrative: string;
  readonly mapper_resolved_fa_type: string | null;
  readonly bank_account_number: string | null;
  readonly bank_code: string | null;
  readonly branch_code: string | null;
  readonly mobile_number: string | null;
  readonly mobile_wallet_provider: string | null;
  readonly email_address: string | null;
  readonly email_wallet_provider: string | null;
}

/**
 * The payments of a batch of digital cash: one for each disbursement, to the address that the mapper gave.
 *
 * @throws StageError ADDRESS_MISSING
 */
export async function beneficiaryPayouts(sql: Sql, batchId: string, payer: Payer): Promise<Payouts> {
  const rows = await sql<PayableRow[]>`
    select d.id, d.beneficiary_id, d.beneficiary_name, d.disbursement_quantity, d.narrative,
      a.mapper_resolved_fa_type, a.bank_account_number, a.bank_code, a.branch_code, a.mobile_number,
      a.mobile_wallet_provider, a.email_address, a.email_wallet_provider
    from disbursements d
    left join disbursement_resolution_financial_address a on a.disbursement_id = d.id
    where d.disbursement_batch_control_id = ${batchId}
      and d.cancellation_status = 'NOT_CANCELLED' and d.left_out_reason is null
    order by d.id`;
  const payable = rows.filter((row) => compareDecimals(row.disbursement_quantity, '0') !== 0);
  const homeless = payable.find((row) => row.mapper_resolved_fa_type === null);
  if (homeless) {
    const problem = `Disbursement ${homeless.id} of batch ${batchId} has no address to be paid to.`;
    throw new StageError('ADDRESS_MISSING', problem, false);
  }
  return {
    payments: payable.map((row) => paymentOf(row, payer)),
    disbursementsPaid: payable.length,
    nothingToPay: rows.length - payable.length,
  };
}

function paymentOf(row: PayableRow, { envelope, account, blockReference }: Payer): Payment {
  return {
    paymentReferenceNumber: row.id,
    remittingAccount: account.accountNumber,
    remittingAccountCurrency: account.currency,
    paymentAmount: row.disbursement_quantity,
    fundsBlockedReferenceNumber: blockReference,
    beneficiaryName: row.beneficiary_name,
    beneficiaryAccount: row.bank_account_number,
    beneficiaryAccountCurrency: account.currency,
    beneficiaryAccountType: row.mapper_resolved_fa_type,
    beneficiaryBankCode: row.bank_code,
    beneficiaryBranchCode: row.branch_code,
    beneficiaryMobileWalletProvider: row.mobile_wallet_provider,
    beneficiaryPhoneNo: row.mobile_number,
    beneficiaryEmail: row.email_address,
    beneficiaryEmailWalletProvider: row.email_wallet_provider,
    narratives: [
      row.narrative,
      envelope.benefit_program_mnemonic,
      envelope.cycle_code_mnemonic,
      row.beneficiary_id,
      row.id,
      '',
    ],
    paymentDate: envelope.disbursement_schedule_date,
  };
}
