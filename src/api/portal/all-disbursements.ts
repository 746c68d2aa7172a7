import { z } from 'zod';
import type { Queryable } from '../../db/connection.ts';
import { BENEFIT_TYPES } from '../../machines/benefit-type.ts';
import { jsonNumber } from '../json.ts';
import { amount, instant, textOrNull } from '../partner/answer-fields.ts';
import { day } from '../partner/fields.ts';
import { type Pagination, Refusal } from '../partner/message.ts';
import { DISBURSEMENT_STATUSES, joinedToDisbursement, statusOfDisbursement } from './disbursement-status.ts';
import { BENEFICIARY_ID_MISMATCH, type PortalOperation, portalMessage, portalRefusal } from './operation.ts';

/** The page of who asks for none, as in the Python system. */
const PAGE_DEFAULT: Pagination = { current_page: 1, page_size: 30 };

const disbursement = z.object({
  disbursement_id: z.string(),
  disbursement_envelope_id: z.string(),
  program_mnemonic: z.string(),
  program_description: textOrNull,
  cycle_code_mnemonic: z.string(),
  disbursement_quantity: amount,
  benefit_code: z.string(),
  benefit_code_description: textOrNull,
  benefit_type: z.enum(BENEFIT_TYPES),
  agency_mnemonic: z.string().describe('Who hands it out; empty where that is nobody, or not known yet.'),
  measurement_unit: z.string(),
  disbursement_schedule_date: day,
  narrative: z.string(),
  receipt_time_stamp: instant.describe('When the program announced it.'),
  disbursement_status: z.enum(DISBURSEMENT_STATUSES),
  disbursement_status_reason: textOrNull.describe('Why it came back or was left out.'),
  remittance_date: instant.nullable().describe('When the bank paid it.'),
});

const answer = z.array(disbursement);

type Disbursement = z.infer<typeof disbursement>;
type DisbursementRow = Omit<Disbursement, 'disbursement_quantity'> & {
  readonly disbursement_quantity: string;
};

/** `/disbursement/get_all_disbursements`: a beneficiary's disbursements, the newest first, a page at a time. */
export const allDisbursements: PortalOperation<readonly Disbursement[]> = {
  path: '/disbursement/get_all_disbursements',
  summary: "A beneficiary's disbursements",
  schema: portalMessage,
  answer,
  refusal: portalRefusal,
  codes: [BENEFICIARY_ID_MISMATCH, 'DISBURSEMENT_NOT_FOUND'],
  async perform({ database: { sql } }, beneficiaryId, { pagination_request: asked }) {
    const page = asked ?? PAGE_DEFAULT;
    const items = await countOf(sql, beneficiaryId);
    const pages = Math.ceil(items / page.page_size);
    if (page.current_page > pages) {
      const sentence = items === 0 ? 'There are no disbursements' : `There is no page ${page.current_page}`;
      throw new Refusal('DISBURSEMENT_NOT_FOUND', `${sentence} for the beneficiary.`);
    }
    const rows = await pageOf(sql, beneficiaryId, page);
    return {
      payload: rows.map((row) => ({ ...row, disbursement_quantity: jsonNumber(row.disbursement_quantity) })),
      pagination: { number_of_items: items, number_of_pages: pages },
    };
  },
};

async function countOf(sql: Queryable, beneficiaryId: string): Promise<number> {
  const [row] = await sql<{ items: number }[]>`
    select count(*)::int as items from disbursements where beneficiary_id = ${beneficiaryId}`;
  return row?.items ?? 0;
}

async function pageOf(
  sql: Queryable,
  beneficiaryId: string,
  { current_page: current, page_size: size }: Pagination,
): Promise<readonly DisbursementRow[]> {
  return sql<DisbursementRow[]>`
    with d as (
      -- In the order of the index, so that the rest is looked up for one page only.
      select * from disbursements where beneficiary_id = ${beneficiaryId}
      order by receipt_time_stamp desc, id desc limit ${size} offset ${(current - 1) * size}
    )
    select d.id as disbursement_id, d.disbursement_envelope_id, e.benefit_program_mnemonic as program_mnemonic,
      e.benefit_program_description as program_description, e.cycle_code_mnemonic, d.disbursement_quantity,
      e.benefit_code_mnemonic as benefit_code, e.benefit_code_description, e.benefit_type,
      coalesce(g.agency_mnemonic, '') as agency_mnemonic, e.measurement_unit,
      e.disbursement_schedule_date::text as disbursement_schedule_date, d.narrative, d.receipt_time_stamp,
      s.status as disbursement_status,
      case s.status when 'REVERSED' then r.reversal_reason when 'LEFT_OUT' then d.left_out_reason end
        as disbursement_status_reason,
      case when s.status in ('RECONCILED', 'REVERSED') then coalesce(r.remittance_value_date, r.remittance_entry_date)
        end as remittance_date
    from d ${joinedToDisbursement(sql)}
    cross join lateral (select ${statusOfDisbursement(sql)} as status) s
    order by d.receipt_time_stamp desc, d.id desc`;
}
