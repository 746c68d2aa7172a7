import type { ActorSystem } from '../../runtime/system.ts';
import { type MissingOfBatch, missingByBatch } from '../../stages/missing-payments.ts';
import type { OperatorContext } from './context.ts';

/** How old an answer may be before the next one is sought. */
const FRESH_FOR_MS = 30_000;
/** Batches that are kept at most: those whose payments are missing the longest. */
const BATCHES_MAX = 50_000;

/** The batches with payments that should be on a statement by now and are not, the longest missing first. */
export interface MissingBatches {
  readonly asOf: Date;
  readonly batches: readonly MissingOfBatch[];
}

interface Known {
  view: MissingBatches | null;
  /** When the latest look began, by the process's own clock, in milliseconds. */
  beganMs: number;
  isLooking: boolean;
}

const known = new WeakMap<ActorSystem, Known>();

/**
 * Where payments are missing, without waiting: finding out may take seconds with very many payments, so it goes on behind
 * the lists, at most once in half a minute however many ask.
 *
 * @returns null while nobody has looked yet
 */
export function missingBatches(context: OperatorContext): MissingBatches | null {
  const { system } = context;
  const now = known.get(system) ?? { view: null, beganMs: Number.NEGATIVE_INFINITY, isLooking: false };
  known.set(system, now);
  if (!now.isLooking && performance.now() - now.beganMs >= FRESH_FOR_MS) void look(context, now);
  return now.view;
}

async function look({ system, database, clock, config }: OperatorContext, known: Known): Promise<void> {
  known.isLooking = true;
  known.beganMs = performance.now();
  const asOf = clock.now();
  const overdueDays = config.reconciliation_overdue_days;
  try {
    const options = { overdueDays, now: asOf, limit: BATCHES_MAX };
    known.view = { asOf, batches: await missingByBatch(database.sql, options) };
  } catch (error) {
    system.store.observer.troubled('missing payments', error);
  } finally {
    known.isLooking = false;
  }
}

/** How many payments are missing, of all or of one envelope. */
export const countMissing = ({ batches }: MissingBatches, envelope?: string): number =>
  batches
    .filter((batch) => envelope === undefined || batch.disbursement_envelope_id === envelope)
    .reduce((sum, { count }) => sum + count, 0);
