import type { Edge, Node } from '@xyflow/react';
import type { Arranged, Arrangement } from './arrange.ts';
import { HEAD_PX } from './arrange.ts';
import type { EdgeDrawing, RegionDrawing, StateDrawing } from './drawing.ts';
import type { Point } from './elk-graph.ts';
import { type EdgeLabel, edgeLabel, edgeWords } from './label.ts';

export type RegionNode = Node<{ readonly title: string }, 'region'>;
export type StateNode = Node<{ readonly state: StateDrawing }, 'state'>;
export type ChartNode = RegionNode | StateNode;
export type ChartEdge = Edge<
  {
    readonly edge: EdgeDrawing;
    readonly points: readonly Point[];
    readonly label: (EdgeLabel & Point) | null;
    /** The sequence number of the transition that takes it right now; null when none does. */
    readonly moving: number | null;
  },
  'taken'
>;

interface Drawn {
  readonly nodes: ChartNode[];
  readonly edges: ChartEdge[];
}

export interface FlowOptions {
  readonly titleOf: (region: RegionDrawing) => string;
  /** Edge → the transition that takes it right now. */
  readonly moving: ReadonlyMap<string, number>;
}

/** The nodes and edges of the chart: a group for each region with its states inside. */
export function flowOf(
  drawings: readonly RegionDrawing[],
  { regions }: Arrangement,
  options: FlowOptions,
): Drawn {
  const drawn: Drawn = { nodes: [], edges: [] };
  for (const place of regions) {
    const region = drawings.find((one) => one.region === place.region);
    if (region === undefined) continue;
    drawn.nodes.push(groupOf(region, place, options.titleOf(region)));
    for (const state of region.states) {
      const box = place.layout.states.get(state.state);
      if (box !== undefined) drawn.nodes.push(stateOf(region, state, box));
    }
    for (const edge of region.edges) {
      const one = edgeOf(region, edge, place, options);
      if (one !== null) drawn.edges.push(one);
    }
  }
  return drawn;
}

const fixed = { draggable: false, connectable: false, deletable: false, selectable: false } as const;

const groupOf = (region: RegionDrawing, { x, y, width, height }: Arranged, title: string): RegionNode => ({
  ...fixed,
  id: region.region,
  type: 'region',
  position: { x, y },
  width,
  height,
  focusable: false,
  data: { title },
});

const nodeId = (region: string, state: string): string => `${region}/${state}`;

const stateOf = (
  region: RegionDrawing,
  state: StateDrawing,
  box: { x: number; y: number; width: number; height: number },
): StateNode => ({
  ...fixed,
  id: nodeId(region.region, state.state),
  type: 'state',
  parentId: region.region,
  position: { x: box.x, y: box.y + HEAD_PX },
  width: box.width,
  height: box.height,
  ariaRole: 'img',
  ariaLabel: `${region.region}: ${state.state}${state.isActive ? ', active' : state.isVisited ? ', was there' : ''}`,
  data: { state },
});

function edgeOf(
  region: RegionDrawing,
  edge: EdgeDrawing,
  { x, y, layout }: Arranged,
  { moving }: FlowOptions,
): ChartEdge | null {
  const place = layout.edges.get(edge.id);
  if (place === undefined) return null;
  const shift = (point: Point): Point => ({ x: point.x + x, y: point.y + y + HEAD_PX });
  const label = place.label === null ? null : { ...edgeLabel(edge), ...shift(place.label) };
  return {
    id: edge.id,
    type: 'taken',
    source: nodeId(region.region, edge.from),
    target: nodeId(region.region, edge.to),
    focusable: edge.isTaken,
    selectable: false,
    deletable: false,
    zIndex: edge.isTaken ? 2 : 1,
    ariaRole: 'img',
    ariaLabel: `${region.region}: ${edgeWords(edge)}`,
    data: { edge, points: place.points.map(shift), label, moving: moving.get(edge.id) ?? null },
  };
}
