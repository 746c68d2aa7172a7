import type { Point } from './elk-graph.ts';

/** The SVG path along points, with its corners rounded. @param radius px, less where there is less room */
export function roundedPath(points: readonly Point[], radius = 6): string {
  const [first] = points;
  if (first === undefined) return '';
  const parts = [`M${at(first)}`];
  for (const [index, point] of points.entries()) {
    const before = points[index - 1];
    const after = points[index + 1];
    if (before === undefined) continue;
    if (after === undefined) {
      parts.push(`L${at(point)}`);
      continue;
    }
    const room = Math.min(radius, distance(before, point) / 2, distance(point, after) / 2);
    parts.push(`L${at(towards(point, before, room))}`, `Q${at(point)} ${at(towards(point, after, room))}`);
  }
  return parts.join(' ');
}

const at = ({ x, y }: Point): string => `${round(x)},${round(y)}`;
const round = (value: number): number => Math.round(value * 10) / 10;
const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

function towards(from: Point, to: Point, length: number): Point {
  const whole = distance(from, to);
  if (whole === 0) return from;
  return { x: from.x + ((to.x - from.x) * length) / whole, y: from.y + ((to.y - from.y) * length) / whole };
}
