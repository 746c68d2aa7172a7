/** What the envelope's machine knows: its stages, its columns and its events. */
import type { BenefitType } from './benefit-type.ts';
import type { ActorContext, StageEvent, Timed } from './stage-data.ts';

/** The stages of an envelope: cash must be there, then it is reserved, and given back when it is not needed after all. */
export const ENVELOPE_REGIONS = ['funds_available', 'funds_blocked', 'funds_released'] as const;
export type EnvelopeRegion = (typeof ENVELOPE_REGIONS)[number];

/** The columns of an envelope that its machine reads and writes. Quantities are exact decimal strings. */
export interface EnvelopeFacts {
  readonly benefit_type: BenefitType;
  readonly number_of_disbursements: number;
  readonly total_disbursement_quantity: string;
  readonly number_of_disbursements_received: number;
  readonly total_disbursement_quantity_received: string;
  /** From when funds may be checked: the start of the schedule date (UTC), or the receipt where future dates run. */
  readonly funds_due_from: Date;
  /** Batches that are resolved and wait for, or have, the permission to pay. */
  readonly number_of_batches_ready: number;
  readonly funds_blocked_reference_number: string | null;
  /** The block that `funds_released` gives back; kept when that is done. */
  readonly funds_released_reference_number: string | null;
  readonly number_of_disbursements_shipped: number;
  readonly number_of_disbursements_reconciled: number;
  readonly number_of_disbursements_reversed: number;
  readonly quantity_shipped: string;
  readonly quantity_reconciled: string;
  readonly quantity_reversed: string;
  readonly cancellation_timestamp: Date | null;
}

/**
 * So many disbursements of so much in all. Messages that were stored before there were sums do not say how much: what
 * they are about was in the tables already when the sums were first made of them, so they add nothing.
 */
type Counted<T extends string> = Timed & {
  readonly type: T;
  readonly count: number;
  readonly quantity?: string;
};

export type EnvelopeEvent =
  | StageEvent<'funds_available' | 'funds_released'>
  | Exclude<StageEvent<'funds_blocked'>, { readonly type: 'funds_blocked.succeeded' }>
  | (Timed & { readonly type: 'funds_blocked.succeeded'; readonly job: string; readonly reference: string })
  | (Timed & { readonly type: 'created' })
  | (Timed & { readonly type: 'batch_received'; readonly count: number; readonly quantity: string })
  | (Timed & { readonly type: 'batch_ready'; readonly batch: string })
  | (Timed & { readonly type: 'cancel' })
  | (Timed & { readonly type: 'disbursements_cancelled'; readonly count: number; readonly quantity: string })
  | (Timed & {
      readonly type: 'amend';
      readonly number_of_disbursements: number;
      readonly total_disbursement_quantity: string;
      readonly funds_due_from: Date;
    })
  | Counted<'shipped'>
  | Counted<'reconciled'>
  | Counted<'reversed'>;

export type EnvelopeContext = ActorContext<EnvelopeRegion, EnvelopeFacts>;
