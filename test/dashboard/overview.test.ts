import { describe, expect, it } from 'vitest';
import { readFeedRequest } from '../../src/api/feed/request.ts';
import { STAGE_NAMES } from '../../src/config.ts';
import { missesHistory, nextWaitMs, placeOf } from '../../src/dashboard/feed-rules.ts';
import { stateKind, stateText } from '../../src/dashboard/format/states.ts';
import { DRAWING_WIDTH_MIN, drawing, NODE_HEIGHT, NODE_WIDTH } from '../../src/dashboard/overview/layout.ts';
import { grouped, minutesOf } from '../../src/dashboard/overview/series.ts';
import { problemOfAnswer } from '../../src/dashboard/problem.ts';

describe('the drawing of the pipeline', () => {
  const stages = [...STAGE_NAMES, 'audit_of_our_own'];

  it.each([DRAWING_WIDTH_MIN, 1_036, 1_300])(
    'has every stage once and no two on each other, %d px wide',
    (width) => {
      const { nodes, height } = drawing(stages, width);
      expect(nodes.map(({ stage }) => stage).toSorted()).toEqual(stages.toSorted());
      for (const one of nodes) {
        expect(one.x + NODE_WIDTH).toBeLessThanOrEqual(width);
        expect(one.y + NODE_HEIGHT).toBeLessThanOrEqual(height);
        for (const other of nodes) {
          if (one === other) continue;
          expect(Math.abs(one.x - other.x) >= NODE_WIDTH || Math.abs(one.y - other.y) >= NODE_HEIGHT).toBe(
            true,
          );
        }
      }
    },
  );

  it('leads work on to the right, or up', () => {
    const { nodes, edges } = drawing(stages, 1_200);
    const at = (name: string) =>
      nodes.find(({ stage }) => stage === name) ?? { x: Number.NaN, y: Number.NaN };
    for (const { source, target, isUp } of edges) {
      if (isUp) expect(at(target).y).toBeLessThan(at(source).y);
      else expect(at(target).x).toBeGreaterThan(at(source).x);
    }
    expect(edges.length).toBeGreaterThan(8);
  });

  it('draws only what there is', () => {
    expect(drawing(['mapper_resolution', 'disburse_funds_from_bank'], 1_000).edges).toHaveLength(1);
    expect(drawing([], 1_000)).toEqual({ nodes: [], lanes: [], edges: [], height: 0 });
  });
});

describe('throughput', () => {
  const series = minutesOf(
    {
      stage: 'pay',
      points: [
        { minute: '2026-04-09T08:01:00.000Z', processed: 7, errors: 1 },
        { minute: '2026-04-09T08:03:00.000Z', processed: 2, errors: 0 },
      ],
    },
    '2026-04-09T08:00:00.000Z',
    '2026-04-09T08:03:20.000Z',
  );

  it('has a zero for every minute in which nothing happened', () => {
    expect(series.processed).toEqual([0, 7, 0, 2]);
    expect(series.errors).toEqual([0, 1, 0, 0]);
    expect(series.at.map((second) => new Date(second * 1_000).toISOString().slice(11, 16))).toEqual([
      '08:00',
      '08:01',
      '08:02',
      '08:03',
    ]);
    expect([series.processedAll, series.errorsAll, series.peak]).toEqual([9, 1, 7]);
  });

  it('is added up from its end, so that the last group is whole', () => {
    expect(grouped([1, 2, 3, 4, 5], 2)).toEqual([1, 5, 9]);
    expect(grouped([], 5)).toEqual([]);
  });
});

describe('a lost feed', () => {
  it('is connected again later after every failure, within bounds, and never by all at once', () => {
    expect([nextWaitMs(0, 1), nextWaitMs(2, 1), nextWaitMs(50, 1)]).toEqual([500, 2_000, 5_000]);
    expect(nextWaitMs(3, 0)).toBe(2_000);
    expect(nextWaitMs(3, 0.5)).not.toBe(nextWaitMs(3, 0.6));
  });

  it('is resumed however long ago it was lost: the server leaves out what was removed meanwhile', () => {
    const asked = (after: number | null) =>
      readFeedRequest(Object.fromEntries(Object.entries(placeOf(after)).map(([k, v]) => [k, String(v)])));
    expect(asked(null)).toMatchObject({ after: null, skipsPruned: true });
    expect(asked(7)).toMatchObject({ after: 7, skipsPruned: true });
  });

  it('has missed something when what was removed lies behind where it stopped, and only then', () => {
    expect([missesHistory(7, 8), missesHistory(7, 7), missesHistory(7, 0)]).toEqual([true, false, false]);
    expect(missesHistory(null, 8)).toBe(false);
  });
});

describe('a state', () => {
  it('has a kind and a name', () => {
    expect([stateKind('FUNDS_NOT_AVAILABLE'), stateText('FUNDS_NOT_AVAILABLE')]).toEqual([
      'waiting',
      'Funds not available',
    ]);
    expect(stateKind('SOMETHING_NEW')).toBe('none');
    expect(stateKind('constructor')).toBe('none');
  });
});

describe('a refusal', () => {
  it('is told in its own words', () => {
    const body = JSON.stringify({ status: 403, code: 'ROLE_MISSING', detail: 'Needs the role payer.' });
    expect(problemOfAnswer(403, body)).toMatchObject({
      status: 403,
      code: 'ROLE_MISSING',
      message: 'Needs the role payer.',
    });
  });

  it.each(['', 'null', '<html>', '[]', '{"code":1}'])('that says nothing is told as such: %s', (body) => {
    const { code, message } = problemOfAnswer(502, body);
    expect(code).toBe('ANSWER_UNREADABLE');
    expect(message).toContain('502');
  });
});
