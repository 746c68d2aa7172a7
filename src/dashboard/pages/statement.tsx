import { useState } from 'react';
import { Link } from 'wouter';
import type { StatementDetail } from '../../api/operator/wire/statements.ts';
import { useView } from '../api.ts';
import { countText } from '../format/number.ts';
import { links } from '../links.ts';
import { Card, Id, Money, Page, StateBadge, Time, View } from '../ui/index.ts';
import { Discrepancies } from './statements/Discrepancies.tsx';
import { isClean, kindTitle, statementTitle } from './statements/statement-words.ts';
import './statements/statements.css';
import './pages.css';

interface Props {
  readonly params: Readonly<Record<string, string>>;
}

/** One statement: what it says of itself, and what became of its entries. */
export default function StatementPage({ params: { id = '' } }: Props) {
  const view = useView<StatementDetail>(`/operator/statements/${encodeURIComponent(id)}`);
  const [kind, setKind] = useState<string | null>(null);
  const { data } = view;
  return (
    <Page
      title={data === undefined ? 'Statement' : `Statement ${statementTitle(data)}`}
      aside={data === undefined ? undefined : <StateBadge state={data.state} />}
      about={
        <p className="relations">
          <Link href={links.statements()}>All statements</Link>
          <Link href={links.actor('statement', id)}>What happened to it</Link>
        </p>
      }
    >
      <View of={view}>
        {(statement) => (
          <>
            {statement.error_code === null ? null : (
              <p className="notice" role="alert">
                <code>{statement.error_code}</code> {statement.error_message}{' '}
                <Link href={links.actor('statement', id)}>Look at it and retry</Link>
              </p>
            )}
            <Results statement={statement} />
            <About statement={statement} />
            <Card title="Discrepancies">
              {isClean(statement) ? (
                <p>Every payment on it was matched.</p>
              ) : (
                <Discrepancies kind={kind} onKind={setKind} statement={id} />
              )}
            </Card>
          </>
        )}
      </View>
    </Page>
  );
}

const Results = ({
  statement: { matched, reversed, by_reason },
}: {
  readonly statement: StatementDetail;
}) => (
  <ul className="results" aria-label="Results">
    <Result title="Matched" {...matched} kind="good" />
    <Result title="Reversed" {...reversed} kind={reversed.count === 0 ? 'none' : 'bad'} />
    {by_reason.map(({ kind, ...result }) => (
      <Result key={kind} title={kindTitle(kind)} {...result} kind={result.count === 0 ? 'none' : 'bad'} />
    ))}
  </ul>
);

interface ResultProps {
  readonly title: string;
  readonly count: number;
  readonly quantity: string;
  readonly kind: 'good' | 'bad' | 'none';
}

const Result = ({ title, count, quantity, kind }: ResultProps) => (
  <li className={`result result-${kind}`}>
    <span className="result-title">{title}</span>
    <span className="result-count">{countText(count)}</span>
    <Money quantity={quantity} />
  </li>
);

const About = ({ statement }: { readonly statement: StatementDetail }) => (
  <Card title="Statement">
    <dl className="facts facts-wide">
      <div>
        <dt>Id</dt>
        <dd>
          <Id id={statement.id} />
        </dd>
      </div>
      <div>
        <dt>Account</dt>
        <dd>{statement.account_number ?? '–'}</dd>
      </div>
      <div>
        <dt>Number</dt>
        <dd>{statementTitle(statement)}</dd>
      </div>
      <div>
        <dt>Reference</dt>
        <dd>{statement.reference_number ?? '–'}</dd>
      </div>
      <div>
        <dt>Date</dt>
        <dd>{statement.statement_date ?? '–'}</dd>
      </div>
      <div>
        <dt>Entries</dt>
        <dd>{countText(statement.number_of_entries)}</dd>
      </div>
      <div>
        <dt>Uploaded</dt>
        <dd>
          <Time at={statement.uploaded_at} full />
        </dd>
      </div>
    </dl>
  </Card>
);
