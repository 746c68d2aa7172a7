import type { StateCounts } from '../../runtime/counts.ts';
import type { StageInfo } from './stages.ts';
import type { Tally } from './wire/common.ts';

/** What became of a stage's work, of counts of whatever kind. */
export function tallyOf({ actor, region, states }: StageInfo, counts: StateCounts | undefined): Tally {
  const found = counts?.get(`${actor.name}.${region.region}`);
  const of = (state: string | null): number => (state === null ? 0 : (found?.get(state) ?? 0));
  return {
    pending: of(states.pending),
    ask_again: of(states.ask_again),
    processing: of(states.processing),
    processed: of(states.processed),
    error: of(states.error),
  };
}

/** Whether any work ever came to it. */
export const isEmpty = (tally: Tally): boolean => Object.values(tally).every((count) => count === 0);
