import type { BenefitType } from '../../src/machines/batch.ts';
import type { EnvelopeEvent, EnvelopeFacts } from '../../src/machines/envelope.ts';
import type { Effect } from './records.ts';
import {
  type Consequence,
  FUNDS_AVAILABLE,
  FUNDS_BLOCKED,
  type MachineRules,
  processStatus,
  type RegionEvent,
  type World,
} from './table.ts';

/** What an envelope does besides the table's rows, written down by hand: what its machine is checked against. */

type Event<T extends EnvelopeEvent['type']> = Extract<EnvelopeEvent, { type: T }>;

export const factsOf = (world: World) => world.facts as unknown as EnvelopeFacts;
const withFacts = (world: World, facts: Partial<EnvelopeFacts>): World => ({
  ...world,
  facts: { ...world.facts, ...facts },
});
export const isCash = (benefitType: BenefitType) =>
  benefitType === 'CASH_DIGITAL' || benefitType === 'CASH_PHYSICAL';

/** The amounts of the walks, in hundredths: the model adds whole numbers, never texts. */
export const hundredths = (text: string) => Math.round(Number(text) * 100);

const toBatch = (event: object, to: { id: string } | { childrenOf: string }): Effect => ({
  type: 'tell',
  params: { to: 'batch', ...to, event },
});
const permission = (at: Date) => ({ type: 'sponsor_bank_dispatch.due', at, dueAt: at });
const withReceipt = (world: World, receipt: 'RECEIVING' | 'RECEIVED'): World =>
  world.value.receipt === receipt ? world : { ...world, value: { ...world.value, receipt } };

/** Declared and received numbers and quantities. */
interface Totals {
  readonly number: number;
  readonly total: number;
  readonly declaredNumber: number;
  readonly declaredTotal: number;
}

const totalsOf = (facts: EnvelopeFacts): Totals => ({
  number: facts.number_of_disbursements_received,
  total: hundredths(facts.total_disbursement_quantity_received),
  declaredNumber: facts.number_of_disbursements,
  declaredTotal: hundredths(facts.total_disbursement_quantity),
});
const isPossible = ({ number, total, declaredNumber, declaredTotal }: Totals) =>
  number >= 0 && total >= 0 && number <= declaredNumber && total <= declaredTotal;
const isComplete = ({ number, total, declaredNumber, declaredTotal }: Totals) =>
  number === declaredNumber && total === declaredTotal;

function received(world: World, { count, quantity, at }: Event<'batch_received'>): Consequence {
  const facts = factsOf(world);
  const before = totalsOf(facts);
  const after = { ...before, number: before.number + count, total: before.total + hundredths(quantity) };
  if (!isPossible(after) || world.value.receipt === 'RECEIVED' || facts.cancellation_timestamp)
    return { world };
  const next = withFacts(world, {
    number_of_disbursements_received: after.number,
    total_disbursement_quantity_received: String(after.total / 100),
  });
  if (!isComplete(after)) return { world: next };
  return {
    world: withReceipt(next, 'RECEIVED'),
    raised: [{ type: 'funds_available.due', at, dueAt: laterOf(facts.funds_due_from, at) }],
  };
}

const laterOf = (a: Date, b: Date) => (a > b ? a : b);

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

/** The bank was, or is just being, asked for a block, and nobody knows what came of it. */
export const isInTheDark = (world: World) =>
  factsOf(world).funds_blocked_reference_number === null &&
  world.stages.funds_blocked?.submittedAt instanceof Date;

/** A block is on its way back to the account, or should be and cannot. */
const isGivingBack = (world: World) =>
  ['PENDING', 'PROCESSING', 'ERROR'].includes(world.value.funds_released ?? '');

/** A block there is, and another one is still on its way back. */
const mustWaitToGiveBack = (world: World) =>
  factsOf(world).funds_blocked_reference_number !== null && isGivingBack(world);

/** Has the bank free the block that there is. */
function givenBack(world: World, at: Date): Consequence {
  const reference = factsOf(world).funds_blocked_reference_number;
  if (reference === null) return { world };
  return {
    world: withFacts(world, { funds_released_reference_number: reference }),
    raised: [{ type: 'funds_released.restart', at, dueAt: at }],
  };
}

function cancelled(world: World, at: Date): Consequence {
  if (permitted(world) || factsOf(world).cancellation_timestamp || mustWaitToGiveBack(world))
    return { world };
  const value = { ...world.value, cancellation: 'Cancelled' };
  return givenBack(withFacts({ ...world, value }, { cancellation_timestamp: at }), at);
}

