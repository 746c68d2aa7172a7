import { z } from 'zod';
import type { Queryable } from '../../db/connection.ts';
import { BENEFIT_TYPES } from '../../machines/benefit-type.ts';
import { jsonNumber } from '../json.ts';
import { amount, tally } from '../partner/answer-fields.ts';
import { Refusal } from '../partner/message.ts';
import { joinedToDisbursement, statusOfDisbursement } from './disbursement-status.ts';
import { BENEFICIARY_ID_MISMATCH, type PortalOperation, portalMessage, portalRefusal } from './operation.ts';

/** Far more than one person has kinds of benefits. */
const ROWS_MAX = 10_000;

/** What becomes of disbursements; every one of them is in one. */
const FATES = ['received', 'pending', 'reversed', 'left_out', 'cancelled'] as const;
type Fate = (typeof FATES)[number];
type FateField<Kind extends string> = `${Kind}_${Fate}`;

const byFate = <Kind extends string, T extends z.ZodType>(kind: Kind, field: T) =>
  Object.fromEntries(FATES.map((fate) => [`${kind}_${fate}`, field])) as { [K in FateField<Kind>]: T };

const summary = z.object({
  program_mnemonic: z.string(),
  benefit_code_mnemonic: z.string(),
  benefit_type: z.enum(BENEFIT_TYPES),
  measurement_unit: z.string(),
  number_of_disbursements: tally,
  ...byFate('number_of_disbursements', tally),
  total_quantity: amount,
  ...byFate('total_quantity', amount),
});

const answer = z.array(summary);

type Summary = z.infer<typeof summary>;
type Quantity = 'total_quantity' | FateField<'total_quantity'>;
type SummaryRow = Omit<Summary, Quantity> & { readonly [column in Quantity]: string };

const QUANTITIES: readonly Quantity[] = [
  'total_quantity',
  ...FATES.map((fate) => `total_quantity_${fate}` as const),
];

/**
 * `/disbursement/get_disbursement_summary_till_date`: how much of what a beneficiary got from which program until
 * today. Received is what the bank was told to pay and did not send back, and what is in kind once an agency has it and
 * its day has come: the bridge learns of nothing that happens later.
 */
export const summaryTillDate: PortalOperation<readonly Summary[]> = {
  path: '/disbursement/get_disbursement_summary_till_date',
  summary: 'What a beneficiary has got until today',
  schema: portalMessage,
  answer,
  refusal: portalRefusal,
  codes: [BENEFICIARY_ID_MISMATCH, 'DISBURSEMENT_SUMMARY_NOT_FOUND'],
  async perform({ database: { sql }, clock }, beneficiaryId) {
    const rows = await summaryOf(sql, beneficiaryId, clock.now());
    if (rows.length === 0) {
      throw new Refusal('DISBURSEMENT_SUMMARY_NOT_FOUND', 'There are no disbursements for the beneficiary.');
    }
    return { payload: rows.map(summaryAnswer) };
  },
};

async function summaryOf(sql: Queryable, beneficiaryId: string, now: Date): Promise<readonly SummaryRow[]> {
  const today = now.toISOString().slice(0, 10);
  const sums = FATES.map(
    (fate) => sql`
      count(*) filter (where fate = ${fate})::int as ${sql(`number_of_disbursements_${fate}`)},
      coalesce(sum(quantity) filter (where fate = ${fate}), 0) as ${sql(`total_quantity_${fate}`)},`,
  );
  return sql<SummaryRow[]>`
    select program_mnemonic, benefit_code_mnemonic, benefit_type, measurement_unit,
      ${sums}
      count(*)::int as number_of_disbursements, sum(quantity) as total_quantity
    from (
      select e.benefit_program_mnemonic as program_mnemonic, e.benefit_code_mnemonic, e.benefit_type,
        e.measurement_unit, d.disbursement_quantity as quantity,
        case s.status
          when 'CANCELLED' then 'cancelled'
          when 'REVERSED' then 'reversed'
          when 'LEFT_OUT' then 'left_out'
          when 'SENT' then 'received'
          when 'RECONCILED' then 'received'
          when 'ALLOCATED' then case when e.disbursement_schedule_date <= ${today}::date then 'received' else 'pending' end
          else 'pending'
        end as fate
      from disbursements d ${joinedToDisbursement(sql)}
      cross join lateral (select ${statusOfDisbursement(sql)} as status) s
      where d.beneficiary_id = ${beneficiaryId}
    ) told
    group by program_mnemonic, benefit_code_mnemonic, benefit_type, measurement_unit
    order by program_mnemonic, benefit_code_mnemonic, benefit_type, measurement_unit
    limit ${ROWS_MAX}`;
}

function summaryAnswer(row: SummaryRow): Summary {
  const quantities = Object.fromEntries(QUANTITIES.map((name) => [name, jsonNumber(row[name])]));
  return { ...row, ...(quantities as Pick<Summary, Quantity>) };
}
