import { Link } from 'wouter';
import type { Errors } from '../../api/operator/wire/errors.ts';
import { type StartAction, useActionDialog } from '../actions/use-action-dialog.tsx';
import { useSession, useView } from '../api.ts';
import { useQueryValues } from '../hash-location.ts';
import { withQuery } from '../hash-url.ts';
import { links } from '../links.ts';
import { counted } from '../text.ts';
import { Card, Empty, Page, Time, View } from '../ui/index.ts';
import { byStage, type ErrorGroup } from './errors/by-stage.ts';
import { EnvelopeFilter } from './errors/EnvelopeFilter.tsx';
import './errors/errors.css';
import './pages.css';
import { GroupActions } from './errors/GroupActions.tsx';

/** Everything that stands in ERROR, by stage and code; the shell has it asked for again when something moves. */
export default function ErrorsPage(_props: { readonly params: Readonly<Record<string, string>> }) {
  const { query, change } = useQueryValues();
  const envelope = query.get('envelope');
  const { start, dialog } = useActionDialog();
  const looksOnly = useSession().whyNot('operator');
  const errors = useView<Errors>(withQuery('/operator/errors', { envelope }));
  return (
    <Page
      title="Errors"
      about={
        <>
          <p>Work that has used up its attempts, or that only a person can decide about.</p>
          {looksOnly === null ? null : <p className="muted">Acting on it: {looksOnly}</p>}
        </>
      }
      actions={
        <EnvelopeFilter envelope={envelope} onChange={(next) => change({ envelope: next }, { push: true })} />
      }
    >
      <View of={errors}>
        {({ groups }) =>
          groups.length === 0 ? (
            <Empty title="Nothing stands in ERROR.">
              {envelope === null
                ? 'All work goes on by itself. What fails for good appears here at once.'
                : 'Nothing of this envelope needs anybody.'}
            </Empty>
          ) : (
            byStage(groups).map(({ stage, title, count, groups: own }) => (
              <Card
                key={stage}
                title={title}
                actions={<span className="muted">{counted(count, 'record')}</span>}
              >
                <ul className="error-groups">
                  {own.map((group) => (
                    <Group key={group.code} group={group} envelope={envelope} onStart={start} />
                  ))}
                </ul>
              </Card>
            ))
          )
        }
      </View>
      {dialog}
    </Page>
  );
}

interface GroupProps {
  readonly group: ErrorGroup;
  readonly envelope: string | null;
  readonly onStart: StartAction;
}

function Group({ group, envelope, onStart }: GroupProps) {
  const { stage, code, count, message, first_at, last_at } = group;
  return (
    <li className="error-group">
      <div className="error-group-what">
        <h3>
          <Link href={links.errorItems(stage, code, { envelope: envelope ?? undefined })}>
            <code>{code}</code>
          </Link>
        </h3>
        {message === null ? null : <p className="error-message">{message}</p>}
        <p className="muted">
          last <Time at={last_at} />
          {first_at === last_at ? null : (
            <>
              , first <Time at={first_at} />
            </>
          )}
        </p>
      </div>
      <p className="error-group-count">
        <Link href={links.errorItems(stage, code, { envelope: envelope ?? undefined })}>
          {counted(count, 'record')}
        </Link>
      </p>
      <GroupActions group={group} envelope={envelope} onStart={onStart} />
    </li>
  );
}
