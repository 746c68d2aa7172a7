import type { Payment } from '../connectors/bank/bank-connector.ts';
import { compareDecimals } from '../decimal.ts';
import type { Work } from '../runtime/stage.ts';
import { type AgencyAccount, agencyAccounts, type PaidAgency } from './agency-accounts.ts';
import type { StageContext } from './context.ts';
import type { Payer, Payouts } from './payouts.ts';

interface GeoRow extends PaidAgency {
  readonly id: string;
  readonly total_quantity: string;
  readonly disbursements: number;
  readonly agency_name: string | null;
  readonly agency_admin_email: string | null;
  readonly agency_admin_phone: string | null;
}

/**
 * The payments of a batch of physical cash: one for each geo record, to the agency that hands the cash out there.
 *
 * @param wasRefused an earlier attempt failed and nothing of it can have been taken, so accounts may be corrected
 * @throws what {@link agencyAccounts} throws
 */
export async function agencyPayouts(
  context: StageContext,
  work: Pick<Work, 'id' | 'signal'>,
  payer: Payer,
  wasRefused: boolean,
): Promise<Payouts> {
  const batchId = work.id;
  const rows = await context.database.sql<GeoRow[]>`
    select g.id, g.total_quantity, n.disbursements, g.administrative_zone_id_small,
      g.administrative_zone_mnemonic_small, g.agency_id, g.agency_mnemonic, g.agency_additional_attributes,
      t.agency_name, t.agency_admin_email, t.agency_admin_phone
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
  const accounts = await agencyAccounts(context, work, payer.envelope, payable, wasRefused);
  return {
    payments: payable.map((row, n) => paymentOf(row, accounts[n] ?? new Map(), payer)),
    disbursementsPaid: disbursementsIn(payable),
    nothingToPay: disbursementsIn(rows.filter((row) => !isPayable(row))),
  };
}

const disbursementsIn = (rows: readonly GeoRow[]): number =>
  rows.reduce((sum, { disbursements }) => sum + disbursements, 0);

function paymentOf(
  row: GeoRow,
  details: AgencyAccount,
  { envelope, account, blockReference }: Payer,
): Payment {
  return {
    paymentReferenceNumber: row.id,
    remittingAccount: account.accountNumber,
    remittingAccountCurrency: account.currency,
    paymentAmount: row.total_quantity,
    fundsBlockedReferenceNumber: blockReference,
    beneficiaryName: row.agency_name ?? row.agency_mnemonic,
    beneficiaryAccount: details.get('ACCOUNT') ?? null,
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
