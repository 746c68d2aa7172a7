import { describe, expect, it } from 'vitest';
import type { BenefitType } from '../../src/machines/batch.ts';
import { type EnvelopeEvent, type EnvelopeFacts, envelopeMachine } from '../../src/machines/envelope.ts';
import {
  type Effect,
  envelopeRecord,
  later,
  newEnvelope,
  run,
  SCHEDULED,
  START,
  seen,
  stageOf,
} from './records.ts';
import {
  type Consequence,
  FUNDS_AVAILABLE,
  FUNDS_BLOCKED,
  type MachineRules,
  type RegionEvent,
  type World,
} from './table.ts';
import { Coverage, stageEvents, walkEverywhere } from './walks.ts';

const MAX_ATTEMPTS = 2;

type Event<T extends EnvelopeEvent['type']> = Extract<EnvelopeEvent, { type: T }>;

const factsOf = (world: World) => world.facts as unknown as EnvelopeFacts;
const withFacts = (world: World, facts: Partial<EnvelopeFacts>): World => ({
  ...world,
  facts: { ...world.facts, ...facts },
});
const isCash = (benefitType: BenefitType) =>
  benefitType === 'CASH_DIGITAL' || benefitType === 'CASH_PHYSICAL';

/** The amounts of the walks, in hundredths: the model adds whole numbers, never texts. */
const hundredths = (text: string) => Math.round(Number(text) * 100);

const toBatch = (event: object, to: { id: string } | { childrenOf: string }): Effect => ({
  type: 'tell',
  params: { to: 'batch', ...to, event },
});
const permission = (at: Date) => ({ type: 'sponsor_bank_dispatch.due', at, dueAt: at });

function received(world: World, { count, quantity, at }: Event<'batch_received'>): Consequence {
  const facts = factsOf(world);
  const number = facts.number_of_disbursements_received + count;
  const total = hundredths(facts.total_disbursement_quantity_received) + hundredths(quantity);
  const declared = hundredths(facts.total_disbursement_quantity);
  const fits = number <= facts.number_of_disbursements && total <= declared;
  if (!fits || world.value.receipt === 'RECEIVED' || facts.cancellation_timestamp) return { world };
  const next = withFacts(world, {
    number_of_disbursements_received: number,
    total_disbursement_quantity_received: String(total / 100),
  });
  if (number < facts.number_of_disbursements || total < declared) return { world: next };
  return {
    world: { ...next, value: { ...next.value, receipt: 'RECEIVED' } },
    raised: [{ type: 'funds_available.due', at, dueAt: at < SCHEDULED ? SCHEDULED : at }],
  };
}

function batchReady(world: World, { batch, at }: Event<'batch_ready'>): Consequence {
  const facts = factsOf(world);
  if (facts.cancellation_timestamp) {
    return { world, effects: [toBatch({ type: 'sponsor_bank_dispatch.cancel', at }, { id: batch })] };
  }
  const next = withFacts(world, { number_of_batches_ready: facts.number_of_batches_ready + 1 });
  const blocked = world.value.funds_blocked === 'FUNDS_BLOCK_SUCCESS';
  return { world: next, effects: blocked ? [toBatch(permission(at), { id: batch })] : [] };
}

const permitted = (world: World) =>
  world.value.funds_blocked === 'FUNDS_BLOCK_SUCCESS' && factsOf(world).number_of_batches_ready > 0;

function cancelled(world: World, at: Date): Consequence {
  if (permitted(world) || factsOf(world).cancellation_timestamp) return { world };
  const regions = [
    'fa_resolution',
    'geo_resolution',
    'warehouse_allocation',
    'agency_allocation',
    'sponsor_bank_dispatch',
  ];
  return {
    world: withFacts(
      { ...world, value: { ...world.value, cancellation: 'Cancelled' } },
      { cancellation_timestamp: at },
    ),
    effects: regions.map((region) => toBatch({ type: `${region}.cancel`, at }, { childrenOf: 'envelope-1' })),
  };
}

/** A cancelled envelope asks nothing more of the bank: whatever waits is called off. */
function settle(world: World, { at }: RegionEvent): World {
  if (!factsOf(world).cancellation_timestamp) return world;
  const waiting = ['funds_available', 'funds_blocked'].filter((region) =>
    ['PENDING_CHECK', 'FUNDS_NOT_AVAILABLE', 'FUNDS_BLOCK_FAILURE'].includes(world.value[region] ?? ''),
  );
  if (waiting.length === 0) return world;
  const stages = { ...world.stages };
  for (const region of waiting) {
    const stage = stages[region];
    if (stage) stages[region] = { ...stage, dueAt: null, timestamp: at };
  }
  const off = Object.fromEntries(waiting.map((region) => [region, 'NOT_APPLICABLE']));
  return { ...world, value: { ...world.value, ...off }, stages };
}

