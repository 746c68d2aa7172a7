import { type ReplayedEntry, replay } from '../../chaos/invariants/replay.ts';
import type { Simulation } from './simulation.ts';
import { ACTORS, type OrderFacts } from './toys.ts';

type Row = Readonly<Record<string, unknown>>;

/** What must hold when all is quiet, and does not. */
export function violationsOf(simulation: Simulation): string[] {
  const { tables } = simulation;
  const orders = tables.actors('order').select(null) as (OrderFacts & Row)[];
  const items = tables.actors('item').select(null);
  return [
    ...simulation.violations,
    ...items.flatMap((item) => ofItem(simulation, item)),
    ...orders.flatMap((order) => ofOrder(simulation, order, items)),
    ...ACTORS.flatMap((actor) => {
      const entries = Map.groupBy(
        tables.journal.select(null, ({ machine }) => machine === actor.name).sort((a, b) => a.seq - b.seq),
        ({ actor_id }) => actor_id,
      );
      return tables
        .actors(actor.name)
        .select(null)
        .flatMap((row) => replayed(actor, row, entries.get(String(row.id)) ?? []));
    }),
  ];
}

function ofItem({ bank, tables, schedule }: Simulation, item: Row): string[] {
  const id = String(item.id);
  const found: string[] = [];
  const paid = bank.paid.get(id) ?? 0;
  if (paid > 1) found.push(`${id} was paid ${paid} times`);
  if (item.pay_status === 'PROCESSED' && paid !== 1)
    found.push(`${id} counts as paid and was paid ${paid} times`);
  if (paid === 1 && item.pay_status === 'ERROR' && schedule.bankKnowsKeys && !gaveUp(item))
    found.push(`${id} was paid and is in ERROR for ${item.pay_latest_error_code}`);
  const succeeded = tables.journal.select(
    null,
    (entry) => entry.actor_id === id && entry.region === 'check' && entry.event === 'succeeded',
  ).length;
  const notes = tables.notes.select(null, (note) => note.item === id).length;
  // A result that was told by mail, since the row could not be read, may find that the work was begun anew.
  const mayBeLate = schedule.acts.some(({ act }) => act === 'damage');
  if (notes < succeeded || (notes > succeeded && !mayBeLate))
    found.push(`${id} succeeded ${succeeded} times and has ${notes} notes`);
  return found;
}

/** When no attempt is left, the last one may have failed before it could ask the bank about those before it. */
const gaveUp = (item: Row) => Number(item.pay_attempts) >= 3;

function ofOrder({ tables }: Simulation, order: OrderFacts & Row, all: readonly Row[]): string[] {
  const found: string[] = [];
  const items = all.filter((item) => item.order_id === order.id);
  const paid = items.filter((item) => item.pay_status === 'PROCESSED').map((item) => String(item.id));
  if ([...order.heard].sort().join() !== paid.sort().join())
    found.push(`${order.id} heard of ${order.heard.join()} and ${paid.join()} were paid`);
  const closed = paid.length === items.length;
  if ((order.state_status === 'CLOSED') !== closed) found.push(`${order.id} is ${order.state_status}`);
  for (const item of items) {
    if (item.closings !== (closed ? 1 : 0))
      found.push(`${item.id} heard ${item.closings} times that its order closed`);
    const ends = tables.journal
      .select(
        null,
        (entry) =>
          entry.actor_id === item.id &&
          entry.region === 'pay' &&
          entry.from_state === 'PROCESSING' &&
          ['succeeded', 'refused', 'failed', 'stale'].includes(entry.event),
      )
      .sort((a, b) => a.seq - b.seq)
      .map((_, n) => `${item.id} ${n}`);
    const heard = order.tries.filter((tried) => tried.startsWith(`${item.id} `));
    if (ends.join() !== heard.join())
      found.push(`${order.id} heard of the tries ${heard.join()}, made: ${ends.join()}`);
  }
  return found;
}

function replayed(actor: (typeof ACTORS)[number], row: Row, entries: readonly ReplayedEntry[]): string[] {
  const columns = replay(actor, entries);
  return Object.entries(columns)
    .filter(([name, value]) => !same(value, row[name]) && !name.endsWith('submitted_at'))
    .map(([name, value]) => `${row.id}: the journal says ${name} is ${value}, the row says ${row[name]}`);
}

const same = (a: unknown, b: unknown) =>
  a instanceof Date && b instanceof Date ? a.getTime() === b.getTime() : a === b;
