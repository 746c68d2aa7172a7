import { describe, expect, it } from 'vitest';
import { type BeneficiaryEvent, beneficiaryMachine } from '../../src/machines/beneficiary.ts';
import { beneficiaryRecord, later, newBeneficiary, run, START, seen, stageOf, step } from './records.ts';
import { BENEFICIARY, everyStep } from './sequences.ts';
import { type MachineRules, processStatus } from './table.ts';
import { beginnings, Coverage, microsteps, stageEvents, walkEverywhere } from './walks.ts';

const MAX_ATTEMPTS = 3;
const REGION = 'beneficiary_notification';

const allocated = (notify: boolean, at: Date) => ({ type: 'allocated', notify, at }) as const;
const turn = (at: Date) => ({ type: `${REGION}.due`, at, dueAt: at }) as const;
const dispatch = (job: string, at: Date) => ({ type: `${REGION}.dispatch`, at, job }) as const;
const failed = (job: string, at: Date) =>
  ({ type: `${REGION}.failed`, at, job, code: 'NOTIFIER_DOWN', retryAt: later(at, 30) }) as const;
const succeeded = (job: string, at: Date) => ({ type: `${REGION}.succeeded`, at, job }) as const;

const rules: MachineRules = {
  regions: { beneficiary_notification: processStatus('skippable') },
  maxAttempts: MAX_ATTEMPTS,
  onEvent: (world, event) => {
    if (event.type === 'cancel')
      return { world, raised: [{ type: 'beneficiary_notification.cancel', at: event.at }] };
    const { at, notify } = event as unknown as Extract<BeneficiaryEvent, { type: 'allocated' }>;
    return {
      world,
      raised: [
        notify
          ? { type: 'beneficiary_notification.enable', at, dueAt: null }
          : { type: 'beneficiary_notification.skip', at },
      ],
    };
  },
  onProcessed: (world) => ({ world }),
};

