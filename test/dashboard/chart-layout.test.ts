import { createRequire } from 'node:module';
import type { ELK } from 'elkjs/lib/elk-api.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrange, fits, HEAD_PX } from '../../src/dashboard/chart/arrange.ts';
import { drawingOf } from '../../src/dashboard/chart/drawing.ts';
import {
  type Direction,
  elkGraphOf,
  layoutOf,
  type RegionLayout,
} from '../../src/dashboard/chart/elk-graph.ts';
import { flowOf } from '../../src/dashboard/chart/flow.ts';
import { edgeLabel, edgeTitle, edgeWords, shortTime } from '../../src/dashboard/chart/label.ts';
import { roundedPath } from '../../src/dashboard/chart/path.ts';
import { actor, chart, REGION, taken } from './chart-records.ts';

// In the browser the same engine works in a worker.
const Elk = createRequire(import.meta.url)('elkjs/lib/elk.bundled.js') as new () => ELK;

const [region] = drawingOf(
  chart(),
  actor({ state: 'PROCESSING', taken: [taken('dispatch', 'PENDING', 'PROCESSING', { count: 2 })] }),
);
if (region === undefined) throw new TypeError('Nothing was drawn.');

const layOut = async (direction: Direction, isDrawn = (_id: string) => true): Promise<RegionLayout> =>
  layoutOf(await new Elk().layout(elkGraphOf(region, direction, isDrawn)));

describe('the layout of a region', () => {
  it.each(['RIGHT', 'DOWN'] as const)(
    'has a place for every state and a way for every edge (%s)',
    async (direction) => {
      const { states, edges, width, height } = await layOut(direction);
      expect([...states.keys()].sort()).toEqual(region.states.map(({ state }) => state).sort());
      expect([...edges.keys()].sort()).toEqual(region.edges.map(({ id }) => id).sort());
      for (const box of [...states.values(), ...[...edges.values()].flatMap(({ label }) => label ?? [])]) {
        expect(box.x + box.width).toBeLessThanOrEqual(width);
        expect(box.y + box.height).toBeLessThanOrEqual(height);
      }
      for (const { points } of edges.values()) expect(points.length).toBeGreaterThanOrEqual(2);
    },
  );

  it('goes from the beginning of a life to its end', async () => {
    const { states } = await layOut('RIGHT');
    const xOf = (state: string): number => states.get(state)?.x ?? Number.NaN;
    expect(xOf('NOT_APPLICABLE')).toBeLessThan(xOf('PENDING'));
    expect(xOf('PENDING')).toBeLessThan(xOf('PROCESSING'));
    expect(xOf('PROCESSING')).toBeLessThan(xOf('PROCESSED'));
  });

  it('leaves out states that nothing drawn leads to, unless the actor is or was there', async () => {
    const { states } = await layOut('RIGHT', (id) => id === `${REGION}:PENDING>PROCESSING`);
    expect([...states.keys()]).toEqual(['NOT_APPLICABLE', 'PENDING', 'PROCESSING']);
  });

  it('becomes nodes within a group, and edges that are shifted with it', async () => {
    const layout = await layOut('RIGHT');
    const place = { region: REGION, direction: 'RIGHT', layout, x: 100, y: 50, width: 1, height: 1 } as const;
    const options = {
      titleOf: () => 'FA resolution',
      moving: new Map([[`${REGION}:PENDING>PROCESSING`, 7]]),
    };
    const { nodes, edges } = flowOf([region], { regions: [place], width: 1, height: 1 }, options);
    expect(nodes.filter(({ parentId }) => parentId === REGION)).toHaveLength(5);
    expect(nodes.find(({ ariaLabel }) => ariaLabel === `${REGION}: PROCESSING, active`)).toBeDefined();
    const edge = edges.find(({ id }) => id === `${REGION}:PENDING>PROCESSING`);
    const from = layout.edges.get(`${REGION}:PENDING>PROCESSING`)?.points[0];
    expect(edge?.data?.points[0]).toEqual({ x: (from?.x ?? 0) + 100, y: (from?.y ?? 0) + 50 + HEAD_PX });
    expect(edge).toMatchObject({ focusable: true, data: { moving: 7 } });
    expect(edges.find(({ id }) => id === `${REGION}:ERROR>PENDING`)).toMatchObject({ focusable: false });
  });
});

