import { z } from 'zod';
import { count, decimal, line, moment, nextCursor, page, sequence, tally } from './common.ts';

export const ENVELOPE_STATES = [
  'receiving',
  'under_way',
  'needs_attention',
  'complete',
  'cancelled',
] as const;

/** `GET /operator/envelopes`, the newest first. */
export const envelopesQuery = page.extend({
  /** Part of an id, or of the mnemonic of a program, benefit or cycle. */
  search: line(100).trim().optional(),
  state: z.enum(ENVELOPE_STATES).optional(),
  benefit_type: line(40).optional(),
});

export const envelopeSummary = z.object({
  id: z.string(),
  state: z.enum(ENVELOPE_STATES),
  benefit_program_mnemonic: z.string(),
  benefit_code_mnemonic: z.string(),
  cycle_code_mnemonic: z.string(),
  benefit_type: z.string(),
  measurement_unit: z.string(),
  disbursement_schedule_date: z.iso.date(),
  received_at: moment,
  number_of_disbursements: count,
  number_of_disbursements_received: count,
  quantity_declared: decimal,
  quantity_received: decimal,
  /** Regions of its actors that stand in ERROR. */
  errors: count,
  /** Null for benefits in kind. */
  number_of_disbursements_shipped: count.nullable(),
  number_of_disbursements_reconciled: count.nullable(),
  number_of_disbursements_reversed: count.nullable(),
});
export type EnvelopeSummary = z.infer<typeof envelopeSummary>;
export const envelopes = z.object({ envelopes: z.array(envelopeSummary), next_cursor: nextCursor });
export type Envelopes = z.infer<typeof envelopes>;

/** `GET /operator/envelopes/{id}` */
export const envelopeDetail = envelopeSummary.extend({
  /** The tallies hold exactly what the journal says up to here. */
  seq: sequence,
  description: z.string().nullable(),
  number_of_beneficiaries: count,
  number_of_batches: count,
  cancelled_at: moment.nullable(),
  /** Null for benefits in kind. */
  money: z
    .object({
      blocked: decimal,
      shipped: decimal,
      reconciled: decimal,
      reversed: decimal,
      /** Shipped and on no statement yet. */
      outstanding: decimal,
      /** Payments that should be on a statement by now and are not; null when that is still being counted. */
      missing: z.object({ count, quantity: decimal, as_of: moment }).nullable(),
      sponsor_bank_code: z.string().nullable(),
      block_reference: z.string().nullable(),
    })
    .nullable(),
  /** The stages that this kind of envelope passes, in the order of the pipeline. */
  stages: z.array(
    z.object({ stage: z.string(), title: z.string(), machine: z.string(), region: z.string(), tally }),
  ),
  /** Whether it may still be cancelled. */
  cancellable: z.boolean(),
});
export type EnvelopeDetail = z.infer<typeof envelopeDetail>;

/** `GET /operator/envelopes/{id}/batches`, in the order of their receipt. */
export const batchRow = z.object({
  id: z.string(),
  received_at: moment,
  number_of_disbursements: count,
  quantity: decimal,
  stages: z.array(
    z.object({
      stage: z.string(),
      region: z.string(),
      state: z.string(),
      attempts: count,
      error_code: z.string().nullable(),
      due_at: moment.nullable(),
    }),
  ),
});
export const batches = z.object({ batches: z.array(batchRow), next_cursor: nextCursor });
export type Batches = z.infer<typeof batches>;
