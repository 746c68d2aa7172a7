import type { ELK } from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import type { RegionDrawing } from './drawing.ts';
import { type Direction, elkGraphOf, layoutOf, type RegionLayout } from './elk-graph.ts';

/** Layouts kept at most: a page shows a handful, and moving to and fro should not compute them again. */
const KEPT_MAX = 200;
const kept = new Map<string, Promise<RegionLayout>>();
let engine: Promise<ELK> | null = null;

/** The layout engine is large: it is loaded with the first chart, and works beside the page in a worker. */
function engineOf(): Promise<ELK> {
  engine ??= import('elkjs/lib/elk-api.js').then(({ default: Elk }) => new Elk({ workerUrl }));
  return engine;
}

export interface LayoutRequest {
  readonly region: RegionDrawing;
  readonly direction: Direction;
  /** Ids of the edges to draw. */
  readonly edges: ReadonlySet<string>;
}

/** Lays out one region. The same graph is laid out once. */
export async function layOut({ region, direction, edges }: LayoutRequest): Promise<RegionLayout> {
  const graph = elkGraphOf(region, direction, (id) => edges.has(id));
  const key = JSON.stringify(graph);
  const known = kept.get(key);
  if (known !== undefined) return known;
  const layout = engineOf()
    .then((elk) => elk.layout(graph))
    .then(layoutOf);
  kept.set(key, layout);
  for (const oldest of kept.keys()) if (kept.size > KEPT_MAX) kept.delete(oldest);
  layout.catch(() => kept.delete(key));
  return layout;
}
