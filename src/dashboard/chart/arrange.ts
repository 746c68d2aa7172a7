import type { Direction, RegionLayout } from './elk-graph.ts';

/** A region with its place among the others, px. */
export interface Arranged {
  readonly region: string;
  readonly direction: Direction;
  readonly layout: RegionLayout;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Arrangement {
  readonly regions: readonly Arranged[];
  readonly width: number;
  readonly height: number;
}

/** Room for a region's title above its states. */
export const HEAD_PX = 34;
const GAP_PX = 16;
/** How much smaller than its measure a chart may be drawn before another direction is better. */
const SHRINK = 1.12;

/** Whether a region can stand in so much room, px. */
export const fits = ({ width }: RegionLayout, room: number): boolean => width <= room * SHRINK;

/** A region, laid out. */
export type Laid = Pick<Arranged, 'region' | 'direction' | 'layout'>;

/**
 * Puts regions beside each other while there is room, in their order.
 *
 * @param room the width there is, px
 */
export function arrange(laid: readonly Laid[], room: number): Arrangement {
  const regions: Arranged[] = [];
  let x = 0;
  let y = 0;
  let rowHeight = 0;
  for (const { region, direction, layout } of laid) {
    const height = layout.height + HEAD_PX;
    if (x > 0 && x + layout.width > room * SHRINK) {
      x = 0;
      y += rowHeight + GAP_PX;
      rowHeight = 0;
    }
    regions.push({ region, direction, layout, x, y, width: layout.width, height });
    x += layout.width + GAP_PX;
    rowHeight = Math.max(rowHeight, height);
  }
  return { regions, width: Math.max(0, ...regions.map((one) => one.x + one.width)), height: y + rowHeight };
}
