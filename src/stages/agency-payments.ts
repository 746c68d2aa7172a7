import type { Payment } from '../connectors/bank/bank-connector.ts';
import { parseAdditionalInfo } from '../connectors/pbms/additional-info.ts';
import type { Sql } from '../db/connection.ts';
import { compareDecimals } from '../decimal.ts';
import { StageError } from './context.ts';
import type { Payer, Payouts } from './payments.ts';

interface GeoRow {
  readonly id: string;
  readonly total_quantity: string;
  readonly disbursements: number;
  readonly administrative_zone_mnemonic_small: string;
  readonly agency_id: string;
  readonly agency_mnemonic: string;
  readonly agency_name: string | null;
  readonly agency_admin_email: string | null;
  readonly agency_admin_phone: string | null;
  readonly agency_additional_attributes: string | null;
}

/**
 * The payments of a batch of physical cash: one for each geo record, to the agency that hands the cash out there. The
 * agency's account is what its additional attributes say (`#BANK#…#BRANCH#…#ACCOUNT#…#TYPE#…`).
 *
 * @throws StageError AGENCY_ACCOUNT_MISSING
 */
export async function agencyPayouts(sql: Sql, batchId: string, payer: Payer): Promise<Payouts> {
  const rows = await sql<GeoRow[]>`
    select g.id, g.total_quantity, n.disbursements, g.administrative_zone_mnemonic_small, g.agency_id,
      g.agency_mnemonic, g.agency_additional_attributes, t.agency_name, t.agency_admin_email, t.agency_admin_phone
    from disbursement_batch_control_geo g
    join disbursement_batch_control_geo_attributes t on t.id = g.id
    join (
      select disbursement_batch_control_geo_id as id, count(*)::int as disbursements
      from disbursement_resolution_geo_address where disbursement_batch_control_id = ${batchId} group by 1
    ) n on n.id = g.id
    where g.disbursement_batch_control_id = ${batchId}
    order by g.id`;
  const isPayable = (row: GeoRow) => compareDecimals(row.total_quantity, '0') !== 0;
  const payable = rows.filter(isPayable);
  return {
    payments: payable.map((row) => paymentOf(row, batchId, payer)),
    disbursementsPaid: disbursementsIn(payable),
    nothingToPay: disbursementsIn(rows.filter((row) => !isPayable(row))),
  };
}

const disbursementsIn = (rows: readonly GeoRow[]): number =>
  rows.reduce((sum, { disbursements }) => sum + disbursements, 0);

function paymentOf(row: GeoRow, batchId: string, { envelope, account, blockReference }: Payer): Payment {
  const details = parseAdditionalInfo(row.agency_additional_attributes ?? '');
  const agencyAccount = details.get('ACCOUNT');
  if (!agencyAccount) {
    throw new StageError(
      'AGENCY_ACCOUNT_MISSING',
      `Agency ${row.agency_mnemonic} (${row.agency_id}), which hands out the cash of zone ` +
        `${row.administrative_zone_mnemonic_small} of batch ${batchId}, has no #ACCOUNT# in its additional_info.`,
      false,
    );
  }
  return {
    paymentReferenceNumber: row.id,
    remittingAccount: account.accountNumber,
    remittingAccountCurrency: account.currency,
    paymentAmount: row.total_quantity,
    fundsBlockedReferenceNumber: blockReference,
    beneficiaryName: row.agency_name ?? row.agency_mnemonic,
    beneficiaryAccount: agencyAccount,
    beneficiaryAccountCurrency: account.currency,
    beneficiaryAccountType: details.get('TYPE') ?? 'BANK_ACCOUNT',
    beneficiaryBankCode: details.get('BANK') ?? null,
    beneficiaryBranchCode: details.get('BRANCH') ?? null,
    beneficiaryMobileWalletProvider: null,
    beneficiaryPhoneNo: row.agency_admin_phone,
    beneficiaryEmail: row.agency_admin_email,
    beneficiaryEmailWalletProvider: null,
    narratives: [
      `Cash for zone ${row.administrative_zone_mnemonic_small}`,
      envelope.benefit_program_mnemonic,
      envelope.cycle_code_mnemonic,
      row.agency_mnemonic,
      row.id,
      '',
    ],
    paymentDate: envelope.disbursement_schedule_date,
  };
}
