import { useMemo } from 'react';
import { Link } from 'wouter';
import type { EnvelopeDetail } from '../../api/operator/wire/envelopes.ts';
import { useView } from '../api.ts';
import { Batches } from '../envelopes/Batches.tsx';
import { benefitTypeText } from '../envelopes/benefit-types.ts';
import { CancelButton } from '../envelopes/CancelButton.tsx';
import type { PageProps } from '../page-props.ts';
import '../envelopes/envelope.css';
import { Progress } from '../envelopes/Progress.tsx';
import { Sums } from '../envelopes/Sums.tsx';
import { countText } from '../format/number.ts';
import { links } from '../links.ts';
import { useRefreshOnFeed } from '../refresh-on-feed.ts';
import { Card, Count, Id, Page, StateBadge, Time, View } from '../ui/index.ts';

/** One envelope: how far it has come, what has become of its sums, and its batches; moves as it moves. */
export default function EnvelopePage({ params: { id = '' } }: PageProps) {
  const path = `/operator/envelopes/${encodeURIComponent(id)}`;
  const view = useView<EnvelopeDetail>(path);
  useRefreshOnFeed({ envelope: id }, [path]);
  const envelope = view.data;
  const title =
    envelope === undefined
      ? 'Envelope'
      : `${envelope.benefit_program_mnemonic} · ${envelope.benefit_code_mnemonic} · ${envelope.cycle_code_mnemonic}`;
  return (
    <Page
      title={title}
      aside={envelope === undefined ? null : <StateBadge state={envelope.state} />}
      about={
        <>
          <Id id={id} />
          {envelope?.description ? <p className="muted">{envelope.description}</p> : null}
        </>
      }
      actions={envelope === undefined ? null : <Actions envelope={envelope} />}
    >
      <View of={view}>{(data) => <Everything envelope={data} />}</View>
    </Page>
  );
}

const Actions = ({ envelope }: { readonly envelope: EnvelopeDetail }) => (
  <>
    {envelope.errors > 0 ? (
      <Link className="button" href={links.errors({ envelope: envelope.id })}>
        {countText(envelope.errors)} in error
      </Link>
    ) : null}
    <Link className="button" href={links.actor('envelope', envelope.id)}>
      Chart and timeline
    </Link>
    <CancelButton envelope={envelope} />
  </>
);

function Everything({ envelope }: { readonly envelope: EnvelopeDetail }) {
  const titles = useMemo(
    () => new Map(envelope.stages.map(({ stage, title }) => [stage, title])),
    [envelope.stages],
  );
  return (
    <>
      <Card>
        <Facts envelope={envelope} />
      </Card>
      <div className="envelope-columns">
        <Progress envelope={envelope.id} stages={envelope.stages} />
        <Sums envelope={envelope} />
      </div>
      <Batches envelope={envelope.id} unit={envelope.measurement_unit} titles={titles} />
    </>
  );
}

const Facts = ({ envelope }: { readonly envelope: EnvelopeDetail }) => (
  <dl className="facts">
    <div>
      <dt>Benefit</dt>
      <dd>{benefitTypeText(envelope.benefit_type)}</dd>
    </div>
    <div>
      <dt>Scheduled for</dt>
      <dd className="figure">{envelope.disbursement_schedule_date}</dd>
    </div>
    <div>
      <dt>Came</dt>
      <dd>
        <Time at={envelope.received_at} />
      </dd>
    </div>
    <div>
      <dt>Beneficiaries</dt>
      <dd>
        <Count value={envelope.number_of_beneficiaries} />
      </dd>
    </div>
    <div>
      <dt>Disbursements received</dt>
      <dd>
        <Count value={envelope.number_of_disbursements_received} /> of{' '}
        <Count value={envelope.number_of_disbursements} />
      </dd>
    </div>
    <div>
      <dt>Batches</dt>
      <dd>
        <Count value={envelope.number_of_batches} />
      </dd>
    </div>
    {envelope.cancelled_at === null ? null : (
      <div>
        <dt>Cancelled</dt>
        <dd>
          <Time at={envelope.cancelled_at} />
        </dd>
      </div>
    )}
  </dl>
);
