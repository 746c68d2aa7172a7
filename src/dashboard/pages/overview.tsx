import { useMemo } from 'react';
import type { Overview } from '../../api/operator/wire/overview.ts';
import { useView } from '../api.ts';
import { AttentionList } from '../overview/AttentionList.tsx';
import { EnvelopeStates } from '../overview/EnvelopeStates.tsx';
import { MoneyFlow } from '../overview/MoneyFlow.tsx';
import '../overview/overview.css';
import { Pipeline } from '../overview/Pipeline.tsx';
import { Throughput } from '../overview/Throughput.tsx';
import { useLiveStages } from '../overview/use-live-stages.ts';
import { Page, Time, View } from '../ui/index.ts';

const REFETCH_MS = 10_000;

/** What needs a person, and everything at a glance, live. */
export default function OverviewPage() {
  const view = useView<Overview>('/operator/overview', { refetchMs: REFETCH_MS });
  return (
    <Page
      title="Overview"
      actions={
        view.data === undefined ? null : (
          <span className="muted small">
            Sums as of <Time at={view.data.as_of} />
          </span>
        )
      }
    >
      <View of={view}>{(overview) => <Everything overview={overview} />}</View>
    </Page>
  );
}

function Everything({ overview }: { readonly overview: Overview }) {
  const { stages, lit } = useLiveStages(overview);
  const titles = useMemo(
    () => new Map(overview.stages.map(({ stage, title }) => [stage, title])),
    [overview.stages],
  );
  return (
    <>
      <AttentionList items={overview.attention} />
      <Pipeline stages={stages} lit={lit} />
      <div className="overview-sums">
        <MoneyFlow money={overview.money} />
        <EnvelopeStates envelopes={overview.envelopes} />
      </div>
      <Throughput titles={titles} />
    </>
  );
}