/** Totals or date are others, if they can still be, so that money has to be asked for anew. */
function changed(world: World, after: EnvelopeFacts, inVain: boolean, at: Date): Consequence {
  const totals = totalsOf(after);
  const stands = !factsOf(world).cancellation_timestamp;
  const may = stands && !permitted(world) && !isInTheDark(world) && !mustWaitToGiveBack(world);
  if (!may || !isPossible(totals)) return { world };
  const complete = isComplete(totals);
  const next = withReceipt({ ...world, facts: { ...after } }, complete ? 'RECEIVED' : 'RECEIVING');
  if (inVain || !isCash(after.benefit_type)) return { world: next };
  const { world: then, raised = [] } = givenBack(next, at);
  return {
    world: withFacts(then, { funds_blocked_reference_number: null }),
    raised: [
      ...raised,
      {
        type: 'funds_available.restart',
        at,
        dueAt: complete ? laterOf(after.funds_due_from, at) : null,
      },
      { type: 'funds_blocked.restart', at, dueAt: null },
    ],
  };
}

function amended(world: World, event: Event<'amend'>): Consequence {
  const before = factsOf(world);
  const { number_of_disbursements, total_disbursement_quantity, funds_due_from } = event;
  const inVain =
    number_of_disbursements === before.number_of_disbursements &&
    hundredths(total_disbursement_quantity) === hundredths(before.total_disbursement_quantity) &&
    funds_due_from.getTime() === before.funds_due_from.getTime();
  const after = { ...before, number_of_disbursements, total_disbursement_quantity, funds_due_from };
  return changed(world, after, inVain, event.at);
}

function withoutDisbursements(
  world: World,
  { count, quantity, at }: Event<'disbursements_cancelled'>,
): Consequence {
  const before = factsOf(world);
  const left = hundredths(before.total_disbursement_quantity_received) - hundredths(quantity);
  const after = {
    ...before,
    number_of_disbursements_received: before.number_of_disbursements_received - count,
    total_disbursement_quantity_received: String(left / 100),
  };
  return changed(world, after, false, at);
}

/** A cancelled envelope asks nothing more of the bank, but what has become of a block it may have made. */
function settle(world: World, { at }: RegionEvent): World {
  if (!factsOf(world).cancellation_timestamp || isInTheDark(world)) return world;
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
        raised: [
          { type: 'funds_available.enable', at, dueAt: null },
          { type: 'funds_blocked.enable', at, dueAt: null },
        ],
      };
    case 'batch_received':
      return received(world, event as Event<'batch_received'>);
    case 'batch_ready':
      return batchReady(world, event as Event<'batch_ready'>);
    case 'cancel':
      return cancelled(world, at);
    case 'amend':
      return amended(world, event as unknown as Event<'amend'>);
    case 'disbursements_cancelled':
      return withoutDisbursements(world, event as Event<'disbursements_cancelled'>);
    default: {
      const { type, count, quantity = '0' } = event as Event<'shipped' | 'reconciled' | 'reversed'>;
      const number = `number_of_disbursements_${type}` as const;
      const sum = `quantity_${type}` as const;
      return {
        world: withFacts(world, {
          [number]: facts[number] + count,
          [sum]: String((hundredths(facts[sum]) + hundredths(quantity)) / 100),
        }),
      };
    }
  }
}

function onProcessed(world: World, region: string, event: RegionEvent): Consequence {
  const { at } = event;
  const { cancellation_timestamp: cancelledAt, ...facts } = factsOf(world);
  if (region === 'funds_available') return { world, raised: [{ type: 'funds_blocked.due', at, dueAt: at }] };
  if (region === 'funds_released') {
    // Another block may have come of what was under way at the cancellation.
    const another = facts.funds_blocked_reference_number !== facts.funds_released_reference_number;
    if (cancelledAt && another) return givenBack(world, at);
    // What was short of money is asked for again.
    const short = { funds_available: 'FUNDS_NOT_AVAILABLE', funds_blocked: 'FUNDS_BLOCK_FAILURE' };
    return {
      world,
      raised: Object.entries(short)
        .filter(([one, state]) => world.value[one] === state)
        .map(([one]) => ({ type: `${one}.restart`, at, dueAt: at })),
    };
  }
  const { reference } = event as Event<'funds_blocked.succeeded'>;
  const blocked = withFacts(world, { funds_blocked_reference_number: reference });
  if (cancelledAt) return isGivingBack(world) ? { world: blocked } : givenBack(blocked, at);
  return {
    world: blocked,
    effects: permitted(world) ? [toBatch(permission(at), { childrenOf: 'envelope-1' })] : [],
  };
}

/** The rules of an envelope. */
export const envelopeRules = (maxAttempts: number): MachineRules => ({
  regions: {
    funds_available: FUNDS_AVAILABLE,
    funds_blocked: FUNDS_BLOCKED,
    funds_released: processStatus('releasable', 'restartable'),
  },
  maxAttempts,
  onEvent,
  onProcessed,
  settle,
});
