/** The close code for a client that did not read fast enough (`FELL_BEHIND` of the wire). */
export const FELL_BEHIND_CODE = 4008;

const WAIT_MS_MIN = 500;
const WAIT_MS_MAX = 5_000;

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
