import { describe, expect, it } from 'vitest';
import {
  BATCH_REGIONS,
  type BatchEvent,
  type BatchRegion,
  BENEFIT_TYPES,
  type BenefitType,
  batchMachine,
} from '../../src/machines/batch.ts';
import { batchRecord, type Effect, later, newBatch, run, START, seen, stageOf, step } from './records.ts';
import { type Consequence, type MachineRules, processStatus, type RegionEvent, type World } from './table.ts';
import { beginnings, Coverage, stageEvents, walkEverywhere } from './walks.ts';

/** Where a batch starts and what it passes, as the pipeline's table has it. */
const STAGES: Record<BenefitType, readonly BatchRegion[]> = {
  CASH_DIGITAL: ['fa_resolution', 'sponsor_bank_dispatch'],
  CASH_PHYSICAL: ['geo_resolution', 'warehouse_allocation', 'agency_allocation', 'sponsor_bank_dispatch'],
  COMMODITY: ['geo_resolution', 'warehouse_allocation', 'agency_allocation'],
  SERVICE: ['geo_resolution', 'warehouse_allocation', 'agency_allocation'],
  COMBINATION: ['geo_resolution', 'warehouse_allocation', 'agency_allocation'],
};

const MAX_ATTEMPTS = 2;

const question = (at: Date): Effect => ({
  type: 'tell',
  params: { to: 'envelope', id: 'envelope-1', event: { type: 'batch_ready', batch: 'batch-1', at } },
});

const allocated = (notify: boolean, at: Date): Effect => ({
  type: 'tell',
  params: { to: 'geo', childrenOf: 'batch-1', event: { type: 'allocated', notify, at } },
});

/** The next stage of the benefit type becomes due at once; payment waits for the envelope, which is asked. */
function next(benefitType: BenefitType, after: BatchRegion | null, at: Date): Omit<Consequence, 'world'> {
  const stages = STAGES[benefitType];
  const region = after === null ? stages[0] : stages[stages.indexOf(after) + 1];
  if (region === undefined) return {};
  if (region !== 'sponsor_bank_dispatch') return { raised: [{ type: `${region}.enable`, at, dueAt: at }] };
  return { raised: [{ type: 'sponsor_bank_dispatch.enable', at, dueAt: null }], effects: [question(at)] };
}

/** Whatever waits is called off; only geo records that have heard of their agency have anybody to tell. */
const cancelled = ({ value }: World, at: Date): Omit<Consequence, 'world'> => ({
  raised: [
    { type: 'fa_resolution.cancel', at },
    { type: 'geo_resolution.cancel', at },
    { type: 'warehouse_allocation.cancel', at },
    { type: 'agency_allocation.cancel', at },
    { type: 'sponsor_bank_dispatch.cancel', at },
  ],
  effects:
    value.agency_allocation !== 'PROCESSED'
      ? []
      : [{ type: 'tell', params: { to: 'geo', childrenOf: 'batch-1', event: { type: 'cancel', at } } }],
});

/** Without some of its disbursements a batch is resolved again, or located again unless people have been told. */
function begunAnew(benefitType: BenefitType, { value }: World, at: Date): Omit<Consequence, 'world'> {
  if (benefitType === 'CASH_DIGITAL') {
    return value.fa_resolution === 'PROCESSED'
      ? {}
      : { raised: [{ type: 'fa_resolution.restart', at, dueAt: at }] };
  }
  if (value.agency_allocation === 'PROCESSED') return {};
  return {
    raised: [
      { type: 'geo_resolution.restart', at, dueAt: at },
      { type: 'warehouse_allocation.reset', at },
      { type: 'agency_allocation.reset', at },
    ],
  };
}

const rules = (benefitType: BenefitType): MachineRules => ({
  regions: {
    fa_resolution: processStatus('releasable', 'restartable'),
    geo_resolution: processStatus('releasable', 'restartable'),
    warehouse_allocation: processStatus('restartable'),
    agency_allocation: processStatus('restartable'),
    sponsor_bank_dispatch: processStatus('releasable'),
  },
  maxAttempts: MAX_ATTEMPTS,
  onEvent: (world, { type, at }) => {
    if (type === 'received') return { world, ...next(benefitType, null, at) };
    return { world, ...(type === 'cancel' ? cancelled(world, at) : begunAnew(benefitType, world, at)) };
  },
  onProcessed: (world, region, event) => {
    const { raised = [], effects = [] } = next(benefitType, region as BatchRegion, event.at);
    const told =
      region === 'agency_allocation'
        ? [allocated((event as AgencyAllocated & RegionEvent).notify, event.at)]
        : [];
    return { world, raised, effects: [...told, ...effects] };
  },
});

