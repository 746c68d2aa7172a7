import type { Checked, Finished, Invariant } from './contract.ts';
import type { Limits } from './limits.ts';

/**
 * Checks all invariants, one after the other. A check that cannot be made, or not in time, is a violation of what it was to
 * check, and the others are made all the same.
 *
 * @param signal ends it early
 * @throws the reason of `signal`
 */
export async function checkAll(
  invariants: readonly Invariant[],
  run: Finished,
  limits: Limits,
  signal: AbortSignal,
): Promise<readonly Checked[]> {
  const checked: Checked[] = [];
  for (const { name, check } of invariants) {
    try {
      checked.push({ name, violations: await limits.within('checks', check(run), signal) });
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      const found = `The check could not be made: ${why}`;
      checked.push({ name, violations: [{ invariant: name, found, at: null }] });
    }
  }
  return checked;
}
