import { useState } from 'react';
import type { Statements } from '../../../api/operator/wire/statements.ts';
import { useView } from '../../api.ts';
import { withQuery } from '../../hash-url.ts';
import { links } from '../../links.ts';
import { counted } from '../../text.ts';
import { Card, type Column, Count, Empty, Pager, StateBadge, Table, Time, View } from '../../ui/index.ts';
import { COUNTED_MAX, countUpTo, statementTitle } from './statement-words.ts';

const LIMIT = 50;
type Summary = Statements['statements'][number];
const STATES = ['PENDING', 'PROCESSING', 'PROCESSED', 'ERROR'];

/** The statements that were uploaded, the newest first. */
export function StatementList() {
  const [state, setState] = useState('');
  const [cursor, setCursor] = useState<string | null>(null);
  const page = useView<Statements>(withQuery('/operator/statements', { state, limit: LIMIT, cursor }));
  return (
    <>
      <p className="filters">
        <label>
          State{' '}
          <select
            value={state}
            onChange={(event) => {
              setCursor(null);
              setState(event.target.value);
            }}
          >
            <option value="">Any</option>
            {STATES.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
      </p>
      <View of={page}>
        {({ statements, next_cursor }) =>
          statements.length === 0 && cursor === null ? (
            <Empty title={state === '' ? 'No statement yet.' : `No statement is ${state}.`} icon="statements">
              {state === ''
                ? 'Drop the file that the bank sent above, or let the bank send it to /upload_mt940.'
                : null}
            </Empty>
          ) : (
            <Card flush>
              <Table
                caption="Statements, the newest first"
                columns={COLUMNS}
                rows={statements}
                rowKey={({ id }) => id}
                href={({ id }) => links.statement(id)}
              />
              <Pager
                hasNext={next_cursor !== null}
                onNext={() => setCursor(next_cursor)}
                onFirst={cursor === null ? null : () => setCursor(null)}
                shown={counted(statements.length, 'statement')}
              />
            </Card>
          )
        }
      </View>
    </>
  );
}

const COLUMNS: readonly Column<Summary>[] = [
  { key: 'number', title: 'Statement', render: statementTitle },
  { key: 'account', title: 'Account', render: ({ account_number }) => account_number ?? '–' },
  { key: 'date', title: 'Date', render: ({ statement_date }) => statement_date ?? '–' },
  {
    key: 'state',
    title: 'State',
    render: ({ state, error_code }) => (
      <>
        <StateBadge state={state} /> {error_code === null ? null : <code>{error_code}</code>}
      </>
    ),
  },
  {
    key: 'entries',
    title: 'Entries',
    align: 'end',
    render: ({ number_of_entries }) => <Count value={number_of_entries} />,
  },
  {
    key: 'discrepancies',
    title: 'Discrepancies',
    align: 'end',
    render: ({ discrepancies }) => countUpTo(discrepancies, COUNTED_MAX.ofStatement),
  },
  { key: 'uploaded', title: 'Uploaded', render: ({ uploaded_at }) => <Time at={uploaded_at} /> },
];