describe('a beneficiary record', () => {
  it('does in every state what the table says, and every transition is walked', () => {
    const coverage = new Coverage(beneficiaryMachine);
    walkEverywhere(
      {
        machine: beneficiaryMachine,
        input: beneficiaryRecord(MAX_ATTEMPTS),
        events: (snapshot, at): BeneficiaryEvent[] => [
          allocated(true, at),
          allocated(false, at),
          { type: 'cancel', at },
          ...beginnings(REGION, at),
          ...stageEvents(snapshot, REGION, at),
        ],
        rules,
      },
      coverage,
    );
    expect(coverage.missed()).toEqual([]);
    expect(coverage.states).toBeGreaterThan(10);
  });

  it('waits for its turn, and is told at once when it has come', () => {
    const waiting = step(beneficiaryMachine, newBeneficiary(), allocated(true, START));
    expect(seen(waiting.snapshot).value).toEqual({ beneficiary_notification: 'PENDING' });
    expect(stageOf(waiting.snapshot, REGION).dueAt).toBeNull();
    expect(waiting.effects).toEqual([]);
    const { snapshot } = step(beneficiaryMachine, waiting.snapshot, turn(later(START)));
    expect(stageOf(snapshot, REGION).dueAt).toEqual(later(START));
    const told = run(beneficiaryMachine, snapshot, [
      dispatch('j', later(START, 2)),
      succeeded('j', later(START, 3)),
    ]);
    expect(seen(told.snapshot).value).toEqual({ beneficiary_notification: 'PROCESSED' });
    expect(told.effects).toEqual([{ type: 'enqueue', params: { region: REGION, job: 'j' } }]);
  });

  it('is told only once: nothing that comes later has it told again', () => {
    const { snapshot } = run(beneficiaryMachine, newBeneficiary(), [
      allocated(true, START),
      turn(START),
      dispatch('j', START),
      succeeded('j', START),
    ]);
    const at = later(START);
    const anything: BeneficiaryEvent[] = [
      allocated(true, at),
      allocated(false, at),
      turn(at),
      dispatch('again', at),
      succeeded('j', at),
      failed('j', at),
      { type: `${REGION}.stale`, at, retryAt: at },
      { type: `${REGION}.retry`, at },
      { type: `${REGION}.release`, at },
      { type: `${REGION}.cancel`, at },
      { type: `${REGION}.enable`, at, dueAt: at },
    ];
    for (const event of anything) {
      const stepped = step(beneficiaryMachine, snapshot, event);
      expect(stepped.snapshot, event.type).toBe(snapshot);
      expect(stepped.effects, event.type).toEqual([]);
    }
  });

  it('keeps its time in backoff when its turn comes once more', () => {
    const { snapshot } = run(beneficiaryMachine, newBeneficiary(), [
      allocated(true, START),
      turn(START),
      dispatch('j', START),
      failed('j', later(START)),
    ]);
    expect(stageOf(snapshot, REGION)).toMatchObject({ attempts: 1, dueAt: later(START, 31) });
    expect(step(beneficiaryMachine, snapshot, turn(later(START, 2))).snapshot).toBe(snapshot);
  });

  it('is PROCESSED without ever being PENDING when notifications are suppressed', () => {
    const states = microsteps(beneficiaryMachine, newBeneficiary(), allocated(false, START)).map(
      ({ after }) => seen(after).value[REGION],
    );
    expect(new Set(states)).toEqual(new Set(['NOT_APPLICABLE', 'PROCESSED']));
    const { snapshot, effects } = step(beneficiaryMachine, newBeneficiary(), allocated(false, START));
    expect(stageOf(snapshot, REGION)).toMatchObject({ attempts: 0, dueAt: null, timestamp: START });
    expect(effects).toEqual([]);
    expect(step(beneficiaryMachine, snapshot, turn(later(START))).snapshot).toBe(snapshot);
  });

  it.each([
    ['waits', []],
    ['has its time', [turn(START)]],
    ['is being told', [turn(START), dispatch('j', START)]],
    ['is in backoff', [turn(START), dispatch('j', START), failed('j', START)]],
    ['is given up', [turn(START), dispatch('j', START), { ...failed('j', START), final: true }]],
  ] as const)('is not changed by a second word of its allocation while it %s', (_, events) => {
    const { snapshot } = run(beneficiaryMachine, newBeneficiary(), [allocated(true, START), ...events]);
    for (const notify of [true, false]) {
      const again = step(beneficiaryMachine, snapshot, allocated(notify, later(START)));
      expect(again.snapshot).toBe(snapshot);
      expect(again.effects).toEqual([]);
    }
  });

  it('is not changed by a result under a foreign job', () => {
    const { snapshot } = run(beneficiaryMachine, newBeneficiary(), [
      allocated(true, START),
      turn(START),
      dispatch('mine', START),
    ]);
    const at = later(START);
    const foreign: BeneficiaryEvent[] = [
      succeeded('foreign', at),
      failed('foreign', at),
      { ...failed('foreign', at), final: true },
      { ...failed('foreign', at), type: `${REGION}.refused` },
      { type: `${REGION}.submitting`, at, job: 'foreign' },
    ];
    for (const event of foreign) {
      expect(step(beneficiaryMachine, snapshot, event).snapshot, event.type).toBe(snapshot);
    }
  });

  it('is tried no more often than allowed', () => {
    let { snapshot } = run(beneficiaryMachine, newBeneficiary(3), [allocated(true, START), turn(START)]);
    for (let n = 1; n <= 5; n += 1) {
      const at = later(START, 40 * n);
      snapshot = run(beneficiaryMachine, snapshot, [dispatch(`j${n}`, at), failed(`j${n}`, at)]).snapshot;
      expect(stageOf(snapshot, REGION).attempts).toBe(Math.min(n, 3));
    }
    expect(seen(snapshot).value[REGION]).toBe('ERROR');
  });
});

describe('a beneficiary record, whatever happens to it', () => {
  it('is told successfully at most once, and word of its allocation counts only the first time', () => {
    let [successes, repeated] = [0, 0];
    everyStep(
      BENEFICIARY,
      ({ before, event, snapshot, effects }) => {
        const was = seen(before).value[REGION];
        if (event.type === 'allocated' && was !== 'NOT_APPLICABLE') {
          repeated += 1;
          expect(snapshot).toBe(before);
        }
        if (was !== 'PROCESSED') {
          if (seen(snapshot).value[REGION] === 'PROCESSED') successes += 1;
          return;
        }
        expect(snapshot).toBe(before);
        expect(effects).toEqual([]);
      },
      60,
    );
    expect(successes).toBeGreaterThan(0);
    expect(repeated).toBeGreaterThan(0);
  });
});
