import { describe, expect, it } from 'vitest';
import { GEO_REGIONS, type GeoEvent, type GeoRegion, geoMachine } from '../../src/machines/geo.ts';
import { type Effect, geoRecord, later, newGeo, run, START, seen, stageOf, step } from './records.ts';
import { everyStep, GEO } from './sequences.ts';
import { type Consequence, type MachineRules, processStatus, type World } from './table.ts';
import { beginnings, Coverage, microsteps, stageEvents, walkEverywhere } from './walks.ts';

const [WAREHOUSE, AGENCY] = GEO_REGIONS;

const toBeneficiaries = (event: object): Effect => ({
  type: 'tell',
  params: { to: 'beneficiary', childrenOf: 'geo-1', event },
});
const allocated = (notify: boolean, at: Date) => ({ type: 'allocated', notify, at }) as const;
const turnOfBeneficiaries = (at: Date) =>
  toBeneficiaries({ type: 'beneficiary_notification.due', at, dueAt: at });

/** What waits is called off, and the beneficiaries are told. */
const cancelled = (world: World, at: Date): Consequence => {
  if (Object.values(world.value).every((state) => state === 'NOT_APPLICABLE')) return { world };
  return {
    world,
    raised: [
      { type: 'warehouse_notification.cancel', at },
      { type: 'agency_notification.cancel', at },
    ],
    effects: [toBeneficiaries({ type: 'cancel', at })],
  };
};

const rules = (maxAttempts: number): MachineRules => ({
  regions: {
    warehouse_notification: processStatus('skippable'),
    agency_notification: processStatus('skippable'),
  },
  maxAttempts,
  onEvent: (world, event) => {
    if (event.type === 'cancel') return cancelled(world, event.at);
    const { at, notify } = event as unknown as Extract<GeoEvent, { type: 'allocated' }>;
    if (Object.values(world.value).some((state) => state !== 'NOT_APPLICABLE')) return { world };
    return {
      world,
      raised: notify
        ? [
            { type: 'warehouse_notification.enable', at, dueAt: at },
            { type: 'agency_notification.enable', at, dueAt: null },
          ]
        : [
            { type: 'warehouse_notification.skip', at },
            { type: 'agency_notification.skip', at },
          ],
      effects: [toBeneficiaries({ type: 'allocated', notify, at })],
    };
  },
  onProcessed: (world) => ({ world }),
  onAttempted: (before, region, { at }) => {
    if (region === 'warehouse_notification')
      return { raised: [{ type: 'agency_notification.due', at, dueAt: at }] };
    const first = before.attempts === 0;
    return { effects: first ? [turnOfBeneficiaries(at)] : [] };
  },
});

const END_KINDS = ['succeeded', 'failed', 'failed for good', 'refused', 'stale'] as const;
type End = (typeof END_KINDS)[number];

/** One attempt from its dispatch to its end, a minute later. */
function attempt(region: GeoRegion, end: End, at: Date): GeoEvent[] {
  const job = `job-${at.getTime()}`;
  const ended = later(at);
  const fault = { at: ended, job, code: 'NOTIFIER_DOWN', retryAt: later(at, 30) };
  const result: Record<End, GeoEvent> = {
    succeeded: { type: `${region}.succeeded`, at: ended, job },
    failed: { type: `${region}.failed`, ...fault },
    'failed for good': { type: `${region}.failed`, ...fault, final: true },
    refused: { type: `${region}.refused`, ...fault },
    stale: { type: `${region}.stale`, at: ended, retryAt: fault.retryAt },
  };
  return [{ type: `${region}.dispatch`, at, job }, result[end]];
}

const allocatedGeo = (maxAttempts = 3) =>
  step(geoMachine, newGeo(maxAttempts), allocated(true, START)).snapshot;
const told = (effects: readonly Effect[]) => effects.filter(({ type }) => type === 'tell');

