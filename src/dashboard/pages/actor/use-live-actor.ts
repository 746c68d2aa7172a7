import { useEffect, useMemo, useRef, useState } from 'react';
import type { ActorDetail } from '../../../api/operator/wire/actors.ts';
import type { TransitionOnWire } from '../../../api/operator/wire/common.ts';
import { refreshViews, useView } from '../../api.ts';
import { advance } from '../../chart/advance.ts';
import { edgeId } from '../../chart/drawing.ts';
import { useFeed } from '../../feed.ts';

/** How long a transition is seen moving, ms; as long as its animation and a little more. */
const MOVING_MS = 1_600;
/** Transitions come in bursts: what they do not tell is asked for once they rest. */
const SETTLED_MS = 400;

/** Where the views of an actor are. */
export const actorPath = (machine: string, id: string): string =>
  `/operator/actors/${encodeURIComponent(machine)}/${encodeURIComponent(id)}`;

/** An actor as it is now: what the server told, and every transition since then as the feed brings it. */
export function useLiveActor(machine: string, id: string) {
  const path = actorPath(machine, id);
  const view = useView<ActorDetail>(path);
  const [news, setNews] = useState<readonly TransitionOnWire[]>([]);
  const { moving, move } = useMoving();
  const settle = useDebounced(() => void refreshViews(path), SETTLED_MS);
  const { data } = view;
  useFeed(
    { machine, id },
    (message) => {
      if (message.type !== 'transition') return;
      setNews((before) => [...before.filter(({ seq }) => seq > (data?.seq ?? 0)), message]);
      move(edgeId(message.region, message.from, message.to), message.seq);
      settle();
    },
    { after: data?.seq ?? null },
  );
  const actor = useMemo(() => (data === undefined ? undefined : news.reduce(advance, data)), [data, news]);
  return { view, actor, moving };
}

/** The edges that are being taken right now, each for a moment. */
function useMoving() {
  const [moving, setMoving] = useState<ReadonlyMap<string, number>>(new Map());
  const timers = useRef(new Set<ReturnType<typeof setTimeout>>());
  useEffect(() => {
    const { current } = timers;
    return () => {
      for (const timer of current) clearTimeout(timer);
    };
  }, []);
  const move = (edge: string, seq: number): void => {
    setMoving((before) => new Map(before).set(edge, seq));
    const timer = setTimeout(() => {
      timers.current.delete(timer);
      // Taken once more meanwhile: that one ends by itself.
      setMoving((now) => (now.get(edge) === seq ? new Map([...now].filter(([one]) => one !== edge)) : now));
    }, MOVING_MS);
    timers.current.add(timer);
  };
  return { moving, move };
}

function useDebounced(run: () => void, ms: number): () => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(run, ms);
  };
}
