import type { WorkActionAnswer } from '../../api/operator/wire/actions.ts';

/** How far an action on many records has come, and how it ended. */
export interface Outcome {
  readonly accepted: number;
  readonly refused: number;
  /** Records that it has not been tried on. */
  readonly remaining: number;
  /** `stopped`: somebody asked to; `stuck`: the rest cannot do it. */
  readonly ended: 'running' | 'done' | 'stopped' | 'stuck';
}

/**
 * Asks again until nothing remains: one request acts on a part only.
 *
 * @param once one request
 * @param onProgress after each request
 * @param signal stops before the next request; what a request has done stays done
 * @throws what a request throws; what the requests before it did has been told to `onProgress`
 */
export async function runAction(
  once: () => Promise<WorkActionAnswer>,
  onProgress: (outcome: Outcome) => void,
  signal: AbortSignal,
): Promise<Outcome> {
  let outcome: Outcome = { accepted: 0, refused: 0, remaining: 0, ended: 'running' };
  while (outcome.ended === 'running') {
    outcome = add(outcome, await once(), signal.aborted);
    onProgress(outcome);
  }
  return outcome;
}

function add(before: Outcome, { accepted, refused, remaining }: WorkActionAnswer, stop: boolean): Outcome {
  const sums = { accepted: before.accepted + accepted, refused: before.refused + refused, remaining };
  if (remaining === 0) return { ...sums, ended: 'done' };
  // What refuses still fits the target: asking for it for ever would never end.
  if (accepted === 0) return { ...sums, ended: 'stuck' };
  return { ...sums, ended: stop ? 'stopped' : 'running' };
}
