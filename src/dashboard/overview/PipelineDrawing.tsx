import { type Edge, Handle, MarkerType, type Node, type NodeProps, Position, ReactFlow } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useCallback, useMemo } from 'react';
import { drawing, NODE_HEIGHT, NODE_WIDTH } from './layout.ts';
import { StageFigures } from './StageFigures.tsx';
import type { StageOverview } from './types.ts';

interface Props {
  readonly stages: readonly StageOverview[];
  /** Stages that have just handed work on. */
  readonly lit: ReadonlySet<string>;
  /** px */
  readonly width: number;
}

type StageNode = Node<{ stage: StageOverview }, 'stage'>;

const StageNodeView = ({ data }: NodeProps<StageNode>) => (
  <>
    <Handle id="left" type="target" position={Position.Left} isConnectable={false} />
    <Handle id="bottom" type="target" position={Position.Bottom} isConnectable={false} />
    <StageFigures stage={data.stage} />
    <Handle id="right" type="source" position={Position.Right} isConnectable={false} />
    <Handle id="top" type="source" position={Position.Top} isConnectable={false} />
  </>
);
const NODE_TYPES = { stage: StageNodeView };

/** The pipeline as a drawing: a node for each stage, an edge where work goes on. */
export function PipelineDrawing({ stages, lit, width }: Props) {
  const names = stages.map(({ stage }) => stage).join(' ');
  const {
    nodes: places,
    lanes,
    edges: ways,
    height,
  } = useMemo(() => drawing(names.split(' '), width), [names, width]);
  const nodes = places.flatMap(({ stage: name, x, y }): StageNode[] => {
    const stage = stages.find((one) => one.stage === name);
    if (stage === undefined) return [];
    const size = { width: NODE_WIDTH, height: NODE_HEIGHT };
    return [{ id: name, type: 'stage', position: { x, y }, data: { stage }, ...size, measured: size }];
  });
  const edges = ways.map(
    ({ isUp, ...way }): Edge => ({
      ...way,
      type: 'smoothstep',
      sourceHandle: isUp ? 'top' : 'right',
      targetHandle: isUp ? 'bottom' : 'left',
      className: lit.has(way.source) ? 'way way-lit' : 'way',
      markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: 'var(--line-strong)' },
      domAttributes: { 'aria-hidden': true },
    }),
  );
  // The library says "application", in which screen readers stop reading what stands there.
  const asGroup = useCallback((element: HTMLDivElement | null) => element?.setAttribute('role', 'group'), []);
  return (
    <div className="pipeline" style={{ height }}>
      {lanes.map((lane) => (
        <div key={lane.title} className="lane" style={{ top: lane.y, height: lane.height }}>
          <span>{lane.title}</span>
        </div>
      ))}
      <ReactFlow
        ref={asGroup}
        aria-label="The stages of the pipeline"
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        proOptions={{ hideAttribution: true }}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        panOnDrag={false}
        zoomOnScroll={false}
        zoomOnPinch={false}
        zoomOnDoubleClick={false}
        preventScrolling={false}
      />
    </div>
  );
}
