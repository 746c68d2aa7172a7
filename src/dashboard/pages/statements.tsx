import { useQueryValues } from '../hash-location.ts';
import { Card, Page, Tabs } from '../ui/index.ts';
import { EnvelopeFilter } from './errors/EnvelopeFilter.tsx';
import { Discrepancies } from './statements/Discrepancies.tsx';
import { StatementList } from './statements/StatementList.tsx';
import { UploadBox } from './statements/UploadBox.tsx';
import './statements/statements.css';
import './pages.css';

const TABS = [
  { key: 'uploads', title: 'Uploads' },
  { key: 'discrepancies', title: 'Discrepancies' },
];

/** The bank's statements: uploads with their results, and where the bank and the bridge disagree. */
export default function StatementsPage(_props: { readonly params: Readonly<Record<string, string>> }) {
  const { query, change } = useQueryValues();
  const tab = query.get('tab') === 'discrepancies' ? 'discrepancies' : 'uploads';
  const kind = query.get('kind');
  const envelope = query.get('envelope');
  return (
    <Page title="Statements" about="What the bank says it has paid, and how it compares.">
      <UploadBox />
      <Tabs
        label="Statements"
        tabs={TABS}
        active={tab}
        onChange={(next) => change({ tab: next, kind: null, envelope: null })}
      >
        {tab === 'uploads' ? (
          <StatementList />
        ) : (
          <>
            <EnvelopeFilter
              envelope={envelope}
              onChange={(next) => change({ envelope: next }, { push: true })}
            />
            <Card>
              <Discrepancies
                key={envelope}
                kind={kind}
                envelope={envelope}
                onKind={(next) => change({ kind: next })}
              />
            </Card>
          </>
        )}
      </Tabs>
    </Page>
  );
}
