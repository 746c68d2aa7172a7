import { useState } from 'react';
import type { Batches as BatchesOnWire } from '../../api/operator/wire/envelopes.ts';
import { useView } from '../api.ts';
import { withQuery } from '../hash-url.ts';
import { links } from '../links.ts';
import { Card, type Column, Count, Empty, Money, Pager, StateBadge, Table, Time, View } from '../ui/index.ts';

type Row = BatchesOnWire['batches'][number];
type Cell = Row['stages'][number];

const LIMIT = 50;

/** The batches of an envelope, each with its state at every stage. */
export function Batches(props: {
  readonly envelope: string;
  readonly unit: string;
  readonly titles: ReadonlyMap<string, string>;
}) {
  const { envelope, unit, titles } = props;
  const [cursor, setCursor] = useState<string | null>(null);
  const path = `/operator/envelopes/${encodeURIComponent(envelope)}/batches`;
  const view = useView<BatchesOnWire>(withQuery(path, { cursor, limit: LIMIT }));
  return (
    <Card title="Batches" flush>
      <View of={view}>
        {({ batches, next_cursor: next }) => (
          <>
            <Table
              caption="Batches of this envelope, in the order in which they came"
              rows={batches}
              rowKey={({ id }) => id}
              href={({ id }) => links.actor('batch', id)}
              columns={columnsFor(batches, unit, titles)}
              empty={
                <Empty title="No batch has come yet." icon="envelopes">
                  The envelope has been announced; its disbursements come in batches.
                </Empty>
              }
            />
            <Pager
              hasNext={next !== null}
              onNext={() => setCursor(next)}
              onFirst={cursor === null ? null : () => setCursor(null)}
            />
          </>
        )}
      </View>
    </Card>
  );
}

function columnsFor(
  batches: readonly Row[],
  unit: string,
  titles: ReadonlyMap<string, string>,
): readonly Column<Row>[] {
  const stages = [...new Set(batches.flatMap(({ stages: all }) => all.map(({ stage }) => stage)))];
  return [
    { key: 'id', title: 'Batch', render: ({ id }) => <code className="small">{id}</code> },
    { key: 'at', title: 'Came', wideOnly: true, render: (row) => <Time at={row.received_at} /> },
    {
      key: 'count',
      title: 'Disbursements',
      align: 'end',
      render: (row) => <Count value={row.number_of_disbursements} />,
    },
    {
      key: 'quantity',
      title: 'Quantity',
      align: 'end',
      wideOnly: true,
      render: (row) => <Money quantity={row.quantity} unit={unit} />,
    },
    ...stages.map((name) => ({
      key: name,
      title: titles.get(name) ?? name,
      render: (row: Row) => <StageCell cell={row.stages.find(({ stage }) => stage === name)} />,
    })),
  ];
}

const StageCell = ({ cell }: { readonly cell: Cell | undefined }) => {
  if (cell === undefined || cell.state === 'NOT_APPLICABLE') return <span className="muted">–</span>;
  return (
    <>
      <StateBadge state={cell.state} />
      {cell.error_code === null ? null : (
        <div className="small muted">
          <code>{cell.error_code}</code>
          {cell.state === 'ERROR' ? null : `, tried ${cell.attempts} ×`}
        </div>
      )}
      {cell.state === 'PENDING' && cell.error_code !== null && cell.due_at !== null ? (
        <div className="small muted">
          again <Time at={cell.due_at} />
        </div>
      ) : null}
    </>
  );
};