describe('regions', () => {
  const laid = (name: string, width: number, height: number) =>
    ({
      region: name,
      direction: 'RIGHT',
      layout: { width, height, states: new Map(), edges: new Map() },
    }) as const;

  it('stand beside each other while there is room, and below each other then', () => {
    const { regions, width, height } = arrange(
      [laid('a', 400, 100), laid('b', 400, 200), laid('c', 400, 50)],
      900,
    );
    expect(regions.map(({ region, x, y }) => [region, x, y])).toEqual([
      ['a', 0, 0],
      ['b', 416, 0],
      ['c', 0, 250],
    ]);
    expect([width, height]).toEqual([816, 250 + 50 + HEAD_PX]);
  });

  it('never overlap, and none goes beyond the room it fits into', () => {
    const size = fc.integer({ min: 20, max: 900 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(size, size), { maxLength: 8 }),
        fc.integer({ min: 300, max: 1500 }),
        (sizes, room) => {
          const { regions } = arrange(
            sizes.map(([width, height], at) => laid(String(at), width, height)),
            room,
          );
          for (const [at, one] of regions.entries()) {
            if (fits(one.layout, room)) expect(one.x + one.width).toBeLessThanOrEqual(room * 1.12);
            for (const other of regions.slice(at + 1)) {
              const apart =
                other.x >= one.x + one.width ||
                other.y >= one.y + one.height ||
                one.y >= other.y + other.height;
              expect(apart).toBe(true);
            }
          }
        },
      ),
    );
  });
});

describe('an edge in words', () => {
  const edge = {
    id: 'x',
    from: 'PENDING',
    to: 'PROCESSING',
    isTaken: true,
    isPossible: false,
    events: [
      { event: 'dispatch', guards: [], count: 3, lastAt: '2026-01-05T09:00:00.123Z' },
      { event: 'restart', guards: ['is new', 'is small'], count: 0, lastAt: null },
    ],
  };

  it('says what took it, how often and when', () => {
    expect(edgeWords(edge)).toBe('PENDING to PROCESSING: dispatch 3 times, last at 2026-01-05 09:00:00 UTC');
    expect(edgeWords({ ...edge, to: 'PENDING', events: edge.events.slice(1) })).toBe(
      'within PENDING: never taken (restart)',
    );
  });

  it('adds what its events ask for', () => {
    expect(edgeTitle(edge).split('\n')[1]).toBe('restart: if is new; or if is small');
  });

  it('has room on the chart for what was taken and the names of the rest', () => {
    const { taken: own, others, width, height } = edgeLabel(edge);
    expect(own.map(({ event }) => event)).toEqual(['dispatch']);
    expect(others).toEqual(['restart']);
    expect(width).toBeGreaterThan('dispatch ×999'.length * 6);
    expect(height).toBeGreaterThan(edgeLabel({ ...edge, events: edge.events.slice(1) }).height);
  });

  it('shows the time of today and the day of all else', () => {
    const now = new Date('2026-01-05T12:00:00Z');
    expect(shortTime('2026-01-05T09:01:02.000Z', now)).toBe('09:01:02');
    expect(shortTime('2026-01-04T23:59:59.000Z', now)).toBe('01-04');
    expect(shortTime('2025-12-31T23:59:59.000Z', now)).toBe('2025-12-31');
  });
});

describe('the path along points', () => {
  it('rounds corners, and no more than there is room', () => {
    const corner = [
      { x: 0, y: 0 },
      { x: 10, y: 0 },
      { x: 10, y: 4 },
    ];
    expect(roundedPath(corner)).toBe('M0,0 L8,0 Q10,0 10,2 L10,4');
    expect(roundedPath([])).toBe('');
  });
});
