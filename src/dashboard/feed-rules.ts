/** The close code for a client that did not read fast enough (`FELL_BEHIND` of the wire). */
export const FELL_BEHIND_CODE = 4008;

const WAIT_MS_MIN = 500;
const WAIT_MS_MAX = 5_000;

/**
 * What is asked of the feed besides its filter. A browser cannot see why a socket was refused, so it must not be refused for
 * what was removed as too old: that is left out, and the greeting says so, see {@link missesHistory}.
 *
 * @param after the sequence number after which to go on; null: from now on
 */
export function placeOf(after: number | null): { readonly after?: number; readonly pruned: 'skip' } {
  return after === null ? { pruned: 'skip' } : { after, pruned: 'skip' };
}

/**
 * Whether something that has happened since will never arrive, since it was removed as too old: what is shown must then be
 * asked for anew.
 *
 * @param after the sequence number after which the feed was to go on; null: it begins now
 * @param pruned of its greeting
 */
export const missesHistory = (after: number | null, pruned: number): boolean =>
  after !== null && after < pruned;

/**
 * How long to wait before the feed is connected again, ms: longer after every failure, and never the same for all
 * browsers, which would otherwise come back at once after a restart.
 *
 * @param failures in a row
 * @param chance from 0 to 1
 */
export function nextWaitMs(failures: number, chance: number): number {
  const most = Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** Math.min(failures, 10));
  return Math.round(most * (0.5 + chance / 2));
}
