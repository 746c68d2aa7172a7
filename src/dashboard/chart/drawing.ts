import type { ActorDetail, Chart } from '../../api/operator/wire/actors.ts';

/** One event on an edge, and how often this actor took the edge by it. */
export interface EventTrace {
  readonly event: string;
  /** What must hold, in words; one for each transition of that name between the same two states. */
  readonly guards: readonly string[];
  readonly count: number;
  readonly lastAt: string | null;
}

/** All transitions from one state to another. */
export interface EdgeDrawing {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Those taken first, the latest of them at the head. */
  readonly events: readonly EventTrace[];
  readonly isTaken: boolean;
  /** Whether it leaves the state that is active. */
  readonly isPossible: boolean;
}

export interface StateDrawing {
  readonly state: string;
  readonly part: string | null;
  readonly isActive: boolean;
  /** Whether the actor is or was there. */
  readonly isVisited: boolean;
}

/** One region of an actor as it is drawn: its machine's states and transitions with the actor's trace on them. */
export interface RegionDrawing {
  readonly region: string;
  readonly stage: string | null;
  readonly active: string;
  /** Still as it began, and nothing has ever happened in it: it plays no part. */
  readonly isIdle: boolean;
  readonly states: readonly StateDrawing[];
  readonly edges: readonly EdgeDrawing[];
}

type Traced = Pick<ActorDetail, 'regions' | 'taken'>;
type ChartRegion = Chart['regions'][number];
type Taken = ActorDetail['taken'][number];

/** Lays what an actor did over the chart of its machine, region by region in the order of the chart. */
export function drawingOf(chart: Chart, actor: Traced): readonly RegionDrawing[] {
  return chart.regions.map((region) => {
    const own = actor.regions.find((one) => one.region === region.region);
    const taken = actor.taken.filter((one) => one.region === region.region);
    const active = own?.state ?? region.initial;
    const isUntouched = taken.length === 0 && active === region.initial && (own?.attempts ?? 0) === 0;
    return {
      region: region.region,
      stage: region.stage,
      active,
      isIdle: isUntouched && (own?.error ?? null) === null,
      states: statesOf(region, active, taken),
      edges: edgesOf(region, active, taken),
    };
  });
}

function statesOf(region: ChartRegion, active: string, taken: readonly Taken[]): readonly StateDrawing[] {
  const visited = new Set([region.initial, active, ...taken.flatMap(({ from, to }) => [from, to])]);
  const parts = new Map(region.states.map(({ state, part }) => [state, part]));
  // A state that the machine no longer has may still be in the journal.
  const names = new Set([...parts.keys(), active, ...taken.flatMap(({ from, to }) => [from, to])]);
  return [...names].map((state) => ({
    state,
    part: parts.get(state) ?? null,
    isActive: state === active,
    isVisited: visited.has(state),
  }));
}

interface Gathered {
  readonly from: string;
  readonly to: string;
  readonly events: Map<string, EventTrace>;
}

function edgesOf(region: ChartRegion, active: string, taken: readonly Taken[]): readonly EdgeDrawing[] {
  const edges = new Map<string, Gathered>();
  const add = (from: string, to: string, event: string, change: (trace: EventTrace) => EventTrace): void => {
    const id = edgeId(region.region, from, to);
    const edge = edges.get(id) ?? { from, to, events: new Map() };
    edges.set(id, edge);
    edge.events.set(event, change(edge.events.get(event) ?? { event, guards: [], count: 0, lastAt: null }));
  };
  for (const { from, to, event, guard } of region.transitions) {
    add(from, to, event, (trace) =>
      guard === null || trace.guards.includes(guard) ? trace : { ...trace, guards: [...trace.guards, guard] },
    );
  }
  for (const { from, to, event, count, last_at } of taken) {
    add(from, to, event, (trace) => ({ ...trace, count: trace.count + count, lastAt: last_at }));
  }
  return [...edges].map(([id, { from, to, events }]) => {
    const all = [...events.values()].sort(byLatest);
    return { id, from, to, events: all, isTaken: all.some(wasTaken), isPossible: from === active };
  });
}

export const wasTaken = ({ count }: EventTrace): boolean => count > 0;

/** Names one edge of a drawing. */
export const edgeId = (region: string, from: string, to: string): string => `${region}:${from}>${to}`;

function byLatest(a: EventTrace, b: EventTrace): number {
  if (wasTaken(a) !== wasTaken(b)) return wasTaken(a) ? -1 : 1;
  return (b.lastAt ?? '').localeCompare(a.lastAt ?? '');
}

/** The events of an actor as a whole: those that its machine takes in any state, and whatever else moved no region. */
export function eventsOf(
  chart: Pick<Chart, 'events'>,
  { taken }: Pick<ActorDetail, 'taken'>,
): readonly EventTrace[] {
  const traces = new Map<string, EventTrace>();
  for (const { event, guard } of chart.events) {
    const before = traces.get(event) ?? { event, guards: [], count: 0, lastAt: null };
    traces.set(event, guard === null ? before : { ...before, guards: [...before.guards, guard] });
  }
  for (const { region, event, count, last_at } of taken) {
    if (region !== '') continue;
    const before = traces.get(event) ?? { event, guards: [], count: 0, lastAt: null };
    traces.set(event, { ...before, count: before.count + count, lastAt: last_at });
  }
  return [...traces.values()].sort(byLatest);
}