/** Allocating agencies succeeds with word on whether anybody is to be notified. */
type AgencyAllocated = Extract<BatchEvent, { type: 'agency_allocation.succeeded' }>;

const eventsOf = (snapshot: unknown, region: BatchRegion, at: Date): BatchEvent[] =>
  stageEvents(snapshot, region, at).flatMap((event): BatchEvent[] =>
    event.type === 'agency_allocation.succeeded'
      ? [true, false].map((notify): AgencyAllocated => ({ ...event, notify }))
      : [event],
  );

describe('a batch', () => {
  it('does in every state what the table says, and every transition is walked', () => {
    const coverage = new Coverage(batchMachine);
    for (const benefitType of BENEFIT_TYPES) {
      walkEverywhere(
        {
          machine: batchMachine,
          input: batchRecord(benefitType, MAX_ATTEMPTS),
          events: (snapshot, at): BatchEvent[] => [
            { type: 'received', at },
            { type: 'cancel', at },
            { type: 'disbursements_cancelled', at },
            ...BATCH_REGIONS.flatMap((region) => [
              { type: `${region}.due`, at, dueAt: later(at, 2) } as const,
              ...eventsOf(snapshot, region, at),
            ]),
          ],
          rules: rules(benefitType),
        },
        coverage,
      );
    }
    // Only payment is ever enabled without a time, and few stages begin anew by themselves; the others could.
    for (const region of BATCH_REGIONS) {
      const events = (snapshot: unknown, at: Date): BatchEvent[] => [
        ...(beginnings(region, at) as BatchEvent[]),
        ...eventsOf(snapshot, region, at),
      ];
      const type = STAGES.SERVICE.includes(region) ? 'SERVICE' : 'CASH_DIGITAL';
      const record = batchRecord(type, MAX_ATTEMPTS);
      walkEverywhere({ machine: batchMachine, input: record, events, rules: rules(type) }, coverage);
    }
    expect(coverage.missed()).toEqual([]);
    expect(coverage.states).toBeGreaterThan(100);
  });

  it.each(BENEFIT_TYPES)('of %s starts where the table says and passes exactly its stages', (benefitType) => {
    let batch = newBatch(benefitType);
    let at = START;
    const passed: BatchRegion[] = [];
    const send = (event: BatchEvent) => {
      batch = step(batchMachine, batch, event).snapshot;
    };
    const pending = () => BATCH_REGIONS.filter((region) => seen(batch).value[region] === 'PENDING');
    send({ type: 'received', at });
    for (let open = pending(); open.length > 0; open = pending()) {
      const [region, ...others] = open;
      expect(others).toEqual([]);
      if (region === undefined) break;
      passed.push(region);
      at = later(at);
      // Only payment waits for somebody else; everything else is due as soon as it is pending.
      expect(stageOf(batch, region).dueAt === null).toBe(region === 'sponsor_bank_dispatch');
      send({ type: `${region}.dispatch`, at, job: 'j' });
      send({ type: `${region}.succeeded`, at, job: 'j', notify: true });
    }
    expect(passed).toEqual(STAGES[benefitType]);
    expect(seen(batch).value).toEqual(
      Object.fromEntries(
        BATCH_REGIONS.map((region) => [region, passed.includes(region) ? 'PROCESSED' : 'NOT_APPLICABLE']),
      ),
    );
  });

  it.each([true, false])('tells its geo records once that they are allocated, notify: %s', (notify) => {
    const { snapshot, effects } = run(batchMachine, newBatch('COMMODITY'), [
      { type: 'received', at: START },
      ...(['geo_resolution', 'warehouse_allocation'] as const).flatMap((region): BatchEvent[] => [
        { type: `${region}.dispatch`, at: START, job: 'j' },
        { type: `${region}.succeeded`, at: START, job: 'j' },
      ]),
      { type: 'agency_allocation.dispatch', at: START, job: 'j' },
      { type: 'agency_allocation.succeeded', at: later(START), job: 'j', notify },
      { type: 'agency_allocation.succeeded', at: later(START), job: 'j', notify },
    ]);
    expect(effects.filter(({ type }) => type === 'tell')).toEqual([allocated(notify, later(START))]);
    expect(seen(snapshot).value.agency_allocation).toBe('PROCESSED');
  });
});
