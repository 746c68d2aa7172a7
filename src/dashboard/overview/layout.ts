/** Where each stage stands in the drawing of the pipeline: which lane, which column, and how far down, in nodes. */
interface Spot {
  readonly lane: number;
  readonly column: number;
  readonly row: number;
}

const LANES = ['Cash', 'In kind, and cash that is handed out'] as const;

const SPOTS: Readonly<Record<string, Spot>> = {
  mapper_resolution: { lane: 0, column: 0, row: 0 },
  check_funds_with_bank: { lane: 0, column: 0, row: 1 },
  block_funds_with_bank: { lane: 0, column: 1, row: 1 },
  disburse_funds_from_bank: { lane: 0, column: 2, row: 0 },
  release_funds_with_bank: { lane: 0, column: 3, row: 1 },
  mt940_processor: { lane: 0, column: 3, row: 0 },
  geo_resolution: { lane: 1, column: 0, row: 1 },
  warehouse_allocation: { lane: 1, column: 1, row: 1 },
  agency_allocation: { lane: 1, column: 2, row: 1 },
  warehouse_notification: { lane: 1, column: 3, row: 0 },
  agency_notification: { lane: 1, column: 3, row: 1 },
  beneficiary_notification: { lane: 1, column: 3, row: 2 },
};

/** What a stage's work goes on to. */
const EDGES: readonly (readonly [from: string, to: string])[] = [
  ['mapper_resolution', 'disburse_funds_from_bank'],
  ['check_funds_with_bank', 'block_funds_with_bank'],
  ['block_funds_with_bank', 'disburse_funds_from_bank'],
  ['block_funds_with_bank', 'release_funds_with_bank'],
  ['disburse_funds_from_bank', 'mt940_processor'],
  ['geo_resolution', 'warehouse_allocation'],
  ['warehouse_allocation', 'agency_allocation'],
  ['agency_allocation', 'disburse_funds_from_bank'],
  ['agency_allocation', 'warehouse_notification'],
  ['agency_allocation', 'agency_notification'],
  ['agency_allocation', 'beneficiary_notification'],
];

const COLUMNS = 4;
export const NODE_WIDTH = 208;
export const NODE_HEIGHT = 112;
const ROW_GAP = 22;
const LANE_HEAD = 34;
const LANE_GAP = 20;
/** Below this width the nodes would touch: a list is better. */
export const DRAWING_WIDTH_MIN = COLUMNS * NODE_WIDTH + (COLUMNS - 1) * 28;

export interface Placed {
  readonly stage: string;
  readonly x: number;
  readonly y: number;
}

export interface Lane {
  readonly title: string;
  readonly y: number;
  readonly height: number;
}

export interface Way {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** To what stands right above. */
  readonly isUp: boolean;
}

export interface Drawing {
  readonly nodes: readonly Placed[];
  readonly lanes: readonly Lane[];
  readonly edges: readonly Way[];
  readonly height: number;
}

/**
 * Places the stages of a system for a drawing of a width, px. Stages that this app does not know stand in a lane of their
 * own, one after the other.
 */
export function drawing(stages: readonly string[], width: number): Drawing {
  const step = (width - NODE_WIDTH) / (COLUMNS - 1);
  const others = stages.filter((stage) => !Object.hasOwn(SPOTS, stage));
  const spots = stages.map((stage): Spot & { readonly stage: string } => {
    const at = others.indexOf(stage);
    const spot = SPOTS[stage] ?? { lane: LANES.length, column: at % COLUMNS, row: Math.floor(at / COLUMNS) };
    return { stage, ...spot };
  });
  const lanes: Lane[] = [];
  const nodes: Placed[] = [];
  let top = 0;
  for (const [lane, title] of [...LANES, 'Others'].entries()) {
    const inside = spots.filter((one) => one.lane === lane);
    if (inside.length === 0) continue;
    const rows = 1 + Math.max(...inside.map(({ row }) => row));
    const height = LANE_HEAD + rows * NODE_HEIGHT + (rows - 1) * ROW_GAP;
    lanes.push({ title, y: top, height });
    for (const { stage, column, row } of inside) {
      nodes.push({
        stage,
        x: Math.round(column * step),
        y: top + LANE_HEAD + row * (NODE_HEIGHT + ROW_GAP),
      });
    }
    top += height + LANE_GAP;
  }
  const edges = EDGES.filter(([from, to]) => stages.includes(from) && stages.includes(to)).map(
    ([source, target]) => ({
      id: `${source}>${target}`,
      source,
      target,
      isUp: SPOTS[source]?.column === SPOTS[target]?.column,
    }),
  );
  return { nodes, lanes, edges, height: Math.max(0, top - LANE_GAP) };
}
