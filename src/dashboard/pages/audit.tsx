import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import type { Audit } from '../../api/operator/wire/operations.ts';
import { useView } from '../api.ts';
import { countText } from '../format/number.ts';
import { absoluteText } from '../format/time.ts';
import { useQueryValues } from '../hash-location.ts';
import { withQuery } from '../hash-url.ts';
import { counted, nameText } from '../text.ts';
import { Card, Empty, Page, Pager, Time, View } from '../ui/index.ts';
import { targetParts } from './audit/target.ts';
import './audit/audit.css';
import './pages.css';

const LIMIT = 50;
/** Somebody who types is not done yet. */
const TYPED_MS = 300;
type Action = Audit['actions'][number];
const ACTIONS = [
  'retry',
  'release',
  'dispatch',
  'cancel',
  'tick',
  'pause',
  'resume',
  'upload',
  'token_created',
  'token_revoked',
];

/** Everything that operators did: who, what, why, when, and what came of it. */
export default function AuditPage(_props: { readonly params: Readonly<Record<string, string>> }) {
  const { query, change } = useQueryValues();
  const [cursor, setCursor] = useState<string | null>(null);
  const action = query.get('action');
  const operator = query.get('operator');
  const view = useView<Audit>(withQuery('/operator/audit', { action, operator, limit: LIMIT, cursor }));
  const filter = (values: Record<string, string | null>): void => {
    setCursor(null);
    change(values);
  };
  return (
    <Page title="Audit" about="Everything that operators did. Nothing can be taken out of this list.">
      <Filters action={action} operator={operator} onChange={filter} />
      <View of={view}>
        {({ actions, next_cursor }) =>
          actions.length === 0 && cursor === null ? (
            <Empty
              title={action === null && operator === null ? 'Nobody has done anything yet.' : 'Nothing fits.'}
              icon="audit"
            >
              {action === null && operator === null
                ? 'Retries, releases, pauses, uploads and all else that people do will be listed here.'
                : 'Choose another action or another name.'}
            </Empty>
          ) : (
            <Card flush>
              <ol className="audit" aria-label="What operators did, the latest first">
                {actions.map((one) => (
                  <Entry key={one.id} entry={one} />
                ))}
              </ol>
              <Pager
                hasNext={next_cursor !== null}
                onNext={() => setCursor(next_cursor)}
                onFirst={cursor === null ? null : () => setCursor(null)}
                shown={counted(actions.length, 'action')}
              />
            </Card>
          )
        }
      </View>
    </Page>
  );
}

interface FilterProps {
  readonly action: string | null;
  readonly operator: string | null;
  readonly onChange: (values: Record<string, string | null>) => void;
}

function Filters({ action, operator, onChange }: FilterProps) {
  const [name, setName] = useState(operator ?? '');
  useEffect(() => {
    if (name.trim() === (operator ?? '')) return;
    const timer = setTimeout(() => onChange({ operator: name.trim() }), TYPED_MS);
    return () => clearTimeout(timer);
  }, [name, operator, onChange]);
  return (
    <search className="filters">
      <label>
        Action
        <select value={action ?? ''} onChange={(event) => onChange({ action: event.target.value })}>
          <option value="">Any</option>
          {ACTIONS.map((one) => (
            <option key={one} value={one}>
              {nameText(one)}
            </option>
          ))}
        </select>
      </label>
      <label>
        Operator
        <input value={name} placeholder="Name or id" onChange={(event) => setName(event.target.value)} />
      </label>
    </search>
  );
}

const Entry = ({ entry }: { readonly entry: Action }) => (
  <li className="audit-entry">
    <div>
      <p>
        <strong>{entry.operator.name}</strong>{' '}
        {entry.operator.id === entry.operator.name ? null : <code>{entry.operator.id}</code>}{' '}
        <span className="muted">{entry.operator.role}</span>
      </p>
      <p className="muted">
        <Time at={entry.at} />
      </p>
      <p className="muted small">{absoluteText(entry.at)}</p>
    </div>
    <div>
      <p>
        <strong>{nameText(entry.action)}</strong>
      </p>
      <Target target={entry.target} />
    </div>
    {entry.reason === '' ? <span /> : <q className="audit-why">{entry.reason}</q>}
    <Result {...entry} />
  </li>
);

const Target = ({ target }: { readonly target: Action['target'] }) => (
  <ul className="audit-target">
    {targetParts(target).map(({ text, href }) => (
      <li key={text}>{href === null ? text : <Link href={href}>{text}</Link>}</li>
    ))}
  </ul>
);

const Result = ({ accepted, refused, problem }: Action) =>
  problem === 'UNFINISHED' ? (
    <span className="audit-result audit-refused">not finished</span>
  ) : problem !== null ? (
    <span className="audit-result audit-refused">
      refused: <code>{problem}</code>
    </span>
  ) : accepted + refused === 0 ? (
    <span className="audit-result">done</span>
  ) : (
    <span className="audit-result">
      {`${countText(accepted)} done`}
      {refused === 0 ? null : <span className="audit-refused">{`, ${countText(refused)} refused`}</span>}
    </span>
  );
