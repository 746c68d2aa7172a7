import { spanText } from '../format/time.ts';
import { Card, type Column, Count, StateBadge, Table, Time } from '../ui/index.ts';
import { PauseButton, TickButton } from './StageAction.tsx';
import type { StageRow } from './types.ts';

const COLUMNS: readonly Column<StageRow>[] = [
  {
    key: 'stage',
    title: 'Stage',
    render: (row) => (
      <>
        <strong>{row.title}</strong>
        <br />
        <code className="muted small">{row.stage}</code>
        {row.paused === null ? null : (
          <div className="stage-pause">
            <StateBadge state="paused" /> <Time at={row.paused.since} /> by {row.paused.by}:{' '}
            {row.paused.reason}
          </div>
        )}
      </>
    ),
  },
  {
    key: 'every',
    title: 'Every',
    wideOnly: true,
    render: (row) => <span className="figure">{spanText(row.frequency_seconds * 1_000)}</span>,
  },
  {
    key: 'last',
    title: 'Last tick',
    render: ({ last_tick: last }) =>
      last === null ? (
        <span className="muted figure">none yet</span>
      ) : (
        <>
          <Time at={last.at} />
          <div className="small muted">
            <Count value={last.dispatched} /> dispatched
            {last.stale > 0 ? (
              <>
                , <Count value={last.stale} /> recovered
              </>
            ) : null}
          </div>
        </>
      ),
  },
  {
    key: 'next',
    title: 'Next tick',
    render: (row) =>
      row.paused === null ? <Time at={row.next_tick_at} /> : <span className="muted">paused</span>,
  },
  { key: 'waiting', title: 'Queued', align: 'end', render: (row) => <Count value={row.queue.waiting} /> },
  { key: 'active', title: 'In work', align: 'end', render: (row) => <Count value={row.queue.active} /> },
  {
    key: 'failed',
    title: 'Failed jobs',
    align: 'end',
    wideOnly: true,
    render: (row) => <Count value={row.queue.failed} />,
  },
  {
    key: 'attempts',
    title: 'Attempts',
    align: 'end',
    wideOnly: true,
    render: (row) => <Count value={row.max_attempts} />,
  },
  {
    key: 'actions',
    title: 'Actions',
    render: (row) => (
      <span className="row-actions">
        <TickButton stage={row} />
        <PauseButton stage={row} />
      </span>
    ),
  },
];

/** Every stage: its ticks, its queue, and what can be done about it. */
export const Stages = ({ stages }: { readonly stages: readonly StageRow[] }) => (
  <Card title="Stages" flush>
    <Table
      caption="Stages with their ticks and queues"
      columns={COLUMNS}
      rows={stages}
      rowKey={({ stage }) => stage}
    />
  </Card>
);
