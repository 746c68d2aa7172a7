import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replay } from '../../chaos/invariants/replay.ts';
import type { Actor } from '../../src/runtime/actor.ts';
import type { SnapshotView } from '../../src/runtime/codec.ts';
import type { AnyEvent } from '../../src/runtime/compute.ts';
import type { DispatchMode } from '../../src/runtime/registry.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { type JournalRow, openShop, type Shop } from '../support/shop.ts';
import { documentActor, orderActor } from '../support/toy.ts';

let shop: Shop;
let now = new Date('2026-05-01T08:00:00Z');
const systems = {} as Record<DispatchMode, ActorSystem>;
beforeAll(async () => {
  shop = await openShop();
  const clock = { now: () => now };
  for (const mode of ['event', 'tick'] as const)
    systems[mode] = await shop.join({ works: false, mode, clock });
});
afterAll(() => shop.close());

/** What may happen to an actor; which job an event names is known only when it happens. */
interface Happening {
  readonly region: string;
  /** Index into {@link KINDS}, or into the events that the region's state reacts to. */
  readonly kind: number;
  readonly reacting: boolean;
  readonly job: 'owner' | 'another';
  readonly dueInMs: number | null;
  readonly final: boolean;
  readonly laterMs: number;
}

const KINDS = [
  'enable',
  'due',
  'dispatch',
  'submitting',
  'succeeded',
  'refused',
  'failed',
  'stale',
  'retry',
  'release',
  'cancel',
];

const happenings = (regions: readonly string[], others: readonly string[]) =>
  fc.array(
    fc.record<Happening>({
      region: fc.constantFrom(...regions, ...(others.length > 0 ? ['' as const] : [])),
      kind: fc.nat(100),
      reacting: fc.boolean(),
      job: fc.constantFrom('owner', 'owner', 'owner', 'another'),
      dueInMs: fc.constantFrom(null, 0, 0, -1_000, 60_000),
      final: fc.boolean(),
      laterMs: fc.constantFrom(0, 1, 1_500, 120_000),
    }),
    { minLength: 1, maxLength: 25 },
  );

function typeOf(
  { region, kind, reacting }: Happening,
  others: readonly string[],
  actor: Actor,
  state: string,
) {
  const one = (types: readonly string[]) => types[kind % types.length];
  if (region === '') return one(others);
  const reactsTo = Object.keys(actor.machine.states[region]?.states[state]?.config.on ?? {});
  return (reacting ? one(reactsTo) : undefined) ?? `${region}.${one(KINDS)}`;
}

function eventOf(
  happening: Happening,
  others: readonly string[],
  actor: Actor,
  seen: SnapshotView | null,
): AnyEvent {
  const { region, job, dueInMs, final } = happening;
  const type = typeOf(happening, others, actor, seen?.value[region] ?? '') ?? '';
  const owner = seen?.context.stages[region]?.jobId;
  return {
    type,
    at: now,
    pages: 3,
    job: job === 'owner' && owner ? owner : randomUUID(),
    dueAt: type.endsWith('.due') ? now : dueInMs === null ? null : new Date(now.getTime() + dueInMs),
    retryAt: new Date(now.getTime() + 5_000),
    code: 'PAPER_JAM',
    final,
  } as AnyEvent;
}

/** Lets things happen to a new actor, each in a transaction of its own or several in one. @returns its id */
async function happen(
  actor: Actor,
  mode: DispatchMode,
  list: readonly Happening[],
  others: readonly string[],
): Promise<string> {
  const system = systems[mode];
  const id = randomUUID();
  await shop.database.sql`insert into toy_orders (id) values (${id})`;
  await shop.database.sql`insert into toy_order_totals (order_id) values (${id})`;
  await shop.database.sql`insert into toy_documents (id, order_id, pages) values (${id}, 'nobody', 1)`;
  const rest = [...list];
  while (rest.length > 0) {
    const together = rest.splice(0, 1 + (rest.length % 3));
    await system.transact(async (tx) => {
      await tx.load(actor, [id]);
      for (const happening of together) {
        await tx.deliver(actor, [{ id, event: eventOf(happening, others, actor, tx.peek(actor, id)) }]);
      }
    });
    now = new Date(now.getTime() + (together[0]?.laterMs ?? 0));
  }
  return id;
}

/** The journal of an actor and its row as they are at one moment: its mail may be delivered at any time. */
const look = (table: string, id: string) =>
  shop.database.sql.begin('isolation level repeatable read', async (sql) => {
    const journal = await sql<
      JournalRow[]
    >`select * from actor_transitions where actor_id = ${id} order by seq`;
    const [row] = await sql<Record<string, unknown>[]>`select * from ${sql(table)} where id = ${id}`;
    return { journal, row: row ?? {} };
  });

describe('the journal of an actor, replayed, gives its row', () => {
  const cases = [
    {
      actor: documentActor,
      table: 'toy_documents',
      regions: ['typesetting', 'printing'],
      others: ['received'],
    },
    { actor: orderActor, table: 'toy_orders', regions: ['paper'], others: ['ordered', 'printed', 'recall'] },
  ] as const;
  for (const { actor, table, regions, others } of cases) {
    it(`whatever happens to the ${actor.name}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          happenings(regions, others),
          fc.constantFrom('event', 'tick'),
          async (list, mode) => {
            const id = await happen(actor, mode as DispatchMode, list, others);
            const { journal, row } = await look(table, id);
            const columns = replay(actor, journal);
            expect(columns).toEqual(
              Object.fromEntries(Object.keys(columns).map((name) => [name, row[name]])),
            );
          },
        ),
        { numRuns: 60 },
      );
    });
  }
});
