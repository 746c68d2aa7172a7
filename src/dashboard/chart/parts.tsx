import { EdgeLabelRenderer, type EdgeProps, Handle, type NodeProps, Position } from '@xyflow/react';
import { useNow } from '../format/live-time.ts';
import { stateKind } from '../format/states.ts';
import { Icon } from '../ui/index.ts';
import type { ChartEdge, RegionNode as RegionNodeType, StateNode as StateNodeType } from './flow.ts';
import { edgeTitle, shortTime } from './label.ts';
import { roundedPath } from './path.ts';

/** The frame of a region with its title. */
export const RegionNode = ({ data: { title } }: NodeProps<RegionNodeType>) => (
  <div className="chart-region">
    <span className="chart-region-title">{title}</span>
  </div>
);

/** A state: lit where the actor is, in full where it was, faint where it never came. */
export function StateNode({ data: { state } }: NodeProps<StateNodeType>) {
  const kind = stateKind(state.state);
  const presence = state.isActive ? 'active' : state.isVisited ? 'visited' : 'faint';
  return (
    <div className={`chart-state chart-state-${presence} state-${kind}`}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      {state.isActive ? <Icon name={kind} size={13} /> : null}
      {state.state}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}

/** All transitions between two states, with how often and when they were taken. */
export function TakenEdge({ data }: EdgeProps<ChartEdge>) {
  if (data === undefined) return null;
  const { edge, points, label, moving } = data;
  const path = roundedPath(points);
  const presence = edge.isTaken ? 'taken' : edge.isPossible ? 'possible' : 'faint';
  return (
    <>
      {moving === null ? null : (
        <EdgeLabelRenderer>
          <span key={moving} className="chart-mover" style={{ offsetPath: `path("${path}")` }} />
        </EdgeLabelRenderer>
      )}
      <path
        d={path}
        className={`chart-edge chart-edge-${presence}${moving === null ? '' : ' chart-edge-moving'}`}
        markerEnd={`url(#chart-arrow-${moving === null ? presence : 'taken'})`}
      />
      {label === null ? null : (
        <EdgeLabelRenderer>
          <div
            className={`chart-label chart-label-${presence}`}
            title={edgeTitle(edge)}
            style={{
              transform: `translate(${label.x}px, ${label.y}px)`,
              width: label.width,
              height: label.height,
            }}
          >
            {label.taken.map((one) => (
              <span key={one.event} className="chart-trace">
                <span>
                  {one.event} <b>×{one.count}</b>
                </span>
                {one.lastAt === null ? null : <ShortTime at={one.lastAt} />}
              </span>
            ))}
            {label.others.map((line) => (
              <span key={line}>{line}</span>
            ))}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

function ShortTime({ at }: { readonly at: string }) {
  const now = useNow();
  return <time dateTime={at}>{shortTime(at, new Date(now))}</time>;
}

/** The arrow heads, which an edge names by its presence. */
export const ArrowHeads = () => (
  <svg className="chart-defs" aria-hidden="true">
    <defs>
      {['taken', 'possible', 'faint'].map((presence) => (
        <marker
          key={presence}
          id={`chart-arrow-${presence}`}
          className={`chart-arrow-${presence}`}
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="8"
          markerHeight="8"
          markerUnits="userSpaceOnUse"
          orient="auto-start-reverse"
        >
          <path d="M0,0.5 L8,4 L0,7.5 z" />
        </marker>
      ))}
    </defs>
  </svg>
);
