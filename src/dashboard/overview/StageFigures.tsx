import { Link } from 'wouter';
import { useNow } from '../format/live-time.ts';
import { compactText, countText } from '../format/number.ts';
import { absoluteText, spanText } from '../format/time.ts';
import { links } from '../links.ts';
import { Icon } from '../ui/index.ts';
import type { StageOverview } from './types.ts';

const Figure = (props: {
  readonly name: string;
  readonly value: number;
  readonly kind: string;
  readonly href?: string;
}) => {
  // Keyed by the value: another number is another element, which lights up for a moment.
  const value = (
    <span key={props.value} className="figure stage-value" title={countText(props.value)}>
      {compactText(props.value)}
    </span>
  );
  return (
    <div className={`stage-figure${props.value > 0 ? ` figure-${props.kind}` : ''}`}>
      <dt>{props.name}</dt>
      <dd>
        {props.href === undefined || props.value === 0 ? value : <Link href={props.href}>{value}</Link>}
      </dd>
    </div>
  );
};

/** One stage: what waits, is worked on, is done, and stands in error; since when work waits, and how fast it goes. */
export function StageFigures({ stage }: { readonly stage: StageOverview }) {
  const { tally, paused, oldest_due_at: oldest } = stage;
  return (
    <article className={`stage${paused ? ' stage-paused' : ''}${tally.error > 0 ? ' stage-errors' : ''}`}>
      <header className="stage-head">
        <h3 title={stage.stage}>{stage.title}</h3>
      </header>
      <dl className="stage-figures">
        <Figure name="Pending" kind="pending" value={tally.pending + tally.ask_again} />
        <Figure name="Working" kind="processing" value={tally.processing} />
        <Figure name="Done" kind="done" value={tally.processed} />
        <Figure name="Errors" kind="error" value={tally.error} href={links.errors({ stage: stage.stage })} />
      </dl>
      <footer className="stage-foot">
        {paused ? (
          <Link
            href={links.operations()}
            className="badge state-paused"
            title={`Paused by ${paused.by}: ${paused.reason}`}
          >
            <Icon name="paused" size={12} />
            Paused
          </Link>
        ) : oldest === null ? (
          <span>Nothing due</span>
        ) : (
          <Waiting since={oldest} />
        )}
        <span className="figure">{countText(stage.per_minute)} / min</span>
      </footer>
    </article>
  );
}

const Waiting = ({ since }: { readonly since: string }) => {
  const now = useNow();
  return (
    <span title={`The oldest work has been due since ${absoluteText(since)}`}>
      Oldest waits {spanText(now - Date.parse(since))}
    </span>
  );
};
