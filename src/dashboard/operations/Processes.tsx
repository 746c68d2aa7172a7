import { bytesText } from '../format/number.ts';
import { stateText } from '../format/states.ts';
import { Card, type Column, Count, Empty, StateBadge, Table, Time } from '../ui/index.ts';
import type { ProcessRow } from './types.ts';

const COLUMNS: readonly Column<ProcessRow>[] = [
  {
    key: 'number',
    title: 'Process',
    render: (row) => (
      <>
        <strong>{row.role}</strong> <span className="muted">#{row.number}</span>
        <br />
        <span className="muted small">
          {row.host}, pid {row.pid}
        </span>
      </>
    ),
  },
  {
    key: 'alive',
    title: 'State',
    render: (row) => <StateBadge state={row.alive ? 'alive' : 'dead'} text={row.alive ? 'Alive' : 'Gone'} />,
  },
  { key: 'started', title: 'Started', render: (row) => <Time at={row.started_at} /> },
  { key: 'reported', title: 'Last report', render: (row) => <Time at={row.reported_at} /> },
  {
    key: 'memory',
    title: 'Memory',
    align: 'end',
    wideOnly: true,
    render: (row) => (
      <span className="figure">{row.report === null ? '–' : bytesText(row.report.resident_bytes)}</span>
    ),
  },
  { key: 'version', title: 'Version', wideOnly: true, render: (row) => row.report?.version ?? '–' },
];

interface CircuitRow {
  readonly process: number;
  readonly circuit: NonNullable<ProcessRow['report']>['circuits'][number];
}

/** The shape of a circuit in words that say what it means. */
const CIRCUIT_TEXTS = { closed: 'Answers', open: 'Does not answer', half_open: 'Being tried' } as const;

const CIRCUITS: readonly Column<CircuitRow>[] = [
  { key: 'system', title: 'System', grow: true, render: ({ circuit }) => circuit.system },
  {
    key: 'state',
    title: 'State',
    render: ({ circuit }) => (
      <StateBadge state={circuit.state} text={CIRCUIT_TEXTS[circuit.state] ?? stateText(circuit.state)} />
    ),
  },
  { key: 'since', title: 'Since', render: ({ circuit }) => <Time at={circuit.since} /> },
  {
    key: 'failures',
    title: 'Failures in a row',
    align: 'end',
    render: ({ circuit }) => <Count value={circuit.failures} />,
  },
  {
    key: 'openings',
    title: 'Times cut off',
    align: 'end',
    wideOnly: true,
    render: ({ circuit }) => <Count value={circuit.openings} />,
  },
  { key: 'process', title: 'Process', wideOnly: true, render: ({ process }) => `#${process}` },
];

/** The processes that do the work, and whether the systems outside answer them. */
export function Processes({ processes }: { readonly processes: readonly ProcessRow[] }) {
  const circuits = processes
    .filter(({ alive }) => alive)
    .flatMap(({ number, report }) =>
      (report?.circuits ?? []).map((circuit) => ({ process: number, circuit })),
    );
  return (
    <>
      <Card title="Processes" flush>
        <Table
          caption="Processes"
          columns={COLUMNS}
          rows={processes}
          rowKey={({ number }) => String(number)}
          empty="No process has reported. Start one with g2p-bridge serve."
        />
      </Card>
      <Card title="Systems outside" flush>
        <Table
          caption="Circuits to the systems outside, by process"
          columns={CIRCUITS}
          rows={circuits}
          rowKey={({ process, circuit }) => `${process} ${circuit.system}`}
          empty={
            <Empty title="Nothing was called yet." icon="none">
              A system stands here once a process has called it.
            </Empty>
          }
        />
      </Card>
    </>
  );
}
