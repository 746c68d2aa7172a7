import { describe, expect, it } from 'vitest';
import {
  BATCH_REGIONS,
  type BatchEvent,
  type BatchRegion,
  BENEFIT_TYPES,
  type BenefitType,
  batchMachine,
} from '../../src/machines/batch.ts';
import { batchRecord, type Effect, later, newBatch, START, seen, stageOf, step } from './records.ts';
import { type Consequence, type MachineRules, processStatus } from './table.ts';
import { Coverage, stageEvents, walkEverywhere } from './walks.ts';

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

/** The next stage of the benefit type becomes due at once; payment waits for the envelope, which is asked. */
function next(benefitType: BenefitType, after: BatchRegion | null, at: Date): Omit<Consequence, 'world'> {
  const stages = STAGES[benefitType];
  const region = after === null ? stages[0] : stages[stages.indexOf(after) + 1];
  if (region === undefined) return {};
  if (region !== 'sponsor_bank_dispatch') return { raised: [{ type: `${region}.enable`, at, dueAt: at }] };
  return { raised: [{ type: 'sponsor_bank_dispatch.enable', at, dueAt: null }], effects: [question(at)] };
}

const rules = (benefitType: BenefitType): MachineRules => ({
  regions: {
    fa_resolution: processStatus(true),
    geo_resolution: processStatus(true),
    warehouse_allocation: processStatus(false),
    agency_allocation: processStatus(false),
    sponsor_bank_dispatch: processStatus(true),
  },
  maxAttempts: MAX_ATTEMPTS,
  onEvent: (world, { type, at }) => ({ world, ...(type === 'received' ? next(benefitType, null, at) : {}) }),
  onProcessed: (world, region, { at }) => ({ world, ...next(benefitType, region as BatchRegion, at) }),
});

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
            ...BATCH_REGIONS.flatMap((region) => [
              { type: `${region}.due`, at, dueAt: later(at, 2) } as const,
              ...stageEvents(snapshot, region, at),
            ]),
          ],
          rules: rules(benefitType),
        },
        coverage,
      );
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
      send({ type: `${region}.succeeded`, at, job: 'j' });
    }
    expect(passed).toEqual(STAGES[benefitType]);
    expect(seen(batch).value).toEqual(
      Object.fromEntries(
        BATCH_REGIONS.map((region) => [region, passed.includes(region) ? 'PROCESSED' : 'NOT_APPLICABLE']),
      ),
    );
  });
});
