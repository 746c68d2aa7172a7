import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import type { RegionDrawing } from './drawing.ts';
import { edgeLabel } from './label.ts';

/** How a region is laid out: beside each other where there is room, below each other on a phone. */
export type Direction = 'RIGHT' | 'DOWN';

export interface Point {
  readonly x: number;
  readonly y: number;
}
interface Box extends Point {
  readonly width: number;
  readonly height: number;
}
/** Where everything of one region is, px from its upper left corner. */
export interface RegionLayout {
  readonly width: number;
  readonly height: number;
  readonly states: ReadonlyMap<string, Box>;
  readonly edges: ReadonlyMap<string, { readonly points: readonly Point[]; readonly label: Box | null }>;
}

const STATE = { char: 7.6, padding: 34, height: 38 } as const;

/** From the beginning of a region's life to its end. */
const PARTS = ['not_applicable', 'pending', 'ask_again', 'processing', 'processed', 'error'];
const rank = (part: string | null): number => (part === null ? 0 : PARTS.indexOf(part));

/**
 * The graph of a region as elkjs takes it, with room for the labels. What leads on comes further on; the rest of the order
 * is kept, so that the same machine always looks the same. States that no edge leads to are left out.
 *
 * @param isDrawn the edges to lay out
 */
export function elkGraphOf(
  region: RegionDrawing,
  direction: Direction,
  isDrawn: (edgeId: string) => boolean,
): ElkNode {
  const edges = region.edges.filter(({ id }) => isDrawn(id));
  const ends = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const states = region.states
    .filter(({ state, isActive, isVisited }) => isActive || isVisited || ends.has(state))
    .sort((a, b) => rank(a.part) - rank(b.part));
  return {
    id: region.region,
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': direction,
      'elk.edgeRouting': 'ORTHOGONAL',
      'elk.padding': '[top=12,left=12,bottom=12,right=12]',
      'elk.spacing.nodeNode': '28',
      'elk.spacing.edgeNode': '16',
      'elk.spacing.edgeEdge': '12',
      'elk.spacing.edgeLabel': '4',
      'elk.spacing.nodeSelfLoop': '14',
      'elk.layered.spacing.nodeNodeBetweenLayers': '20',
      'elk.layered.spacing.edgeNodeBetweenLayers': '12',
      'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
      'elk.layered.considerModelOrder.strategy': 'PREFER_NODES',
      'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
      'elk.edgeLabels.inline': 'true',
    },
    children: states.map(({ state }) => ({
      id: state,
      width: Math.ceil(state.length * STATE.char) + STATE.padding,
      height: STATE.height,
    })),
    edges: edges.map((edge): ElkExtendedEdge => {
      const { width, height } = edgeLabel(edge);
      const labels = [{ id: `${edge.id}/label`, text: edge.id, width, height }];
      return { id: edge.id, sources: [edge.from], targets: [edge.to], labels };
    }),
  };
}

/** Reads what elkjs has answered. */
export function layoutOf(graph: ElkNode): RegionLayout {
  const states = (graph.children ?? []).map((node) => [node.id, boxOf(node)] as const);
  const edges = (graph.edges ?? []).map((edge) => {
    const points = (edge.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) => [
      startPoint,
      ...bendPoints,
      endPoint,
    ]);
    const [label] = edge.labels ?? [];
    return [edge.id, { points, label: label === undefined ? null : boxOf(label) }] as const;
  });
  return {
    width: graph.width ?? 0,
    height: graph.height ?? 0,
    states: new Map(states),
    edges: new Map(edges),
  };
}

const boxOf = ({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box => ({ x, y, width, height });
