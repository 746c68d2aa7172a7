import { useEffect } from 'react';
import { Link } from 'wouter';
import type { Found } from '../../api/operator/wire/actors.ts';
import { useView } from '../api.ts';
import { navigate, useQueryValues } from '../hash-location.ts';
import { withQuery } from '../hash-url.ts';
import { links } from '../links.ts';
import { Empty, Page, Table, View } from '../ui/index.ts';

type Hit = Found['found'][number];

const placeOf = ({ kind, actor }: Hit): string =>
  kind === 'envelope' ? links.envelope(actor.id) : links.actor(actor.machine, actor.id);

const KINDS: Readonly<Record<Hit['kind'], string>> = {
  envelope: 'Envelope',
  batch: 'Batch',
  geo: 'Geo record',
  beneficiary: 'Beneficiary',
  statement: 'Statement',
  disbursement: 'Disbursement',
};

/** What has the id that was looked for; one alone is gone to at once. */
export default function FindPage() {
  const { query } = useQueryValues();
  const text = query.get('q') ?? '';
  const found = useView<Found>(withQuery('/operator/find', { q: text }), {
    enabled: text.trim() !== '',
    refetchMs: false,
  });
  const only = found.isPlaceholderData || found.data?.found.length !== 1 ? undefined : found.data.found[0];
  useEffect(() => {
    if (only !== undefined) navigate(placeOf(only), { replace: true });
  }, [only]);
  return (
    <Page title="Find" about={<p className="muted">Whatever has the id {text}</p>}>
      {text.trim() === '' ? (
        <Empty title="Enter an id to find." icon="find">
          Of an envelope, a batch, a disbursement, a statement, or any record of them.
        </Empty>
      ) : (
        <View of={found}>
          {({ found: hits }) =>
            hits.length === 0 ? (
              <Empty title={`Nothing has the id ${text}.`} icon="find">
                Ids are compared as a whole. To find an envelope by its program or cycle, use the{' '}
                <Link href={links.envelopes({ search: text })}>search of envelopes</Link>.
              </Empty>
            ) : (
              <Table
                caption="Records with this id"
                rows={hits}
                rowKey={(hit) => `${hit.kind} ${hit.actor.machine} ${hit.actor.id}`}
                href={placeOf}
                columns={[
                  { key: 'kind', title: 'Kind', render: (hit) => KINDS[hit.kind] },
                  { key: 'id', title: 'Id', render: (hit) => <code>{hit.id}</code> },
                  { key: 'about', title: 'About', render: (hit) => hit.about, grow: true },
                ]}
              />
            )
          }
        </View>
      )}
    </Page>
  );
}
