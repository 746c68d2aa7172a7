import { describe, expect, it } from 'vitest';
import type { ActorDetail, Chart } from '../../src/api/operator/wire/actors.ts';
import { advance } from '../../src/dashboard/chart/advance.ts';
import { drawingOf, edgeId, eventsOf } from '../../src/dashboard/chart/drawing.ts';
import { actor, chart, REGION, taken, transition } from './chart-records.ts';

const drawn = (of: ActorDetail, on: Chart = chart()) => {
  const [region] = drawingOf(on, of);
  if (region === undefined) throw new TypeError('Nothing was drawn.');
  return region;
};
const edgeOf = (of: ActorDetail, from: string, to: string) =>
  drawn(of).edges.find(({ id }) => id === edgeId(REGION, from, to));

describe('the drawing of an actor', () => {
  it('lights the state it is in and remembers those it was in', () => {
    const { states, active } = drawn(
      actor({ state: 'ERROR', taken: [taken('failed', 'PROCESSING', 'ERROR')] }),
    );
    expect(active).toBe('ERROR');
    expect(states.filter(({ isActive }) => isActive).map(({ state }) => state)).toEqual(['ERROR']);
    expect(states.filter(({ isVisited }) => isVisited).map(({ state }) => state)).toEqual([
      'NOT_APPLICABLE',
      'PROCESSING',
      'ERROR',
    ]);
  });

  it('draws one edge between two states, whatever leads along it, what was taken last first', () => {
    const edge = edgeOf(
      actor({
        state: 'PENDING',
        taken: [
          taken('stale', 'PROCESSING', 'PENDING', { last_at: '2026-01-05T09:00:00.000Z' }),
          taken('failed', 'PROCESSING', 'PENDING', { count: 2, last_at: '2026-01-05T10:00:00.000Z' }),
        ],
      }),
      'PROCESSING',
      'PENDING',
    );
    expect(edge?.isTaken).toBe(true);
    expect(edge?.events.map(({ event, count }) => [event, count])).toEqual([
      ['failed', 2],
      ['stale', 1],
      ['postponed', 0],
    ]);
  });

  it('gathers the conditions of transitions that have the same name and ends', () => {
    const on = chart();
    on.regions[0]?.transitions.push({
      from: 'PENDING',
      to: 'PROCESSING',
      event: 'dispatch',
      guard: 'is urgent',
    });
    on.regions[0]?.transitions.push({
      from: 'PENDING',
      to: 'PROCESSING',
      event: 'dispatch',
      guard: 'is small',
    });
    const edge = drawn(actor(), on).edges.find(({ id }) => id === edgeId(REGION, 'PENDING', 'PROCESSING'));
    expect(edge?.events).toEqual([
      { event: 'dispatch', guards: ['is urgent', 'is small'], count: 0, lastAt: null },
    ]);
  });

  it('marks the edges that can be taken next', () => {
    const { edges } = drawn(actor({ state: 'ERROR' }));
    expect(edges.filter(({ isPossible }) => isPossible).map(({ from, to }) => [from, to])).toEqual([
      ['ERROR', 'PENDING'],
    ]);
  });

  it('shows states and edges that the journal has and the machine no longer', () => {
    const of = actor({ state: 'PENDING', taken: [taken('revive', 'PARKED', 'PENDING')] });
    expect(drawn(of).states.find(({ state }) => state === 'PARKED')).toMatchObject({
      isVisited: true,
      part: null,
    });
    expect(edgeOf(of, 'PARKED', 'PENDING')?.isTaken).toBe(true);
  });

  it.each([
    ['as it began', actor(), true],
    ['in another state', actor({ state: 'PENDING' }), false],
    ['with an attempt', actor({ attempts: 1 }), false],
    ['with an error', actor({ error: { code: 'X', message: null } }), false],
    ['back where it began', actor({ taken: [taken('cancel', 'PENDING', 'NOT_APPLICABLE')] }), false],
  ])('says of a region %s whether it plays no part', (_, of, isIdle) => {
    expect(drawn(of).isIdle).toBe(isIdle);
  });

  it('lists the events of the record as a whole, those of no chart included', () => {
    const of = actor({
      taken: [
        taken('received', '', '', { region: '' }),
        taken('batch_ready', '', '', { region: '', count: 3 }),
        taken('dispatch', 'PENDING', 'PROCESSING'),
      ],
    });
    const events = eventsOf(chart(), of).map(({ event, count }) => [event, count]);
    expect(new Map(events as [string, number][])).toEqual(
      new Map([
        ['received', 1],
        ['batch_ready', 3],
        ['cancel', 0],
      ]),
    );
    expect(events.at(-1)).toEqual(['cancel', 0]);
  });
});

describe('a transition that arrives', () => {
  it('moves the region, counts its edge and takes away what could be done before', () => {
    const before = actor({
      state: 'ERROR',
      seq: 10,
      actions: ['retry'],
      error: { code: 'X', message: null },
    });
    const after = advance(before, transition('retry', 'ERROR', 'PENDING', { seq: 11 }));
    expect(after.regions[0]).toMatchObject({ state: 'PENDING', actions: [], error: null });
    expect(after.taken).toEqual([taken('retry', 'ERROR', 'PENDING')]);
    expect(after.seq).toBe(11);
    expect(advance(after, transition('retry', 'ERROR', 'PENDING', { seq: 12 })).taken).toEqual([
      taken('retry', 'ERROR', 'PENDING', { count: 2 }),
    ]);
  });

  it('keeps the error and what can be done when it stays within its state', () => {
    const before = actor({
      state: 'ERROR',
      seq: 10,
      actions: ['retry'],
      error: { code: 'X', message: null },
    });
    const after = advance(before, transition('due', 'ERROR', 'ERROR', { seq: 11 }));
    expect(after.regions[0]).toMatchObject({ actions: ['retry'], error: { code: 'X' } });
  });

  it.each([
    ['is known already', { seq: 10 }],
    ['is of another actor', { seq: 11, id: 'B-2' }],
    ['is of another machine', { seq: 11, machine: 'geo' }],
  ])('changes nothing when it %s', (_, change) => {
    const before = actor({ seq: 10 });
    expect(advance(before, transition('enable', 'NOT_APPLICABLE', 'PENDING', change))).toBe(before);
  });
});
