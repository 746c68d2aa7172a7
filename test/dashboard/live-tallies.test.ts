import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applySummary,
  beginAfter,
  type LiveTallies,
  talliesOf,
  withTallies,
} from '../../src/dashboard/overview/live-tallies.ts';
import type { StageOverview } from '../../src/dashboard/overview/types.ts';

const STATES = ['NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR'] as const;

const stageOf = (
  stage: string,
  region: string,
  tally: Partial<StageOverview['tally']> = {},
): StageOverview => ({
  stage,
  title: stage,
  machine: 'batch',
  region,
  states: {
    pending: 'PENDING',
    ask_again: null,
    processing: 'PROCESSING',
    processed: 'PROCESSED',
    error: 'ERROR',
  },
  tally: { pending: 0, ask_again: 0, processing: 0, processed: 0, error: 0, ...tally },
  oldest_due_at: null,
  per_minute: 0,
  paused: null,
});

type Move = { machine: string; region: string; from: string; to: string; count: number };

const summary = (after: number, seq: number, moves: readonly Move[]) => ({
  type: 'summary' as const,
  after,
  seq,
  at: '2026-04-09T08:00:00.000Z',
  moves: [...moves],
});
const move = (from: string, to: string, count = 1, region = 'fa_resolution'): Move => ({
  machine: 'batch',
  region,
  from,
  to,
  count,
});

const stages = [
  stageOf('resolve', 'fa_resolution', { pending: 5, processing: 2 }),
  stageOf('pay', 'dispatch'),
];
const start = talliesOf(100, stages);
const tallyAfter = (applied: { tallies: LiveTallies } | null, stage: string) =>
  applied?.tallies.byStage.get(stage);

describe('counts that move', () => {
  it('go from state to state as the summary says', () => {
    const applied = applySummary(
      start,
      stages,
      summary(100, 104, [move('PENDING', 'PROCESSING', 3), move('PROCESSING', 'PROCESSED', 1)]),
    );
    expect(tallyAfter(applied, 'resolve')).toEqual({
      pending: 2,
      ask_again: 0,
      processing: 4,
      processed: 1,
      error: 0,
    });
    expect(applied?.tallies.seq).toBe(104);
    expect(applied?.finished).toEqual(['resolve']);
  });

  it('count what comes from where nothing is counted, and of other stages nothing', () => {
    const moves = [move('NOT_APPLICABLE', 'PENDING', 2, 'dispatch'), move('A', 'B', 9, 'elsewhere')];
    const applied = applySummary(start, stages, summary(100, 103, moves));
    expect(tallyAfter(applied, 'pay')?.pending).toBe(2);
    expect(tallyAfter(applied, 'resolve')).toEqual(start.byStage.get('resolve'));
  });

  it('stay where they are for what happens within a state', () => {
    const applied = applySummary(start, stages, summary(100, 101, [move('PROCESSING', 'PROCESSING')]));
    expect(tallyAfter(applied, 'resolve')).toEqual(start.byStage.get('resolve'));
  });

  it('do not depend on the order of the moves in a summary', () => {
    const moves = [move('PROCESSING', 'PROCESSED', 6), move('PENDING', 'PROCESSING', 5)];
    const [one, other] = [moves, moves.toReversed()].map((some) =>
      tallyAfter(applySummary(start, stages, summary(100, 111, some)), 'resolve'),
    );
    expect(one).toEqual({ pending: 0, ask_again: 0, processing: 1, processed: 6, error: 0 });
    expect(other).toEqual(one);
  });

  it('take no summary twice', () => {
    const applied = applySummary(start, stages, summary(90, 100, [move('PENDING', 'PROCESSING')]));
    expect(applied?.tallies).toBe(start);
  });

  it.each([
    ['leaves a gap', 101, 105],
    ['overlaps what is counted', 99, 105],
  ])('begin anew after a summary that %s', (_why, after, seq) => {
    expect(applySummary(start, stages, summary(after, seq, []))).toBeNull();
  });

  it('are the same however the journal is cut into summaries', () => {
    const journal = fc.array(fc.tuple(fc.constantFrom(...STATES), fc.constantFrom(...STATES)), {
      maxLength: 30,
    });
    const many = { pending: 1_000, processing: 1_000, processed: 1_000, error: 1_000 };
    const all = [stageOf('resolve', 'fa_resolution', many)];
    fc.assert(
      fc.property(journal, fc.array(fc.nat({ max: 30 }), { maxLength: 5 }), (entries, cuts) => {
        const run = (ends: readonly number[]): LiveTallies => {
          let tallies = talliesOf(0, all);
          for (const end of ends) {
            const moves = entries.slice(tallies.seq, end).map(([from, to]) => move(from, to));
            const applied = applySummary(tallies, all, summary(tallies.seq, end, moves));
            if (applied) tallies = applied.tallies;
          }
          return tallies;
        };
        const ends = cuts.filter((cut) => cut < entries.length).toSorted((a, b) => a - b);
        expect(run([...ends, entries.length]).byStage).toEqual(run([entries.length]).byStage);
      }),
    );
  });
});

describe('what is shown', () => {
  it('is the newer of the view and of what has arrived since', () => {
    const live = {
      seq: 120,
      byStage: new Map([['resolve', { ...stages[0]?.tally, pending: 1 }]]),
    } as LiveTallies;
    expect(withTallies(110, stages, live)[0]?.tally.pending).toBe(1);
    expect(withTallies(130, stages, live)[0]?.tally.pending).toBe(5);
    expect(withTallies(100, stages, null)[0]?.tally.pending).toBe(5);
  });
});

describe('counts of which a part will not arrive', () => {
  const begun = { generation: 1, seq: 100, least: 0 };

  it('wait for a view that has it, and go on after that one', () => {
    const waiting = beginAfter(begun, 100, 140);
    expect(waiting).toEqual({ generation: 1, seq: null, least: 140 });
    expect(beginAfter(waiting, 139, 140).seq).toBeNull();
    expect(beginAfter(waiting, 140, 140)).toEqual({ generation: 2, seq: 140, least: 140 });
  });

  it('go on at once when the view has it already', () => {
    expect(beginAfter(begun, 150, 140)).toMatchObject({ generation: 2, seq: 150 });
  });
});
