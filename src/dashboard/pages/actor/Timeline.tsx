import { useState } from 'react';
import type { Chart, Transitions } from '../../../api/operator/wire/actors.ts';
import type { TransitionOnWire } from '../../../api/operator/wire/common.ts';
import { useView } from '../../api.ts';
import { absoluteText } from '../../format/time.ts';
import { withQuery } from '../../hash-url.ts';
import { counted, nameText } from '../../text.ts';
import { Card, Empty, Pager, StateBadge, Time, View } from '../../ui/index.ts';
import { JobButton } from './JobButton.tsx';
import { ErrorText } from './RegionsNow.tsx';
import { actorPath } from './use-live-actor.ts';

const LIMIT = 25;

interface Props {
  readonly machine: string;
  readonly id: string;
  readonly chart: Chart | undefined;
}

/** What happened to an actor, the latest first, as the journal has it. */
export function Timeline({ machine, id, chart }: Props) {
  const [cursor, setCursor] = useState<string | null>(null);
  const page = useView<Transitions>(
    withQuery(`${actorPath(machine, id)}/transitions`, { limit: LIMIT, cursor }),
  );
  return (
    <Card title="Timeline">
      <View of={page}>
        {({ transitions, next_cursor, removed_at }) => (
          <>
            {transitions.length === 0 && removed_at === null ? (
              <Empty title="Nothing has happened yet." icon="none">
                What happens to this record appears here at once.
              </Empty>
            ) : (
              <ol className="timeline" reversed>
                {transitions.map((one) => (
                  <Entry key={one.seq} transition={one} stage={stageOf(chart, one.region)} />
                ))}
              </ol>
            )}
            {removed_at === null || next_cursor !== null ? null : (
              <p className="muted">
                What happened before was removed <Time at={removed_at} />: history is kept for as many days as
                the setting <code>journal_retention_days</code> says.
              </p>
            )}
            <Pager
              hasNext={next_cursor !== null}
              onNext={() => setCursor(next_cursor)}
              onFirst={cursor === null ? null : () => setCursor(null)}
              shown={counted(transitions.length, 'transition')}
            />
          </>
        )}
      </View>
    </Card>
  );
}

/** Whether the error of an entry is what happened: later entries still carry the code of the one before. */
const isFault = ({ error, from, to }: TransitionOnWire): boolean =>
  (error !== null && error.message !== null) || (to === 'ERROR' && from !== to);

const stageOf = (chart: Chart | undefined, region: string): string | null =>
  chart?.regions.find((one) => one.region === region)?.stage ?? null;

function Entry({ transition, stage }: { transition: TransitionOnWire; stage: string | null }) {
  const { at, region, event, from, to, attempt, error, by, reason, job } = transition;
  const isNews = error !== null && isFault(transition);
  return (
    <li className={isNews ? 'entry entry-error' : 'entry'}>
      <p className="entry-when">
        <Time at={at} />
        <span className="muted">{absoluteText(at)}</span>
      </p>
      <div className="entry-what">
        <p className="entry-move">
          {region === '' ? null : <span>{nameText(region)}</span>}
          <code>{event}</code>
          {region === '' ? null : <Move from={from} to={to} />}
        </p>
        {isNews ? <ErrorText error={error} /> : null}
        {by === null ? null : (
          <p className="entry-who">
            by <strong>{by}</strong>
            {reason === null ? null : <q>{reason}</q>}
          </p>
        )}
        <p className="entry-more muted">
          {attempt === 0 ? null : <span>attempt {attempt}</span>}
          {error === null || isNews ? null : (
            <span>
              after <code>{error.code}</code>
            </span>
          )}
          {job === null ? null : stage === null ? (
            <code>{job}</code>
          ) : (
            <span>
              job <JobButton stage={stage} id={job} />
            </span>
          )}
        </p>
      </div>
    </li>
  );
}

const Move = ({ from, to }: { readonly from: string; readonly to: string }) => (
  <span className="entry-states">
    {from === to ? (
      <span className="muted">stays</span>
    ) : (
      <>
        <StateBadge state={from} />
        <span aria-hidden="true">→</span>
        <span className="hidden">to</span>
      </>
    )}
    <StateBadge state={to} />
  </span>
);
