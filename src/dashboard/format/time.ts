const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A span for people, in its largest unit and at most one more: `3 h 12 min`. */
export function spanText(ms: number): string {
  const all = Math.abs(ms);
  if (all < 1_000) return 'less than a second';
  if (all < MINUTE_MS) return `${Math.floor(all / 1_000)} s`;
  if (all < HOUR_MS) return `${Math.floor(all / MINUTE_MS)} min`;
  if (all < DAY_MS) return two(all, HOUR_MS, 'h', MINUTE_MS, 'min');
  return two(all, DAY_MS, 'd', HOUR_MS, 'h');
}

function two(ms: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const first = Math.floor(ms / large);
  const second = Math.floor((ms - first * large) / small);
  return second === 0 ? `${first} ${largeUnit}` : `${first} ${largeUnit} ${second} ${smallUnit}`;
}

/** A moment as people say it: `12 s ago`, `in 4 min`, `just now`. */
export function relativeText(at: string, nowMs: number): string {
  const ms = Date.parse(at) - nowMs;
  if (Number.isNaN(ms)) return 'unknown';
  if (Math.abs(ms) < 2_000) return 'just now';
  return ms < 0 ? `${spanText(ms)} ago` : `in ${spanText(ms)}`;
}

/** A moment in full: `2026-04-09 08:03:11 UTC`. */
export function absoluteText(at: string): string {
  const ms = Date.parse(at);
  if (Number.isNaN(ms)) return at;
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** The time of day in UTC: `08:03`. */
export const clockText = (at: string): string => absoluteText(at).slice(11, 16);
