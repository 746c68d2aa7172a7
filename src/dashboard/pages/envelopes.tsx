import type { Envelopes } from '../../api/operator/wire/envelopes.ts';
import { useView } from '../api.ts';
import { benefitTypeText } from '../envelopes/benefit-types.ts';
import { Filters } from '../envelopes/Filters.tsx';
import { useQueryValues } from '../hash-location.ts';
import { withQuery } from '../hash-url.ts';
import { links } from '../links.ts';
import type { EnvelopeRow } from '../overview/types.ts';
import {
  Button,
  Card,
  type Column,
  Count,
  Empty,
  Money,
  Page,
  Pager,
  StateBadge,
  Table,
  Time,
  View,
} from '../ui/index.ts';

const LIMIT = 50;

const COLUMNS: readonly Column<EnvelopeRow>[] = [
  {
    key: 'envelope',
    title: 'Envelope',
    grow: true,
    render: (row) => (
      <>
        {row.benefit_program_mnemonic} · {row.benefit_code_mnemonic} · {row.cycle_code_mnemonic}
        <br />
        <code className="muted small">{row.id}</code>
      </>
    ),
  },
  {
    key: 'state',
    title: 'State',
    render: (row) => (
      <>
        <StateBadge state={row.state} />
        {row.errors > 0 ? (
          <div className="small muted">
            <Count value={row.errors} /> in error
          </div>
        ) : null}
      </>
    ),
  },
  {
    key: 'type',
    title: 'Benefit',
    wideOnly: true,
    render: (row) => <span className="figure">{benefitTypeText(row.benefit_type)}</span>,
  },
  {
    key: 'received',
    title: 'Disbursements',
    align: 'end',
    render: (row) => (
      <>
        <Count value={row.number_of_disbursements_received} />
        {row.number_of_disbursements_received === row.number_of_disbursements ? null : (
          <div className="small muted">
            of <Count value={row.number_of_disbursements} />
          </div>
        )}
      </>
    ),
  },
  {
    key: 'quantity',
    title: 'Received',
    align: 'end',
    render: (row) => <Money quantity={row.quantity_received} unit={row.measurement_unit} />,
  },
  {
    key: 'shipped',
    title: 'Paid',
    align: 'end',
    wideOnly: true,
    render: (row) => <Count value={row.number_of_disbursements_shipped} />,
  },
  {
    key: 'reconciled',
    title: 'Confirmed',
    align: 'end',
    wideOnly: true,
    render: (row) => <Count value={row.number_of_disbursements_reconciled} />,
  },
  {
    key: 'scheduled',
    title: 'Scheduled',
    render: (row) => (
      <>
        <span className="figure">{row.disbursement_schedule_date}</span>
        <div className="small muted figure">
          came <Time at={row.received_at} />
        </div>
      </>
    ),
  },
];

/** All envelopes, the newest first. The filters are part of the address, so that what one sees can be sent to others. */
export default function EnvelopesPage() {
  const { query, change } = useQueryValues();
  const values = {
    search: query.get('search') ?? '',
    state: query.get('state') ?? '',
    benefit_type: query.get('benefit_type') ?? '',
  };
  const cursor = query.get('cursor');
  const view = useView<Envelopes>(withQuery('/operator/envelopes', { ...values, cursor, limit: LIMIT }));
  const isFiltered = Object.values(values).some((value) => value !== '');
  return (
    <Page title="Envelopes">
      <Filters values={values} onChange={(changed) => change({ ...changed, cursor: null })} />
      <View of={view}>
        {({ envelopes, next_cursor: next }) => (
          <Card flush className={view.isPlaceholderData ? 'fetching' : ''}>
            <p className="hidden" role="status">
              {view.isPlaceholderData ? '' : `${envelopes.length} envelopes are listed.`}
            </p>
            <Table
              caption="Envelopes, the newest first"
              rows={envelopes}
              rowKey={({ id }) => id}
              href={({ id }) => links.envelope(id)}
              columns={COLUMNS}
              empty={
                isFiltered ? (
                  <Empty title="No envelope fits." icon="find">
                    <Button
                      onClick={() => change({ search: null, state: null, benefit_type: null, cursor: null })}
                    >
                      Show all envelopes
                    </Button>
                  </Empty>
                ) : (
                  <Empty title="No envelope has come yet." icon="envelopes">
                    Envelopes come through the partner API, or from a file with g2p-bridge submit.
                  </Empty>
                )
              }
            />
            <Pager
              hasNext={next !== null}
              onNext={() => change({ cursor: next }, { push: true })}
              onFirst={cursor === null ? null : () => change({ cursor: null }, { push: true })}
            />
          </Card>
        )}
      </View>
    </Page>
  );
}
