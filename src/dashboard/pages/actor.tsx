import { type ReactNode, useMemo } from 'react';
import { Link } from 'wouter';
import type { ActorDetail, Chart } from '../../api/operator/wire/actors.ts';
import { useView } from '../api.ts';
import { drawingOf } from '../chart/drawing.ts';
import { links } from '../links.ts';
import { nameText } from '../text.ts';
import { Id, Loading, Page, Problem, View } from '../ui/index.ts';
import './actor/actor.css';
import './pages.css';
import { ChartCard } from './actor/ChartCard.tsx';
import { Children } from './actor/Children.tsx';
import { RegionsNow } from './actor/RegionsNow.tsx';
import { Row } from './actor/Row.tsx';
import { Timeline } from './actor/Timeline.tsx';
import { useLiveActor } from './actor/use-live-actor.ts';

interface Props {
  readonly params: Readonly<Record<string, string>>;
}

/** One actor: a batch, an envelope, a geo record, a beneficiary or a statement, live. */
export default function ActorPage({ params: { machine = '', id = '' } }: Props) {
  // Machines change with the program only.
  const machines = useView<{ machines: Chart[] }>('/operator/machines', { refetchMs: false });
  const { view, actor, moving } = useLiveActor(machine, id);
  const chart = machines.data?.machines.find((one) => one.machine === machine);
  return (
    <Page
      title={chart?.title ?? nameText(machine)}
      aside={<Id id={id} />}
      about={actor === undefined ? undefined : <Relations actor={actor} />}
    >
      <View of={view}>
        {(data) => (
          <Content
            actor={actor ?? data}
            chart={chart}
            moving={moving}
            problem={
              machines.isError ? (
                <Problem error={machines.error} onRetry={() => void machines.refetch()} />
              ) : null
            }
          />
        )}
      </View>
    </Page>
  );
}

interface ContentProps {
  readonly actor: ActorDetail;
  readonly chart: Chart | undefined;
  readonly moving: ReadonlyMap<string, number>;
  /** Why there is no chart. */
  readonly problem: ReactNode;
}

function Content({ actor, chart, moving, problem }: ContentProps) {
  const drawings = useMemo(() => (chart === undefined ? [] : drawingOf(chart, actor)), [chart, actor]);
  const idle = useMemo(
    () => new Set(drawings.filter(({ isIdle }) => isIdle).map(({ region }) => region)),
    [drawings],
  );
  return (
    <>
      {actor.parked === null ? null : (
        <p className="notice" role="alert">
          It is left alone because its row cannot be read: {actor.parked}
        </p>
      )}
      {chart === undefined ? (
        (problem ?? <Loading />)
      ) : (
        <ChartCard chart={chart} actor={actor} drawings={drawings} moving={moving} />
      )}
      <RegionsNow actor={actor} idle={idle.size === actor.regions.length ? NONE : idle} />
      <div className="actor-columns">
        <Timeline machine={actor.machine} id={actor.id} chart={chart} />
        <Row row={actor.row} />
      </div>
      <Children actor={actor} />
    </>
  );
}

const NONE: ReadonlySet<string> = new Set();

/** What it belongs to. */
function Relations({ actor: { machine, id, parent, envelope } }: { readonly actor: ActorDetail }) {
  return (
    <p className="relations">
      {machine === 'envelope' ? <Link href={links.envelope(id)}>Progress of this envelope</Link> : null}
      {machine === 'statement' ? <Link href={links.statement(id)}>Result of this statement</Link> : null}
      {parent === null ? null : (
        <span>
          {nameText(parent.machine)}{' '}
          <Link href={links.actor(parent.machine, parent.id)}>
            <code>{parent.id}</code>
          </Link>
        </span>
      )}
      {envelope === null || machine === 'envelope' || parent?.machine === 'envelope' ? null : (
        <span>
          Envelope{' '}
          <Link href={links.envelope(envelope)}>
            <code>{envelope}</code>
          </Link>
        </span>
      )}
      {envelope === null ? null : <Link href={links.errors({ envelope })}>Errors of its envelope</Link>}
      <Link href={links.inspector(machine === 'envelope' ? { envelope: id } : { machine, id })}>
        In the XState inspector
      </Link>
    </p>
  );
}