function onEvent(world: World, event: RegionEvent): Consequence {
  const { at } = event;
  const facts = factsOf(world);
  switch (event.type) {
    case 'created':
      if (!isCash(facts.benefit_type)) return { world };
      return {
        world,
        raised: ['funds_available', 'funds_blocked'].map((region) => ({
          type: `${region}.enable`,
          at,
          dueAt: null,
        })),
      };
    case 'batch_received':
      return received(world, event as Event<'batch_received'>);
    case 'batch_ready':
      return batchReady(world, event as Event<'batch_ready'>);
    case 'cancel':
      return cancelled(world, at);
    default: {
      const column =
        `number_of_disbursements_${event.type as 'shipped' | 'reconciled' | 'reversed'}` as const;
      return { world: withFacts(world, { [column]: facts[column] + (event as Event<'shipped'>).count }) };
    }
  }
}

function onProcessed(world: World, region: string, { at }: RegionEvent): Consequence {
  if (region === 'funds_available') return { world, raised: [{ type: 'funds_blocked.due', at, dueAt: at }] };
  const blocked = withFacts(world, { funds_blocked_reference_number: 'BLOCK-1' });
  const tells = permitted(world) && !factsOf(world).cancellation_timestamp;
  return { world: blocked, effects: tells ? [toBatch(permission(at), { childrenOf: 'envelope-1' })] : [] };
}

const rules: MachineRules = {
  regions: { funds_available: FUNDS_AVAILABLE, funds_blocked: FUNDS_BLOCKED },
  maxAttempts: MAX_ATTEMPTS,
  onEvent,
  onProcessed,
  settle,
};

function eventsFromOutside(snapshot: unknown, at: Date): EnvelopeEvent[] {
  const { facts } = seen(snapshot).context as unknown as { facts: EnvelopeFacts };
  if (stageOf(snapshot, 'funds_available').timestamp === null && isCash(facts.benefit_type)) {
    return [{ type: 'created', at }];
  }
  const amounts = [
    [1, '0.1'],
    [1, '0.2'],
    [1, '0.30'],
    [1, '0'],
    [2, '0.3'],
    [1, '0.21'],
    [2, '0.31'],
    [3, '0.1'],
  ] as const;
  return [
    { type: 'created', at },
    ...amounts.map(([count, quantity]) => ({ type: 'batch_received', at, count, quantity }) as const),
    // More ready batches are no different from one.
    ...(facts.number_of_batches_ready < 1 ? [{ type: 'batch_ready', at, batch: 'batch-1' } as const] : []),
    { type: 'cancel', at },
    { type: 'shipped', at, count: 3 },
    { type: 'reconciled', at, count: 2 },
    { type: 'reversed', at, count: 1 },
    ...stageEvents(snapshot, 'funds_available', at),
    ...(stageEvents(snapshot, 'funds_blocked', at) as EnvelopeEvent[]),
  ];
}

describe('an envelope', () => {
  it('does in every state what the table says, and every transition is walked', () => {
    const coverage = new Coverage(envelopeMachine);
    for (const benefit_type of ['CASH_DIGITAL', 'COMMODITY'] as const) {
      walkEverywhere(
        {
          machine: envelopeMachine,
          input: envelopeRecord({ benefit_type }, MAX_ATTEMPTS),
          events: eventsFromOutside,
          facts: (facts) => [
            facts.number_of_disbursements_received,
            facts.total_disbursement_quantity_received,
            facts.number_of_batches_ready,
          ],
          rules,
        },
        coverage,
      );
    }
    expect(coverage.missed()).toEqual([]);
    expect(coverage.states).toBeGreaterThan(100);
  });

  it.each([
    ['CASH_DIGITAL', 'PENDING_CHECK'],
    ['CASH_PHYSICAL', 'PENDING_CHECK'],
    ['COMMODITY', 'NOT_APPLICABLE'],
    ['SERVICE', 'NOT_APPLICABLE'],
    ['COMBINATION', 'NOT_APPLICABLE'],
  ] as const)('of %s begins with its funds %s', (benefit_type, funds) => {
    const { snapshot } = run(envelopeMachine, newEnvelope({ benefit_type }), [
      { type: 'created', at: START },
    ]);
    expect(seen(snapshot).value).toEqual({
      receipt: 'RECEIVING',
      cancellation: 'Not_Cancelled',
      funds_available: funds,
      funds_blocked: funds,
    });
    expect(stageOf(snapshot, 'funds_available').dueAt).toBeNull();
  });

  it.each([
    ['on its day', START, SCHEDULED, SCHEDULED],
    ['at once when its day was missed', later(SCHEDULED, 10_000), SCHEDULED, later(SCHEDULED, 10_000)],
  ])('has its funds checked %s', (_, at, funds_due_from, due) => {
    const { snapshot } = run(envelopeMachine, newEnvelope({ funds_due_from }), [
      { type: 'created', at },
      { type: 'batch_received', at, count: 2, quantity: '0.3' },
    ]);
    expect(stageOf(snapshot, 'funds_available').dueAt).toEqual(due);
    expect(stageOf(snapshot, 'funds_blocked').dueAt).toBeNull();
  });
});
