import { describe, expect, it } from 'vitest';
import { checkAll } from '../../chaos/checks.ts';
import type { Finished, Invariant } from '../../chaos/contract.ts';
import { Limits } from '../../chaos/limits.ts';
import { type Evidence, proofOf, provesNothing } from '../../chaos/proof.ts';
import { holds, type Report, reportLines } from '../../chaos/report.ts';

const BENEFIT_TYPES = ['CASH_DIGITAL', 'CASH_PHYSICAL', 'COMMODITY', 'SERVICE'] as const;
const NO_DISK = { kind: 'disk', why: 'There is no disk.' } as const;

const sound: Evidence = {
  kinds: ['kill', 'clock', 'disk'],
  missing: [],
  scheduled: new Set(['kill', 'clock', 'disk']),
  struck: new Map([
    ['kill', 2],
    ['clock', 1],
    ['disk', 1],
  ]),
  killed: new Map([
    ['api', 1],
    ['worker-1', 1],
  ]),
  starts: new Map([
    ['api', 2],
    ['worker-1', 2],
    ['bank', 1],
  ]),
  troubles: [],
  benefitTypes: BENEFIT_TYPES,
  disbursements: new Map(BENEFIT_TYPES.map((type) => [type, 10])),
  feedConnections: 2,
};

const foundIn = (evidence: Partial<Evidence>): string[] =>
  proofOf({ ...sound, ...evidence }).flatMap(({ violations }) => violations.map(({ found }) => found));

const report: Report = {
  seed: 3,
  minutes: 1,
  kinds: sound.kinds,
  folder: '/data/chaos/1',
  missing: [],
  faults: { kill: 2, clock: 1, disk: 1 },
  trouble: 0,
  starts: 9,
  envelopes: 4,
  disbursements: {},
  transitions: 1,
  feedConnections: 2,
  checked: proofOf(sound),
  elapsedMs: 1,
};

describe('a chaos run', () => {
  it('proves something when everything asked for has struck, and the system has taken it', () => {
    expect(foundIn({})).toEqual([]);
    expect(proofOf(sound).map(({ name }) => name)).toHaveLength(5);
    expect(holds(report)).toBe(true);
  });

  it('does not hold when a kind of fault never struck although it was to', () => {
    const struck = new Map([['kill', 2] as const, ['disk', 1] as const]);
    expect(foundIn({ struck })).toEqual([
      'No fault of the kind clock has struck, so nothing is proven about it.',
    ]);
    expect(foundIn({ struck, scheduled: new Set(['kill', 'disk']) })).toEqual([]);
    expect(holds({ ...report, checked: proofOf({ ...sound, struck }) })).toBe(false);
  });

  it('does not ask for what this machine does not have, but says that nothing was proven about it', () => {
    const struck = new Map([['kill', 2] as const, ['clock', 1] as const]);
    expect(foundIn({ struck, missing: [NO_DISK] })).toEqual([]);
    expect(reportLines({ ...report, missing: [NO_DISK] })).toContain('Nothing was proven about disk.');
    expect(reportLines(report).join()).not.toContain('Nothing was proven');
  });

  it('proves nothing when none of the kinds asked for can be had', () => {
    expect(provesNothing(['disk'], [NO_DISK])).toBe(true);
    expect(provesNothing(['disk', 'kill'], [NO_DISK])).toBe(false);
    expect(provesNothing(['kill'], [])).toBe(false);
    expect(foundIn({ kinds: ['disk'], missing: [NO_DISK], killed: new Map() })).toEqual([
      'There was no fault to strike.',
    ]);
  });

  it('does not hold when something of the run itself has failed', () => {
    expect(foundIn({ troubles: [{ at: new Date(0), found: 'The clock could not be set.' }] })).toEqual([
      'The clock could not be set.',
    ]);
  });

  it('does not hold when a benefit type was not submitted', () => {
    expect(foundIn({ disbursements: new Map([['SERVICE', 0]]) })).toHaveLength(4);
    expect(foundIn({ disbursements: new Map([...sound.disbursements, ['COMMODITY', 0]]) })).toEqual([
      'No disbursement of COMMODITY was submitted.',
    ]);
  });

  it('does not hold when no process was killed, or one was not started again', () => {
    expect(foundIn({ killed: new Map() })).toEqual(['No process was killed.']);
    expect(foundIn({ starts: new Map([...sound.starts, ['worker-1', 1]]) })).toEqual([
      'worker-1 was killed and never started again.',
    ]);
  });

  it('does not hold when the API was killed and the client of the feed never came back', () => {
    expect(foundIn({ feedConnections: 1 })).toEqual([
      'The API was killed, and the client of the feed had 1 connections in all.',
    ]);
    expect(foundIn({ feedConnections: 1, killed: new Map([['worker-1', 1]]) })).toEqual([]);
  });
});

describe('checking what must hold', () => {
  const run = {} as Finished;
  const invariants: Invariant[] = [
    { name: 'First.', check: () => Promise.reject(new Error('The bank has gone.')) },
    { name: 'Second.', check: async () => [{ invariant: 'Second.', found: 'A debit twice.', at: null }] },
    { name: 'Third.', check: async () => [] },
  ];

  it('makes all checks when one cannot be made, and takes that for a violation', async () => {
    const checked = await checkAll(invariants, run, new Limits(1), new AbortController().signal);
    expect(checked.map(({ name, violations }) => [name, violations.map(({ found }) => found)])).toEqual([
      ['First.', ['The check could not be made: The bank has gone.']],
      ['Second.', ['A debit twice.']],
      ['Third.', []],
    ]);
  });

  it('ends at once when it is interrupted', async () => {
    const never: Invariant = { name: 'Never.', check: () => new Promise(() => {}) };
    const interrupt = new AbortController();
    const checking = checkAll([never], run, new Limits(1), interrupt.signal);
    interrupt.abort(new Error('Interrupted.'));
    await expect(checking).rejects.toThrow('Interrupted.');
  });
});
