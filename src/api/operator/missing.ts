import type { ActorSystem } from '../../runtime/system.ts';
import { missingByEnvelope } from '../../stages/missing-payments.ts';
import type { OperatorContext } from './context.ts';

/** How old an answer may be before the next one is sought. */
const FRESH_FOR_MS = 30_000;
/** Envelopes that are kept at most: those whose payments are missing the longest. */
const ENVELOPES_MAX = 100_000;

interface Sum {
  readonly count: number;
  /** Exact decimal. */
  readonly quantity: string;
}

/** Payments that should be on a statement by now and are not, as they were counted last. */
export interface MissingView {
  readonly asOf: Date;
  /** Of all envelopes. */
  readonly count: number;
  /** Since when the one that was shipped first is out; null when none is missing. */
  readonly since: Date | null;
  /** Envelopes of which nothing is missing are left out. */
  readonly byEnvelope: ReadonlyMap<string, Sum>;
}

interface Counted {
  view: MissingView | null;
  /** When the latest counting began, by the process's own clock, in milliseconds. */
  beganMs: number;
  isCounting: boolean;
}

const counted = new WeakMap<ActorSystem, Counted>();

/**
 * What is missing, without waiting: counting may take seconds, so it goes on behind the views, at most once in half a
 * minute however many ask.
 *
 * @returns null while it has never been counted
 */
export function missingView(context: OperatorContext): MissingView | null {
  const { system } = context;
  const known = counted.get(system) ?? { view: null, beganMs: Number.NEGATIVE_INFINITY, isCounting: false };
  counted.set(system, known);
  if (!known.isCounting && performance.now() - known.beganMs >= FRESH_FOR_MS) void recount(context, known);
  return known.view;
}

async function recount({ system, database, clock, config }: OperatorContext, known: Counted): Promise<void> {
  known.isCounting = true;
  known.beganMs = performance.now();
  const now = clock.now();
  try {
    const overdueDays = config.reconciliation_overdue_days;
    const rows = await missingByEnvelope(database.sql, { overdueDays, now, limit: ENVELOPES_MAX });
    known.view = {
      asOf: now,
      count: rows.reduce((sum, { count }) => sum + count, 0),
      since: rows[0]?.since ?? null,
      byEnvelope: new Map(rows.map(({ disbursement_envelope_id: id, ...sum }) => [id, sum])),
    };
  } catch (error) {
    system.store.observer.troubled('missing payments', error);
  } finally {
    known.isCounting = false;
  }
}