describe('a geo record', () => {
  it('does in every state what the table says, and every transition is walked', () => {
    const coverage = new Coverage(geoMachine);
    // The only attempt may be the last one.
    for (const maxAttempts of [1, 2]) {
      walkEverywhere(
        {
          machine: geoMachine,
          input: geoRecord(maxAttempts),
          events: (snapshot, at): GeoEvent[] => [
            allocated(true, at),
            allocated(false, at),
            { type: 'cancel', at },
            ...GEO_REGIONS.flatMap((region) => [
              { type: `${region}.due`, at, dueAt: later(at, 2) } as const,
              ...stageEvents(snapshot, region, at),
            ]),
          ],
          rules: rules(maxAttempts),
        },
        coverage,
      );
    }
    // Only the agency is ever enabled without a time, and none begins anew.
    for (const region of GEO_REGIONS) {
      const events = (snapshot: unknown, at: Date): GeoEvent[] => [
        ...beginnings(region, at),
        ...stageEvents(snapshot, region, at),
      ];
      walkEverywhere({ machine: geoMachine, input: geoRecord(2), events, rules: rules(2) }, coverage);
    }
    expect(coverage.missed()).toEqual([]);
    expect(coverage.states).toBeGreaterThan(100);
  });

  it('is the warehouse’s turn first, then the agency’s, then the beneficiaries’', () => {
    const fresh = step(geoMachine, newGeo(), allocated(true, START));
    expect(seen(fresh.snapshot).value).toEqual({
      warehouse_notification: 'PENDING',
      agency_notification: 'PENDING',
    });
    expect(stageOf(fresh.snapshot, WAREHOUSE).dueAt).toEqual(START);
    expect(stageOf(fresh.snapshot, AGENCY).dueAt).toBeNull();
    // The beneficiaries learn of it, but wait like the agency.
    expect(fresh.effects).toEqual([toBeneficiaries(allocated(true, START))]);

    const [dispatch, success] = attempt(WAREHOUSE, 'succeeded', later(START)) as [GeoEvent, GeoEvent];
    const busy = step(geoMachine, fresh.snapshot, dispatch);
    expect(stageOf(busy.snapshot, AGENCY).dueAt).toBeNull();
    const warehouse = step(geoMachine, busy.snapshot, success);
    expect(stageOf(warehouse.snapshot, AGENCY).dueAt).toEqual(later(START, 2));
    expect(told([...busy.effects, ...warehouse.effects])).toEqual([]);

    const agency = run(geoMachine, warehouse.snapshot, attempt(AGENCY, 'succeeded', later(START, 2)));
    expect(seen(agency.snapshot).value).toEqual({
      warehouse_notification: 'PROCESSED',
      agency_notification: 'PROCESSED',
    });
    expect(told(agency.effects)).toEqual([turnOfBeneficiaries(later(START, 3))]);
  });

  it.each(END_KINDS)('lets the agency go on when the first attempt at the warehouse %s', (end) => {
    const { snapshot, effects } = run(geoMachine, allocatedGeo(), attempt(WAREHOUSE, end, later(START)));
    expect(seen(snapshot).value.agency_notification).toBe('PENDING');
    expect(stageOf(snapshot, AGENCY)).toMatchObject({ attempts: 0, errorCode: null, dueAt: later(START, 2) });
    expect(told(effects)).toEqual([]);
  });

  it.each(END_KINDS)('lets the beneficiaries go on when the first attempt at the agency %s', (end) => {
    const { effects } = run(geoMachine, allocatedGeo(), [
      ...attempt(WAREHOUSE, 'failed', later(START)),
      ...attempt(AGENCY, end, later(START, 5)),
    ]);
    expect(told(effects)).toEqual([turnOfBeneficiaries(later(START, 6))]);
  });

  it.each([
    ['that has its time', []],
    ['in backoff', attempt(AGENCY, 'failed', later(START, 5))],
    ['that is being told', attempt(AGENCY, 'succeeded', later(START, 5)).slice(0, 1)],
    ['that was told', attempt(AGENCY, 'succeeded', later(START, 5))],
    ['given up', attempt(AGENCY, 'failed for good', later(START, 5))],
  ])('changes nothing for an agency %s when the warehouse is tried again', (_, ofAgency) => {
    const before = run(geoMachine, allocatedGeo(4), [
      ...attempt(WAREHOUSE, 'failed', later(START)),
      ...ofAgency,
    ]).snapshot;
    const times = { failed: 40, refused: 50, succeeded: 60 } as const;
    const after = run(
      geoMachine,
      before,
      (['failed', 'refused', 'succeeded'] as const).flatMap((end) =>
        attempt(WAREHOUSE, end, later(START, times[end])),
      ),
    );
    expect(stageOf(after.snapshot, WAREHOUSE)).toMatchObject({ attempts: 4, errorCode: null });
    expect(stageOf(after.snapshot, AGENCY)).toBe(stageOf(before, AGENCY));
    expect(seen(after.snapshot).value.agency_notification).toBe(seen(before).value.agency_notification);
    expect(told(after.effects)).toEqual([]);
  });

  it('keeps the time of an agency in backoff', () => {
    const { snapshot } = run(geoMachine, allocatedGeo(), [
      ...attempt(WAREHOUSE, 'failed', later(START)),
      ...attempt(AGENCY, 'failed', later(START, 5)),
      ...attempt(WAREHOUSE, 'failed', later(START, 10)),
    ]);
    expect(stageOf(snapshot, AGENCY).dueAt).toEqual(later(START, 35));
  });

  it('tells the beneficiaries once, and once more when an operator has the agency tried all over again', () => {
    const { snapshot, effects } = run(geoMachine, allocatedGeo(2), [
      ...attempt(WAREHOUSE, 'succeeded', later(START)),
      ...attempt(AGENCY, 'failed', later(START, 5)),
      ...attempt(AGENCY, 'stale', later(START, 40)),
      { type: 'agency_notification.retry', at: later(START, 90) },
      ...attempt(AGENCY, 'failed', later(START, 91)),
      ...attempt(AGENCY, 'succeeded', later(START, 130)),
    ]);
    expect(seen(snapshot).value.agency_notification).toBe('PROCESSED');
    // Who has a time already keeps it, so being told once more changes nothing for anybody.
    expect(told(effects)).toEqual([6, 92].map((minute) => turnOfBeneficiaries(later(START, minute))));
  });

  it('lets the beneficiaries go on after an attempt at the agency that had been postponed', () => {
    const job = 'postponed';
    const until = later(START, 20);
    const { effects } = run(geoMachine, allocatedGeo(3), [
      ...attempt(WAREHOUSE, 'succeeded', later(START)),
      { type: 'agency_notification.dispatch', at: later(START, 3), job },
      { type: 'agency_notification.postponed', at: later(START, 4), job, code: 'OUT', retryAt: until },
      ...attempt(AGENCY, 'succeeded', until),
    ]);
    expect(told(effects)).toEqual([turnOfBeneficiaries(later(START, 21))]);
  });

  it('is PROCESSED without ever being PENDING when notifications are suppressed', () => {
    const states = microsteps(geoMachine, newGeo(), allocated(false, START)).map(
      ({ after }) => seen(after).value,
    );
    expect(states.flatMap((value) => Object.values(value))).not.toContain('PENDING');
    const { snapshot, effects } = step(geoMachine, newGeo(), allocated(false, START));
    expect(seen(snapshot).value).toEqual({
      warehouse_notification: 'PROCESSED',
      agency_notification: 'PROCESSED',
    });
    for (const region of GEO_REGIONS) {
      expect(stageOf(snapshot, region)).toMatchObject({ attempts: 0, dueAt: null, timestamp: START });
    }
    // The beneficiaries hear that, too, and nothing else.
    expect(effects).toEqual([toBeneficiaries(allocated(false, START))]);
  });

  it.each([
    ['waits', []],
    ['is being told', attempt(WAREHOUSE, 'succeeded', later(START)).slice(0, 1)],
    ['has failed', attempt(WAREHOUSE, 'failed for good', later(START))],
    [
      'was told',
      [...attempt(WAREHOUSE, 'succeeded', later(START)), ...attempt(AGENCY, 'failed', later(START, 3))],
    ],
  ])('is not changed by a second word of its allocation while its warehouse %s', (_, events) => {
    const { snapshot } = run(geoMachine, allocatedGeo(), events);
    const suppressed = step(geoMachine, newGeo(), allocated(false, START)).snapshot;
    for (const before of [snapshot, suppressed]) {
      for (const notify of [true, false]) {
        const again = step(geoMachine, before, allocated(notify, later(START, 50)));
        expect(again.snapshot).toBe(before);
        expect(again.effects).toEqual([]);
      }
    }
  });

  it.each(GEO_REGIONS)('is not changed by a result of %s under a foreign job', (region) => {
    const [dispatch] = attempt(region, 'succeeded', later(START, 5)) as [GeoEvent];
    const { snapshot } = run(geoMachine, allocatedGeo(), [
      ...(region === AGENCY ? attempt(WAREHOUSE, 'succeeded', later(START)) : []),
      dispatch,
    ]);
    expect(seen(snapshot).value[region]).toBe('PROCESSING');
    for (const end of ['succeeded', 'failed', 'failed for good', 'refused'] as const) {
      const [, foreign] = attempt(region, end, later(START, 6)) as [GeoEvent, GeoEvent];
      const stepped = step(geoMachine, snapshot, foreign);
      expect(stepped.snapshot).toBe(snapshot);
      expect(stepped.effects).toEqual([]);
    }
  });

  it.each(GEO_REGIONS)('tries %s no more often than allowed', (region) => {
    let { snapshot } = run(geoMachine, allocatedGeo(3), attempt(WAREHOUSE, 'failed', later(START)));
    for (let n = 1; n <= 5; n += 1) {
      snapshot = run(geoMachine, snapshot, attempt(region, 'failed', later(START, 40 * n))).snapshot;
    }
    expect(seen(snapshot).value[region]).toBe('ERROR');
    expect(stageOf(snapshot, region)).toMatchObject({ attempts: 3, dueAt: null, errorCode: 'NOTIFIER_DOWN' });
  });
});

