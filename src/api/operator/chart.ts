import type { AnyStateMachine } from 'xstate';
import type { Actor } from '../../runtime/actor.ts';
import { guardInWords, type Place, unbracketed } from './guard-words.ts';
import type { Chart } from './wire/actors.ts';

/** The event of transitions that need none: they are taken when their guard begins to hold, whatever made it so. */
export const BY_ITSELF = 'always';

/** A state region that has come to its end goes on only if somebody begins it anew. */
const BEGINNING_ANEW: readonly string[] = ['restart', 'reset'];

type Region = Chart['regions'][number];
type Edge = Region['transitions'][number];
type StateNode = AnyStateMachine['root'];

const TITLES: Readonly<Record<string, string>> = {
  envelope: 'Envelope',
  batch: 'Batch',
  geo: 'Geo record',
  beneficiary: 'Beneficiary record',
  statement: 'Statement',
};

/** A machine for people. */
export const titleOfMachine = (machine: string): string => TITLES[machine] ?? machine;

/**
 * Draws the chart of an actor's machine, by walking the machine itself.
 *
 * @param stageOf names the stage that does the work of a region; null when none does
 */
export function chartOf(actor: Actor, stageOf: (region: string) => string | null): Chart {
  const { root } = actor.machine as AnyStateMachine;
  return {
    machine: actor.name,
    title: titleOfMachine(actor.name),
    events: eventsOf(root),
    regions: Object.values(root.states).map((region) => regionOf(actor, region, stageOf(region.key))),
  };
}

/** What every state takes and no state is left by: it is passed on to regions, or changes columns only. */
function eventsOf(root: StateNode): Chart['events'] {
  return [...root.transitions].map(([event, candidates]) => {
    const guards = candidates.map(({ guard }) => guardInWords(guard, null));
    return { event, guard: guards.includes(true) ? null : alternatives(guards) };
  });
}

function regionOf(actor: Actor, region: StateNode, stage: string | null): Region {
  const transitions = Object.values(region.states).flatMap((state) => edgesFrom(region, state));
  const isFinal = (state: string) =>
    transitions.every(
      ({ from, to, event }) => from !== state || to === state || BEGINNING_ANEW.includes(event),
    );
  const parts = partsOf(actor, region.key, transitions);
  return {
    region: region.key,
    stage,
    initial: String(region.config.initial),
    states: Object.keys(region.states).map((state) => ({
      state,
      final: isFinal(state),
      part: parts.get(state) ?? null,
    })),
    transitions,
  };
}

/** The part that states play in a stage, see `stageRegion()`; none in a region that is no stage. */
function partsOf(actor: Actor, region: string, edges: readonly Edge[]): ReadonlyMap<string, string> {
  const stage = actor.stages.find((one) => one.region === region);
  if (!stage) return new Map();
  const processed = edges.find(({ event }) => event === 'succeeded')?.to;
  return new Map([
    ['NOT_APPLICABLE', 'not_applicable'],
    [stage.pending, 'pending'],
    ...stage.askAgain.map((state) => [state, 'ask_again'] as const),
    [stage.processing, 'processing'],
    ...(processed === undefined ? [] : [[processed, 'processed'] as const]),
    ['ERROR', 'error'],
  ]);
}

/** The edges that leave a state or lead back to it, by event, those of its region included. */
function edgesFrom(region: StateNode, state: StateNode): Edge[] {
  const place = { region: region.key, state: state.key };
  return [
    ...[...state.transitions].flatMap(([event, candidates]) =>
      edgesOf(place, nameWithin(region.key, event), candidates),
    ),
    ...[...region.transitions].flatMap(([event, candidates]) =>
      edgesOf(place, nameWithin(region.key, event), candidates),
    ),
    ...edgesOf(place, BY_ITSELF, [...(state.always ?? []), ...(region.always ?? [])]),
  ];
}

interface Candidate {
  readonly target: readonly { readonly key: string }[] | undefined;
  readonly guard?: unknown;
}

/**
 * The edges of one event: one for each state that it can lead to. Of several candidates the first whose guard holds is
 * taken; one without a target stays in its state.
 */
function edgesOf(place: Place, event: string, candidates: readonly Candidate[]): Edge[] {
  const guards = new Map<string, (string | boolean)[]>();
  let isOpen = true;
  let isFirst = true;
  for (const { target, guard } of candidates) {
    const text = guardInWords(guard, place);
    if (!isOpen || text === false) continue;
    const to = target?.[0]?.key ?? place.state;
    guards.set(to, [...(guards.get(to) ?? []), isFirst || text !== true ? text : 'otherwise']);
    isOpen = text !== true;
    isFirst = false;
  }
  const isSure = !isOpen && guards.size === 1;
  return [...guards].map(([to, texts]) => ({
    from: place.state,
    to,
    event,
    guard: isSure || texts.includes(true) ? null : alternatives(texts),
  }));
}

const alternatives = (texts: readonly (string | boolean)[]): string =>
  texts
    .filter((text) => typeof text === 'string')
    .map(unbracketed)
    .join('; or ');

const nameWithin = (region: string, event: string): string =>
  event.startsWith(`${region}.`) ? event.slice(region.length + 1) : event;

/** A journal entry as far as it says which way was taken. */
export interface Way {
  readonly region: string;
  readonly event: string;
  readonly from: string;
  readonly to: string;
}

/**
 * The event by which a chart has the way that a journal entry tells of: the entry's own, or `always` where what happened
 * only let a transition be taken that needs no event.
 *
 * @returns null when the chart does not have it: the entry is of no transition (`late`), or of an earlier machine
 */
export function eventOnChart(chart: Chart, { region, event, from, to }: Way): string | null {
  if (region === '')
    return chart.events.some((one) => one.event === event) || isWithin(chart, event) ? event : null;
  const edges = chart.regions.find((one) => one.region === region)?.transitions ?? [];
  const ofWay = edges.filter((edge) => edge.from === from && edge.to === to);
  const found = ofWay.find((edge) => edge.event === event) ?? ofWay.find((edge) => edge.event === BY_ITSELF);
  return found?.event ?? null;
}

/** An event that some region takes without leaving its state: the journal has it without a region. */
const isWithin = (chart: Chart, event: string): boolean =>
  chart.regions.some(({ transitions }) =>
    transitions.some((edge) => edge.event === event && edge.from === edge.to),
  );
