import { describe, expect, it } from 'vitest';
import { BY_ITSELF, chartOf, eventOnChart } from '../../src/api/operator/chart.ts';
import { guardInWords, unbracketed } from '../../src/api/operator/guard-words.ts';
import { type Chart, chart as chartSchema } from '../../src/api/operator/wire/actors.ts';
import { NEW_STAGE } from '../../src/machines/stage.ts';
import type { Actor } from '../../src/runtime/actor.ts';
import { compute } from '../../src/runtime/compute.ts';
import { stepEntries } from '../../src/runtime/entries.ts';
import { ACTORS } from '../../src/stages/actors.ts';
import { START, seen } from '../machines/records.ts';
import { everyStep, SUBJECTS } from '../machines/sequences.ts';

const actors = ACTORS as unknown as readonly Actor[];
const charts = new Map(actors.map((actor) => [actor.name, chartOf(actor, () => null)]));
const chartNamed = (name: string): Chart => {
  const found = charts.get(name);
  if (!found) throw new Error(`There is no chart of ${name}.`);
  return found;
};
const edgesOf = (machine: string, region: string, from: string, event: string) =>
  chartNamed(machine)
    .regions.find((one) => one.region === region)
    ?.transitions.filter((edge) => edge.from === from && edge.event === event)
    .map(({ to, guard }) => ({ to, guard }));

describe('the chart of a machine', () => {
  it.each(actors.map((actor) => [actor.name, actor] as const))(
    'of a %s has all its regions and states',
    (name, actor) => {
      const chart = chartNamed(name);
      expect(chartSchema.parse(chart)).toEqual(chart);
      const states = chart.regions.map((region) => [region.region, region.states.map(({ state }) => state)]);
      expect(states).toEqual(
        Object.values(actor.machine.states).map((region) => [region.key, Object.keys(region.states)]),
      );
      for (const { transitions, states: known, initial } of chart.regions) {
        const names = known.map(({ state }) => state);
        expect(names).toEqual(
          expect.arrayContaining([initial, ...transitions.flatMap(({ from, to }) => [from, to])]),
        );
        const edges = transitions.map(({ from, event, to }) => `${from} ${event} ${to}`);
        expect(new Set(edges).size).toBe(edges.length);
      }
    },
  );

  it.each(SUBJECTS.map((subject) => [subject.name, subject] as const))(
    'has every way that %s goes by its journal',
    (_, subject) => {
      const actor = actors.find(({ machine }) => machine === subject.machine);
      if (!actor) throw new Error('There is no such actor.');
      const chart = chartNamed(actor.name);
      everyStep(
        subject,
        ({ before, event }) => {
          const { steps } = compute(actor.machine, before as never, event);
          for (const one of steps) {
            const entries = stepEntries({ actor, id: 'X', correlation: 'X', at: START }, one, event);
            for (const { region, event: name, from_state: from, to_state: to } of entries) {
              const onChart = eventOnChart(chart, { region, event: name, from, to });
              expect(onChart, `${region}: ${from} -${name}-> ${to}`).not.toBeNull();
            }
          }
        },
        100,
      );
    },
  );

  it.each(SUBJECTS.map((subject) => [subject.name, subject] as const))(
    'has no way that %s cannot go',
    (_, subject) => {
      const actor = actors.find(({ machine }) => machine === subject.machine);
      if (!actor) throw new Error('There is no such actor.');
      const { value, context } = seen(subject.start(3, 0));
      for (const { region } of actor.stages) {
        const chart = chartNamed(actor.name).regions.find((one) => one.region === region);
        for (const { from, event, to } of chart?.transitions ?? []) {
          if (event === BY_ITSELF) continue;
          const ends = [0, 2].flatMap((attempts) => {
            const stage = { ...NEW_STAGE, jobId: 'J', attempts };
            const before = actor.machine.resolveState({
              value: { ...value, [region]: from },
              context: { ...context, stages: { ...context.stages, [region]: stage } },
            });
            return ['FAULT', 'ENVELOPE_CANCELLED'].map((code) => {
              const sent = {
                type: `${region}.${event}`,
                at: START,
                job: 'J',
                code,
                retryAt: START,
                dueAt: START,
              };
              return seen(compute(actor.machine, before as never, sent).steps[0]?.after).value[region];
            });
          });
          expect(ends, `${region}: ${from} -${event}->`).toContain(to);
        }
      }
    },
  );

  it('names the stage of a region, and the part that its states play', () => {
    const [batch] = actors
      .filter(({ name }) => name === 'batch')
      .map((actor) => chartOf(actor, (region) => `${region}!`));
    expect(batch?.regions[0]).toMatchObject({
      region: 'fa_resolution',
      stage: 'fa_resolution!',
      initial: 'NOT_APPLICABLE',
    });
    const funds = chartNamed('envelope').regions.find(({ region }) => region === 'funds_available');
    expect(Object.fromEntries(funds?.states.map(({ state, part }) => [state, part]) ?? [])).toEqual({
      NOT_APPLICABLE: 'not_applicable',
      PENDING_CHECK: 'pending',
      CHECK_IN_PROGRESS: 'processing',
      FUNDS_AVAILABLE: 'processed',
      FUNDS_NOT_AVAILABLE: 'ask_again',
      ERROR: 'error',
    });
  });

  it('says what must hold', () => {
    expect(edgesOf('batch', 'fa_resolution', 'PROCESSING', 'stale')).toEqual([
      { to: 'PENDING', guard: 'may try again' },
      { to: 'ERROR', guard: 'otherwise' },
    ]);
    expect(edgesOf('batch', 'fa_resolution', 'PENDING', 'dispatch')).toEqual([
      { to: 'PROCESSING', guard: null },
    ]);
    expect(edgesOf('batch', 'sponsor_bank_dispatch', 'PROCESSED', 'restart')).toEqual([]);
    expect(edgesOf('envelope', 'cancellation', 'Not_Cancelled', 'batch_ready')).toEqual([
      { to: 'Not_Cancelled', guard: null },
    ]);
    expect(edgesOf('envelope', 'funds_blocked', 'FUNDS_BLOCK_FAILURE', BY_ITSELF)).toEqual([
      { to: 'NOT_APPLICABLE', guard: 'is cancelled and not may have submitted block' },
    ]);
    expect(edgesOf('envelope', 'funds_blocked', 'ERROR', BY_ITSELF)).toEqual([]);
    expect(edgesOf('envelope', 'receipt', 'RECEIVING', 'batch_received')).toEqual([
      { to: 'RECEIVED', guard: 'is standing and completes' },
      { to: 'RECEIVING', guard: 'is standing and stays possible' },
    ]);
    expect(chartNamed('geo').events).toContainEqual({ event: 'cancel', guard: 'not is new' });
  });

  it('does not know what is no transition', () => {
    const way = { region: 'fa_resolution', event: 'late', from: 'PENDING', to: 'PENDING' };
    expect(eventOnChart(chartNamed('batch'), way)).toBeNull();
    expect(eventOnChart(chartNamed('batch'), { ...way, region: 'none' })).toBeNull();
    expect(eventOnChart(chartNamed('batch'), { ...way, region: '', event: 'shipped' })).toBeNull();
  });
});

describe('a guard in words', () => {
  it('takes brackets off only where they enclose everything', () => {
    expect(unbracketed('(a and b)')).toBe('a and b');
    expect(unbracketed('(a or b) and (c or d)')).toBe('(a or b) and (c or d)');
    expect(unbracketed('a')).toBe('a');
  });

  it('is refused where it cannot be read', () => {
    expect(() => guardInWords(7, null)).toThrow('7 is no guard');
  });
});
