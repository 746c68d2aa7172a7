import { z } from 'zod';
import { jsonNumber } from '../json.ts';
import { amount, instant, textOrNull } from './answer-fields.ts';
import { identifier, listOf } from './fields.ts';
import { messageOf } from './message.ts';
import type { Operation } from './operation.ts';

const IDS_MAX = 10_000;
/** Statement entries of one id that are shown, oldest first; more than a few are a mistake at the bank. */
const ENTRIES_MAX = 100;

const schema = messageOf({ request_payload: listOf(identifier, IDS_MAX) });

/** A remittance, and its reversal if one came back. */
const recon = z.object({
  disbursement_batch_control_id: z.string(),
  disbursement_id: textOrNull,
  disbursement_batch_control_geo_id: textOrNull,
  disbursement_envelope_id: z.string(),
  beneficiary_name_from_bank: textOrNull,
  remittance_amount: amount,
  remittance_reference_number: textOrNull,
  remittance_statement_id: z.string(),
  remittance_statement_number: textOrNull,
  remittance_statement_sequence: textOrNull,
  remittance_entry_sequence: z.string(),
  remittance_entry_date: instant.nullable(),
  remittance_value_date: instant.nullable(),
  reversal_found: z.boolean(),
  reversal_statement_id: textOrNull,
  reversal_statement_number: textOrNull,
  reversal_statement_sequence: textOrNull,
  reversal_entry_sequence: textOrNull,
  reversal_entry_date: instant.nullable(),
  reversal_value_date: instant.nullable(),
  reversal_reason: textOrNull,
});

/** A statement's entry that could not be matched. */
const errorRecon = z.object({
  statement_id: z.string(),
  statement_number: textOrNull,
  statement_sequence: textOrNull,
  entry_sequence: z.string(),
  entry_date: instant.nullable(),
  value_date: instant.nullable(),
  entry_amount: amount,
  error_reason: z.string(),
  reconciliation_id: z.string(),
  disbursement_envelope_id: textOrNull,
  disbursement_batch_control_geo_id: textOrNull,
  bank_reference_number: textOrNull,
});

const answer = z.array(
  z.object({
    reconciliation_id: z.string(),
    disbursement_recon_records: z.object({
      disbursement_recon_payloads: z.array(recon),
      disbursement_error_recon_payloads: z.array(errorRecon),
    }),
  }),
);

type Recon = z.infer<typeof recon>;
type ErrorRecon = z.infer<typeof errorRecon>;

/** A remittance as its row has it; entry sequences are text on the wire. */
type ReconRow = Omit<Recon, 'remittance_amount' | 'remittance_entry_sequence' | 'reversal_entry_sequence'> & {
  readonly reconciliation_id: string;
  readonly remittance_amount: string;
  readonly remittance_entry_sequence: number;
  readonly reversal_entry_sequence: number | null;
};

type ErrorReconRow = Omit<ErrorRecon, 'entry_amount' | 'entry_sequence'> & {
  readonly entry_amount: string;
  readonly entry_sequence: number;
};

/**
 * `/get_disbursement_status`: what the bank's statements say about disbursements or geo records, by id, in the order
 * asked. An id that no statement names has no records, whether or not there is a disbursement by it.
 */
export const disbursementStatus: Operation<z.infer<typeof schema>, z.infer<typeof answer>> = {
  path: '/get_disbursement_status',
  summary: "What the bank's statements say about disbursements",
  schema,
  answer,
  codes: [],
  async perform({ database: { sql } }, { request_payload: asked }) {
    const ids = [...new Set(asked)];
    const found = await sql<ReconRow[]>`
      select reconciliation_id, disbursement_batch_control_id, disbursement_id, disbursement_batch_control_geo_id,
        disbursement_envelope_id, beneficiary_name_from_bank, remittance_amount, remittance_reference_number,
        remittance_statement_id, remittance_statement_number, remittance_statement_sequence,
        remittance_entry_sequence, remittance_entry_date, remittance_value_date, reversal_found,
        reversal_statement_id, reversal_statement_number, reversal_statement_sequence, reversal_entry_sequence,
        reversal_entry_date, reversal_value_date, reversal_reason
      from disbursement_recons where reconciliation_id = any(${ids})`;
    const wrong = await sql<ErrorReconRow[]>`
      select e.* from unnest(${ids}::text[]) as asked (id) cross join lateral (
        select statement_id, statement_number, statement_sequence, entry_sequence, entry_date, value_date,
          entry_amount, error_reason, reconciliation_id, disbursement_envelope_id,
          disbursement_batch_control_geo_id, bank_reference_number
        from disbursement_error_recons where reconciliation_id = asked.id order by id limit ${ENTRIES_MAX}) e`;
    const recons = Map.groupBy(found, (row) => row.reconciliation_id);
    const errors = Map.groupBy(wrong, (row) => row.reconciliation_id);
    return {
      payload: asked.map((id) => ({
        reconciliation_id: id,
        disbursement_recon_records: {
          disbursement_recon_payloads: (recons.get(id) ?? []).map(reconAnswer),
          disbursement_error_recon_payloads: (errors.get(id) ?? []).map(errorReconAnswer),
        },
      })),
    };
  },
};

function reconAnswer({ reconciliation_id: _, ...row }: ReconRow): Recon {
  return {
    ...row,
    remittance_amount: jsonNumber(row.remittance_amount),
    remittance_entry_sequence: String(row.remittance_entry_sequence),
    reversal_entry_sequence:
      row.reversal_entry_sequence === null ? null : String(row.reversal_entry_sequence),
  };
}

function errorReconAnswer(row: ErrorReconRow): ErrorRecon {
  return { ...row, entry_amount: jsonNumber(row.entry_amount), entry_sequence: String(row.entry_sequence) };
}
