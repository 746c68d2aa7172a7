import { useEffect, useRef, useState } from 'react';
import { Card } from '../ui/index.ts';
import { DRAWING_WIDTH_MIN } from './layout.ts';
import { PipelineDrawing } from './PipelineDrawing.tsx';
import { StageFigures } from './StageFigures.tsx';
import type { StageOverview } from './types.ts';

/** The pipeline as it moves: drawn where there is room, otherwise as a list in its order. */
export function Pipeline(props: {
  readonly stages: readonly StageOverview[];
  readonly lit: ReadonlySet<string>;
}) {
  const room = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState<number | null>(null);
  useEffect(() => {
    const element = room.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <Card title="Pipeline">
      <div ref={room}>
        {width !== null && width >= DRAWING_WIDTH_MIN ? (
          <PipelineDrawing stages={props.stages} lit={props.lit} width={width} />
        ) : (
          <ol className="stage-list">
            {props.stages.map((stage) => (
              <li key={stage.stage}>
                <StageFigures stage={stage} />
              </li>
            ))}
          </ol>
        )}
      </div>
    </Card>
  );
}
