import { describe, expect, it } from 'vitest';
import {
  ENVELOPE_REGIONS,
  type EnvelopeEvent,
  type EnvelopeFacts,
  envelopeMachine,
} from '../../src/machines/envelope.ts';
import { envelopeRules, factsOf, hundredths, isInTheDark } from './envelope-model.ts';
import { envelopeRecord, later, newEnvelope, run, SCHEDULED, START, seen, stageOf } from './records.ts';
import type { World } from './table.ts';
import { beginnings, Coverage, stageEvents, walkEverywhere, worldOf } from './walks.ts';

const MAX_ATTEMPTS = 2;
const rules = envelopeRules(MAX_ATTEMPTS);

const totals = (at: Date, number: number, quantity: string, from = SCHEDULED) =>
  ({
    type: 'amend',
    at,
    number_of_disbursements: number,
    total_disbursement_quantity: quantity,
    funds_due_from: from,
  }) as const;
const received = (at: Date, count: number, quantity: string) =>
  ({ type: 'batch_received', at, count, quantity }) as const;
const cancelledOf = (at: Date, count: number, quantity: string) =>
  ({ type: 'disbursements_cancelled', at, count, quantity }) as const;

/** What tells envelopes apart besides their stages: amounts by value, and what is known of blocks. */
const apart = (world: World) => {
  const facts = factsOf(world);
  return [
    facts.number_of_disbursements,
    hundredths(facts.total_disbursement_quantity),
    facts.number_of_disbursements_received,
    hundredths(facts.total_disbursement_quantity_received),
    facts.number_of_batches_ready,
    facts.funds_blocked_reference_number === null,
    facts.funds_blocked_reference_number === facts.funds_released_reference_number,
    isInTheDark(world),
  ];
};

/** More ready batches are no different from one. */
const ready = (facts: EnvelopeFacts, at: Date): EnvelopeEvent[] =>
  facts.number_of_batches_ready < 1 ? [{ type: 'batch_ready', at, batch: 'batch-1' }] : [];

/** Receipt in all its ways; of an envelope in kind, which has no money to wait for. */
function eventsInKind(_: unknown, at: Date): EnvelopeEvent[] {
  return [
    { type: 'created', at },
    received(at, 1, '0.1'),
    received(at, 1, '0.2'),
    received(at, 1, '0'),
    received(at, 2, '0.30'),
    received(at, 1, '0.31'),
    received(at, 3, '0.1'),
    { type: 'cancel', at },
    totals(at, 2, '0.3'),
    totals(at, 2, '0.30', START),
    totals(at, 1, '0.1'),
    cancelledOf(at, 1, '0.1'),
    cancelledOf(at, 2, '0.30'),
    cancelledOf(at, 1, '0.31'),
    cancelledOf(at, 3, '0.1'),
    { type: 'shipped', at, count: 3, quantity: '0.6' },
    { type: 'reconciled', at, count: 2, quantity: '0.25' },
    { type: 'reversed', at, count: 1 },
  ];
}

/** Money in all its ways, with a receipt that is simple; what is given back takes the straight way only. */
function eventsOfMoney(snapshot: unknown, at: Date): EnvelopeEvent[] {
  const facts = factsOf(worldOf(snapshot));
  if (stageOf(snapshot, 'funds_available').timestamp === null) return [{ type: 'created', at }];
  return [
    received(at, 2, '0.3'),
    ...ready(facts, at),
    { type: 'cancel', at },
    totals(at, 2, '0.30'),
    totals(at, 2, '0.3', START),
    cancelledOf(at, 2, '0.3'),
    ...stageEvents(snapshot, 'funds_available', at),
    ...(stageEvents(snapshot, 'funds_blocked', at) as EnvelopeEvent[]),
    ...straight(snapshot, 'funds_released', at),
  ];
}

/** A stage that is done well at the first attempt. */
function straight(
  snapshot: unknown,
  region: 'funds_available' | 'funds_released',
  at: Date,
): EnvelopeEvent[] {
  const { jobId, dueAt } = stageOf(snapshot, region);
  if (jobId !== null) return [{ type: `${region}.succeeded`, at, job: jobId }];
  return dueAt === null ? [] : [{ type: `${region}.dispatch`, at, job: `job-${at.getTime()}` }];
}

/** The way back of a block, also of a second one, in all its ways; the others take the straight way. */
function eventsOfReturn(snapshot: unknown, at: Date): EnvelopeEvent[] {
  if (stageOf(snapshot, 'funds_available').timestamp === null) return [{ type: 'created', at }];
  const { jobId, dueAt } = stageOf(snapshot, 'funds_blocked');
  const job = jobId ?? `job-${at.getTime()}`;
  const ofBlock: EnvelopeEvent[] =
    jobId === null
      ? [{ type: 'funds_blocked.dispatch', at, job }]
      : [
          { type: 'funds_blocked.submitting', at, job },
          { type: 'funds_blocked.succeeded', at, job, reference: `BLOCK-${job}` },
        ];
  return [
    received(at, 2, '0.3'),
    { type: 'cancel', at },
    totals(at, 2, '0.3', START),
    ...straight(snapshot, 'funds_available', at),
    ...(jobId === null && dueAt === null ? [] : ofBlock),
    ...stageEvents(snapshot, 'funds_released', at),
  ];
}

describe('an envelope', () => {
  it('does in every state what the table says, and every transition is walked', () => {
    const coverage = new Coverage(envelopeMachine);
    const walk = (
      benefit_type: 'CASH_DIGITAL' | 'COMMODITY',
      events: (snapshot: unknown, at: Date) => EnvelopeEvent[],
    ) => {
      const input = envelopeRecord({ benefit_type }, MAX_ATTEMPTS);
      walkEverywhere({ machine: envelopeMachine, input, events, more: apart, rules }, coverage);
    };
    walk('COMMODITY', eventsInKind);
    walk('CASH_DIGITAL', eventsOfMoney);
    walk('CASH_DIGITAL', eventsOfReturn);
    // What stages send to themselves only now and then.
    for (const region of ENVELOPE_REGIONS) {
      walk('CASH_DIGITAL', (snapshot, at) => [
        ...(beginnings(region, at) as EnvelopeEvent[]),
        ...(stageEvents(snapshot, region, at) as EnvelopeEvent[]),
      ]);
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
      funds_released: 'NOT_APPLICABLE',
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
