import type { Operations } from '../../api/operator/wire/operations.ts';
import { useView } from '../api.ts';
import { countText } from '../format/number.ts';
import { useQueryValues } from '../hash-location.ts';
import '../operations/operations.css';
import { Parked } from '../operations/Parked.tsx';
import { Payments } from '../operations/Payments.tsx';
import { Processes } from '../operations/Processes.tsx';
import { Settings } from '../operations/Settings.tsx';
import { Stages } from '../operations/Stages.tsx';
import { Page, Tabs, View } from '../ui/index.ts';

const REFETCH_MS = 5_000;

/** Ticks, queues, processes, circuits and configuration; where work is stopped and run. */
export default function OperationsPage() {
  const view = useView<Operations>('/operator/operations', { refetchMs: REFETCH_MS });
  const { query, change } = useQueryValues();
  const tab = query.get('tab') ?? 'stages';
  const parked = view.data?.parked.length ?? 0;
  return (
    <Page title="Operations">
      <View of={view}>
        {(operations) => (
          <>
            {operations.stages
              .filter(({ payer_only: pays }) => pays)
              .map((stage) => (
                <Payments key={stage.stage} stage={stage} />
              ))}
            <Tabs
              label="Operations"
              active={tab}
              onChange={(key) => change({ tab: key === 'stages' ? null : key })}
              tabs={[
                { key: 'stages', title: 'Stages' },
                { key: 'processes', title: 'Processes and systems' },
                {
                  key: 'parked',
                  title: parked > 0 ? `Parked records (${countText(parked)})` : 'Parked records',
                },
                { key: 'configuration', title: 'Configuration' },
              ]}
            >
              {tab === 'processes' ? (
                <Processes processes={operations.processes} />
              ) : tab === 'parked' ? (
                <Parked parked={operations.parked} />
              ) : tab === 'configuration' ? (
                <Settings />
              ) : (
                <Stages stages={operations.stages} />
              )}
            </Tabs>
          </>
        )}
      </View>
    </Page>
  );
}
