import { Link } from 'wouter';
import type { EnvelopeDetail } from '../../api/operator/wire/envelopes.ts';
import { countText } from '../format/number.ts';
import { links } from '../links.ts';
import { Card } from '../ui/index.ts';

type StageProgress = EnvelopeDetail['stages'][number];

const PARTS = [
  ['processed', 'done', 'done'],
  ['processing', 'processing', 'in work'],
  ['error', 'error', 'in error'],
  ['waiting', 'pending', 'waiting'],
] as const;

const totalOf = ({ tally }: StageProgress): number =>
  tally.pending + tally.ask_again + tally.processing + tally.processed + tally.error;

/** How far an envelope has come at each stage it passes: numbers, and bars for the eye. */
export const Progress = (props: { readonly envelope: string; readonly stages: readonly StageProgress[] }) => (
  <Card title="Progress">
    <dl className="bars progress">
      {props.stages.map((stage) => (
        <Line key={stage.stage} envelope={props.envelope} stage={stage} />
      ))}
    </dl>
  </Card>
);

function Line({ envelope, stage }: { readonly envelope: string; readonly stage: StageProgress }) {
  const total = totalOf(stage);
  const counts = { ...stage.tally, waiting: stage.tally.pending + stage.tally.ask_again };
  const said = PARTS.filter(([part]) => counts[part] > 0);
  return (
    <div className="bar-line">
      <dt>{stage.title}</dt>
      <dd>
        <span className="bar" aria-hidden="true">
          {said.map(([part, kind]) => (
            <span
              key={part}
              className={`part-${kind}`}
              style={{ width: `${(counts[part] / total) * 100}%` }}
            />
          ))}
        </span>
        <span className="progress-text">
          {total === 0
            ? 'not begun'
            : said.map(([part, kind, word], at) => (
                <span key={part} className={`figure word-${kind}`}>
                  {at > 0 ? ', ' : ''}
                  {part === 'error' ? (
                    <Link href={links.errors({ envelope, stage: stage.stage })}>
                      {countText(counts[part])} {word}
                    </Link>
                  ) : (
                    `${countText(counts[part])} ${word}`
                  )}
                </span>
              ))}
        </span>
      </dd>
    </div>
  );
}
