import { ReactFlow } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Loading } from '../ui/index.ts';
import './chart.css';
import type { RegionDrawing } from './drawing.ts';
import { flowOf } from './flow.ts';
import { ArrowHeads, RegionNode, StateNode, TakenEdge } from './parts.tsx';
import { useArrangement } from './use-arrangement.ts';

const nodeTypes = { region: RegionNode, state: StateNode };
const edgeTypes = { taken: TakenEdge };

/** No smaller: what does not fit then scrolls. */
const SCALE_MIN = 0.8;

interface Props {
  /** What the chart is of. */
  readonly label: string;
  readonly regions: readonly RegionDrawing[];
  readonly titleOf: (region: RegionDrawing) => string;
  /** Whether transitions that were never taken and cannot be taken next are drawn as well. */
  readonly all: boolean;
  /** Edges that are being taken right now, with the transition's sequence number. */
  readonly moving: ReadonlyMap<string, number>;
}

/** The statechart of an actor, drawn as wide as there is room; the page scrolls, not the chart. */
export default function StateChart({ label, regions, titleOf, all, moving }: Props) {
  const { element, room } = useRoom();
  const shownEdges = useMemo(
    () =>
      new Set(
        regions.flatMap(({ edges }) =>
          edges.filter((edge) => all || edge.isTaken || edge.isPossible).map(({ id }) => id),
        ),
      ),
    [regions, all],
  );
  const { arrangement, failed } = useArrangement(regions, shownEdges, room);
  const flow = useMemo(
    () => (arrangement === null ? null : flowOf(regions, arrangement, { titleOf, moving })),
    [regions, arrangement, titleOf, moving],
  );
  const scale =
    arrangement === null || arrangement.width === 0
      ? 1
      : Math.max(SCALE_MIN, Math.min(1, room / arrangement.width));
  return (
    <section className="chart" ref={element} aria-label={label}>
      {failed ? <p>The chart cannot be drawn in this browser; the list below says the same.</p> : null}
      {arrangement === null || flow === null ? (
        failed ? null : (
          <Loading what="Drawing" />
        )
      ) : (
        <div
          className="chart-canvas"
          style={{ width: arrangement.width * scale, height: arrangement.height * scale }}
        >
          <ArrowHeads />
          <ReactFlow
            nodes={flow.nodes}
            edges={flow.edges}
            nodeTypes={nodeTypes}
            edgeTypes={edgeTypes}
            viewport={{ x: 0, y: 0, zoom: scale }}
            nodesDraggable={false}
            nodesConnectable={false}
            elementsSelectable={false}
            panOnDrag={false}
            panOnScroll={false}
            zoomOnScroll={false}
            zoomOnPinch={false}
            zoomOnDoubleClick={false}
            preventScrolling={false}
            autoPanOnNodeFocus={false}
            minZoom={SCALE_MIN}
            maxZoom={1}
          />
        </div>
      )}
    </section>
  );
}

/** The width of an element, followed as it changes. */
function useRoom() {
  const element = useRef<HTMLElement>(null);
  const [room, setRoom] = useState(0);
  useEffect(() => {
    const { current } = element;
    if (current === null) return;
    const observer = new ResizeObserver(([entry]) => setRoom(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return { element, room };
}
