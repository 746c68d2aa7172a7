import type { Tally } from '../../api/operator/wire/common.ts';
import type { FeedMessage } from '../../api/operator/wire/feed.ts';
import type { StageOverview } from './types.ts';

type Summary = Extract<FeedMessage, { type: 'summary' }>;

/** The tallies of the stages as of one sequence number of the journal. */
export interface LiveTallies {
  readonly seq: number;
  readonly byStage: ReadonlyMap<string, Tally>;
}

/** What a view says, as where to begin. */
export const talliesOf = (seq: number, stages: readonly StageOverview[]): LiveTallies => ({
  seq,
  byStage: new Map(stages.map(({ stage, tally }) => [stage, tally])),
});

/** What the tallies follow of the journal. */
export interface Begin {
  /** Another one for every time that the feed is followed anew. */
  readonly generation: number;
  /** After which sequence number; null: not yet, the view is too old. */
  readonly seq: number | null;
  /** The view must have everything up to there: something of it will not arrive. */
  readonly least: number;
}

/** Where to begin anew with a view of the sequence number `seq`; later when it lacks something that will not arrive. */
export const beginAfter = ({ generation }: Begin, seq: number, least: number): Begin =>
  seq < least ? { generation, seq: null, least } : { generation: generation + 1, seq, least };

/** What a summary has made of the tallies. */
export interface Applied {
  readonly tallies: LiveTallies;
  /** Stages that finished work: what follows them gets it. */
  readonly finished: readonly string[];
}

/**
 * Adds what a summary says. Tallies and summaries fit together only where one ends and the other begins: a summary that
 * is in the tallies already changes nothing, and after one that leaves a gap, or overlaps, nobody can tell.
 *
 * @returns null when the summary does not fit: begin anew with what the view says
 */
export function applySummary(
  tallies: LiveTallies,
  stages: readonly StageOverview[],
  { after, seq, moves }: Summary,
): Applied | null {
  if (seq <= tallies.seq) return { tallies, finished: [] };
  if (after !== tallies.seq) return null;
  const byStage = new Map(tallies.byStage);
  const finished: string[] = [];
  // The moves of a summary stand in no order: in between a count may be below zero.
  for (const { machine, region, from, to, count } of moves) {
    const stage = stages.find((one) => one.machine === machine && one.region === region);
    const tally = stage && byStage.get(stage.stage);
    if (!stage || !tally || from === to) continue;
    byStage.set(stage.stage, moved(moved(tally, partOf(stage, from), -count), partOf(stage, to), count));
    if (to === stage.states.processed) finished.push(stage.stage);
  }
  return { tallies: { seq, byStage }, finished };
}

/** The part that a state plays in a stage; null when it is not counted. */
function partOf({ states }: StageOverview, state: string): keyof Tally | null {
  if (state === states.pending) return 'pending';
  if (state === states.ask_again) return 'ask_again';
  if (state === states.processing) return 'processing';
  if (state === states.processed) return 'processed';
  if (state === states.error) return 'error';
  return null;
}

const moved = (tally: Tally, part: keyof Tally | null, by: number): Tally =>
  part === null ? tally : { ...tally, [part]: tally[part] + by };

/** The stages with the newest tallies there are: of the view, or of what has arrived since. */
export const withTallies = (
  seq: number,
  stages: readonly StageOverview[],
  live: LiveTallies | null,
): readonly StageOverview[] =>
  live === null || live.seq < seq
    ? stages
    : stages.map((one) => ({ ...one, tally: live.byStage.get(one.stage) ?? one.tally }));
