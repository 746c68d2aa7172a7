import { useEffect, useRef, useState } from 'react';
import type { Overview } from '../../api/operator/wire/overview.ts';
import { refreshViews } from '../api.ts';
import { useFeed } from '../feed.ts';
import {
  applySummary,
  type Begin,
  beginAfter,
  type LiveTallies,
  talliesOf,
  withTallies,
} from './live-tallies.ts';
import type { StageOverview } from './types.ts';

const SUMMARY_MS = 400;
/** How long a stage that finished work is shown to hand it on. */
const LIT_MS = 1_400;

/**
 * The stages of an overview, their counts moving as transitions arrive: exactly what the journal says.
 *
 * @returns the stages, and those that have just finished work
 */
export function useLiveStages(overview: Overview): {
  readonly stages: readonly StageOverview[];
  readonly lit: ReadonlySet<string>;
} {
  const [live, setLive] = useState<LiveTallies>(() => talliesOf(overview.seq, overview.stages));
  const [lit, light] = useLit();
  // Where the feed is begun anew when what it sends does not fit; the tallies then follow the view until it does.
  const [begin, setBegin] = useState<Begin>({ generation: 0, seq: overview.seq, least: 0 });
  const now = useRef({ live, overview });
  useEffect(() => {
    now.current.overview = overview;
  });
  const keep = (tallies: LiveTallies): void => {
    now.current.live = tallies;
    setLive(tallies);
  };
  const beginAnew = (least: number): void => {
    const { seq, stages } = now.current.overview;
    keep(talliesOf(seq, stages));
    setBegin((before) => beginAfter(before, seq, Math.max(before.least, least)));
    void refreshViews('/operator/overview');
  };
  const isWaiting = begin.seq === null && overview.seq >= begin.least;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the view that was waited for is there
  useEffect(() => {
    if (isWaiting) beginAnew(0);
  }, [isWaiting]);
  useFeed(
    { summary_ms: SUMMARY_MS },
    (message) => {
      if (message.type !== 'summary') return;
      const applied = applySummary(now.current.live, now.current.overview.stages, message);
      if (applied === null) beginAnew(0);
      else {
        keep(applied.tallies);
        light(applied.finished);
      }
    },
    { after: begin.seq, generation: begin.generation, onMissing: beginAnew },
  );
  return { stages: withTallies(overview.seq, overview.stages, live), lit };
}

/** Names that are in the set for a moment after they were given. */
function useLit(): [ReadonlySet<string>, (names: readonly string[]) => void] {
  const [lit, setLit] = useState<ReadonlySet<string>>(new Set());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const light = (names: readonly string[]): void => {
    if (names.length === 0) return;
    setLit(new Set(names));
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setLit(new Set()), LIT_MS);
  };
  return [lit, light];
}
