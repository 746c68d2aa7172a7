import type { Throughput as ThroughputOnWire } from '../../api/operator/wire/overview.ts';
import { useView } from '../api.ts';
import { countText } from '../format/number.ts';
import { clockText } from '../format/time.ts';
import { Card, Count, Empty, Table, View } from '../ui/index.ts';
import { SeriesChart } from './SeriesChart.tsx';
import { grouped, type Minutes, minutesOf } from './series.ts';

const MINUTES = 60;
const GROUP_MINUTES = 5;
const REFETCH_MS = 30_000;

/** What each stage has processed in the last hour, minute by minute, as charts and as a table. */
export function Throughput({ titles }: { readonly titles: ReadonlyMap<string, string> }) {
  const view = useView<ThroughputOnWire>(`/operator/throughput?minutes=${MINUTES}`, {
    refetchMs: REFETCH_MS,
  });
  return (
    <Card title="Throughput, last hour">
      <View of={view}>
        {({ from, to, stages }) => {
          const series = stages
            .map((one) => minutesOf(one, from, to))
            .filter(({ processedAll, errorsAll }) => processedAll + errorsAll > 0);
          if (series.length === 0) {
            return (
              <Empty title="Nothing was processed in the last hour." icon="none">
                Work that flows is charted here, minute by minute.
              </Empty>
            );
          }
          return (
            <>
              <div className="charts">
                {series.map((one) => (
                  <Chart key={one.stage} title={titles.get(one.stage) ?? one.stage} minutes={one} />
                ))}
              </div>
              <AsTable titles={titles} series={series} from={from} />
            </>
          );
        }}
      </View>
    </Card>
  );
}

const Chart = ({ title, minutes }: { readonly title: string; readonly minutes: Minutes }) => (
  <figure className="chart">
    <figcaption>
      <span className="chart-title">{title}</span>
      <span className="muted small">
        {countText(minutes.processedAll)} done, at most {countText(minutes.peak)} / min
        {minutes.errorsAll > 0 ? (
          <span className="chart-errors"> · {countText(minutes.errorsAll)} failed</span>
        ) : null}
      </span>
    </figcaption>
    <SeriesChart minutes={minutes} />
  </figure>
);

function AsTable(props: {
  readonly titles: ReadonlyMap<string, string>;
  readonly series: readonly Minutes[];
  readonly from: string;
}) {
  const groups = grouped(props.series[0]?.at ?? [], GROUP_MINUTES).length;
  const startOf = (group: number): string => {
    const at = props.series[0]?.at ?? [];
    const second = at[Math.max(0, at.length - (groups - group) * GROUP_MINUTES)] ?? 0;
    return clockText(new Date(second * 1_000).toISOString());
  };
  return (
    <details className="as-table">
      <summary>Show as a table</summary>
      <Table
        caption={`Processed in the last hour, in steps of ${GROUP_MINUTES} minutes, times in UTC`}
        rows={props.series.map((one) => ({ ...one, groups: grouped(one.processed, GROUP_MINUTES) }))}
        rowKey={({ stage }) => stage}
        columns={[
          { key: 'stage', title: 'Stage', render: ({ stage }) => props.titles.get(stage) ?? stage },
          { key: 'all', title: 'Done', align: 'end', render: (row) => <Count value={row.processedAll} /> },
          { key: 'errors', title: 'Failed', align: 'end', render: (row) => <Count value={row.errorsAll} /> },
          ...Array.from({ length: groups }, (_, group) => ({
            key: `from ${group}`,
            title: startOf(group),
            align: 'end' as const,
            render: (row: { readonly groups: readonly number[] }) => <Count value={row.groups[group] ?? 0} />,
          })),
        ]}
      />
    </details>
  );
}
