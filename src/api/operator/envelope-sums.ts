import type { Tx } from '../../db/connection.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import {
  blockedQuantity,
  type EnvelopeStateOnWire,
  envelopeStateOf,
  envelopeTables,
} from './envelope-rows.ts';
import type { Overview } from './wire/overview.ts';

/** What takes no longer is read for everybody who asks, in milliseconds. */
const QUICK_MS = 500;
/** What takes longer is used for so many times as long as it took. */
const USED_TIMES = 10;

/** What all envelopes come to. */
export interface EnvelopeSums {
  readonly asOf: Date;
  readonly money: Overview['money'];
  readonly envelopes: Overview['envelopes'];
}

interface Latest {
  readonly sums: EnvelopeSums;
  /** How long it took to read, in milliseconds. */
  readonly tookMs: number;
  /** When it was read, by the process's own clock, in milliseconds. */
  readonly readAtMs: number;
  /** Somebody reads the next ones. */
  isBeingRenewed: boolean;
}

const latest = new WeakMap<ActorSystem, Latest>();

/**
 * Sums over all envelopes that there have ever been. Once there are so many that this takes time, it is done again only
 * after a while: however many people look, a process spends no more than a small part of its time on it.
 *
 * @param now the present moment
 */
export async function envelopeSums(system: ActorSystem, tx: Tx, now: Date): Promise<EnvelopeSums> {
  const known = latest.get(system);
  if (known && isStillOfUse(known)) return known.sums;
  const beganMs = performance.now();
  if (known) known.isBeingRenewed = true;
  try {
    const sums = { asOf: now, money: await moneyOf(tx), envelopes: await envelopesByState(tx) };
    const readAtMs = performance.now();
    latest.set(system, { sums, tookMs: readAtMs - beganMs, readAtMs, isBeingRenewed: false });
    return sums;
  } finally {
    if (known) known.isBeingRenewed = false;
  }
}

const isStillOfUse = ({ tookMs, readAtMs, isBeingRenewed }: Latest): boolean =>
  tookMs > QUICK_MS && (isBeingRenewed || performance.now() - readAtMs < USED_TIMES * tookMs);

/** The cash of all envelopes that stand, unit by unit. A statement may come before the bank's answer to the payments. */
async function moneyOf(tx: Tx): Promise<Overview['money']> {
  return tx<Overview['money']>`
    select e.measurement_unit,
      sum(e.total_disbursement_quantity) as declared,
      sum(r.total_disbursement_quantity_received) as received,
      sum(${blockedQuantity(tx)}) as blocked,
      sum(b.quantity_shipped) as shipped,
      sum(b.quantity_reconciled) as reconciled,
      sum(b.quantity_reversed) as reversed,
      sum(greatest(b.quantity_shipped - b.quantity_reconciled, 0)) as in_flight
    from ${envelopeTables(tx)}
    where e.cancellation_status <> 'Cancelled' and e.benefit_type in ('CASH_DIGITAL', 'CASH_PHYSICAL')
    group by e.measurement_unit order by e.measurement_unit`;
}

async function envelopesByState(tx: Tx): Promise<Overview['envelopes']> {
  const rows = await tx<{ state: EnvelopeStateOnWire; count: number }[]>`
    select state, count(*)::int as count
    from (select ${envelopeStateOf(tx)} as state from ${envelopeTables(tx)}) states group by state`;
  const none = { receiving: 0, under_way: 0, needs_attention: 0, complete: 0, cancelled: 0 };
  return { ...none, ...Object.fromEntries(rows.map(({ state, count }) => [state, count])) };
}