describe('a geo record, whatever happens to it', () => {
  it('gives the beneficiaries their turn once and at every retry, and only when an attempt at the agency ends', () => {
    const turns = new Map<unknown, number>();
    let given = 0;
    everyStep(
      GEO,
      ({ before, event, snapshot, effects }) => {
        const now = told(effects).filter(({ params }) =>
          JSON.stringify(params).includes('"type":"beneficiary_notification.due"'),
        );
        const [from, to] = [before, snapshot].map((one) => seen(one).value.agency_notification ?? '');
        const anew = ['NOT_APPLICABLE', 'ERROR'].includes(from ?? '') && to === 'PENDING';
        const sum = anew ? 0 : (turns.get(before) ?? 0) + now.length;
        turns.delete(before);
        turns.set(snapshot, sum);
        expect(sum).toBeLessThanOrEqual(1);
        if (now.length === 0) return;
        given += 1;
        expect(now).toEqual([turnOfBeneficiaries(event.at)]);
        expect(event.type.startsWith('agency_notification.')).toBe(true);
        expect(seen(before).value.agency_notification).toBe('PROCESSING');
        expect(seen(snapshot).value.agency_notification).not.toBe('PROCESSING');
      },
      80,
    );
    expect(given).toBeGreaterThan(0);
  });

  it('never has its agency wait for a warehouse that was tried', () => {
    let tried = 0;
    everyStep(GEO, ({ before, event, snapshot }) => {
      if (!/^warehouse_notification\.(succeeded|failed|refused|stale)$/.test(event.type)) return;
      if (snapshot === before || event.code === 'ENVELOPE_CANCELLED') return;
      tried += 1;
      const [was, is] = [stageOf(before, AGENCY), stageOf(snapshot, AGENCY)];
      const waited = seen(before).value.agency_notification === 'PENDING' && was.dueAt === null;
      expect(is).toEqual(waited ? { ...was, dueAt: event.at, timestamp: event.at } : was);
    });
    expect(tried).toBeGreaterThan(0);
  });
});
