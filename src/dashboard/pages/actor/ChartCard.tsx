import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import type { ActorDetail, Chart } from '../../../api/operator/wire/actors.ts';
import { eventsOf, type RegionDrawing } from '../../chart/drawing.ts';
import { edgeWords } from '../../chart/label.ts';
import { stateText } from '../../format/states.ts';
import { counted, nameText } from '../../text.ts';
import { Button, Card, Loading } from '../../ui/index.ts';

const StateChart = lazy(() => import('../../chart/StateChart.tsx'));

/** A phone has room for what happened and what can happen next; the rest is a touch away. */
const NARROW = '(max-width: 700px)';

interface Props {
  readonly chart: Chart;
  readonly actor: ActorDetail;
  readonly drawings: readonly RegionDrawing[];
  readonly moving: ReadonlyMap<string, number>;
}

/** The statechart of an actor: its machine with the actor's trace, and the same in words. */
export function ChartCard({ chart, actor, drawings, moving }: Props) {
  const [all, setAll] = useState(() => !window.matchMedia(NARROW).matches);
  const [showIdle, setShowIdle] = useState(false);
  const idle = drawings.filter((one) => one.isIdle);
  // A machine of which nothing has moved yet is shown as it is.
  const allIdle = idle.length === drawings.length;
  const shown = useMemo(
    () => drawings.filter((one) => showIdle || allIdle || !one.isIdle),
    [drawings, showIdle, allIdle],
  );
  const titleOf = useCallback((region: RegionDrawing) => nameText(region.region), []);
  return (
    <Card
      title="Statechart"
      actions={
        <label className="check">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} />
          All transitions
        </label>
      }
    >
      <Suspense fallback={<Loading what="Loading the chart" />}>
        <StateChart
          label={`Statechart of ${chart.title.toLowerCase()} ${actor.id}`}
          regions={shown}
          titleOf={titleOf}
          all={all}
          moving={moving}
        />
      </Suspense>
      {idle.length === 0 || allIdle ? null : (
        <p className="chart-idle">
          <Button small onClick={() => setShowIdle(!showIdle)}>
            {showIdle
              ? 'Hide what plays no part'
              : `Show ${counted(idle.length, 'region')} that ${idle.length === 1 ? 'plays' : 'play'} no part`}
          </Button>
          <span className="muted">{idle.map(titleOf).join(', ')}</span>
        </p>
      )}
      <Notes chart={chart} actor={actor} />
      <InWords drawings={drawings} />
    </Card>
  );
}

/** What the chart has no edge for. */
function Notes({ chart, actor }: Pick<Props, 'chart' | 'actor'>) {
  const events = eventsOf(chart, actor);
  return (
    <>
      {events.length === 0 ? null : (
        <p className="chart-note muted">
          Events of the record as a whole:{' '}
          {events.map(({ event, count, guards }, at) => (
            <span key={event} title={guards.join('; or ')}>
              {at === 0 ? '' : ', '}
              <code>{event}</code>
              {count === 0 ? '' : ` ×${count}`}
            </span>
          ))}
          .
        </p>
      )}
      {actor.taken_since === null ? null : (
        <p className="chart-note muted">
          So much has happened to it that only transitions from number {actor.taken_since} on are counted.
        </p>
      )}
    </>
  );
}

/** What the chart shows, for who cannot see it. */
const InWords = ({ drawings }: { readonly drawings: readonly RegionDrawing[] }) => (
  <div className="hidden">
    <h3>The chart in words</h3>
    <ul>
      {drawings.map((region) => (
        <li key={region.region}>
          {`${nameText(region.region)}: ${stateText(region.active)}${region.isIdle ? ', plays no part' : ''}.`}
          <ul>
            {region.edges
              .filter(({ isTaken }) => isTaken)
              .map((edge) => (
                <li key={edge.id}>{edgeWords(edge)}</li>
              ))}
          </ul>
        </li>
      ))}
    </ul>
  </div>
);
