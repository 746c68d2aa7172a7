import { useState } from 'react';
import { Link } from 'wouter';
import type { ErrorItems, Errors } from '../../api/operator/wire/errors.ts';
import { type StartAction, useActionDialog } from '../actions/use-action-dialog.tsx';
import { useView } from '../api.ts';
import { useQueryValues } from '../hash-location.ts';
import { withQuery } from '../hash-url.ts';
import { links } from '../links.ts';
import { counted, nameText, shortId } from '../text.ts';
import { Card, Empty, Page, Pager, Time, View } from '../ui/index.ts';
import type { ErrorGroup } from './errors/by-stage.ts';
import { EnvelopeFilter } from './errors/EnvelopeFilter.tsx';
import './errors/errors.css';
import './pages.css';
import { GroupActions } from './errors/GroupActions.tsx';

const LIMIT = 50;
type Item = ErrorItems['items'][number];

interface Props {
  readonly params: Readonly<Record<string, string>>;
}

/** All records that stand in ERROR with one code at one stage. */
export default function ErrorItemsPage({ params: { stage = '', code = '' } }: Props) {
  const { query, change } = useQueryValues();
  const envelope = query.get('envelope');
  const { start, dialog } = useActionDialog();
  const [cursor, setCursor] = useState<string | null>(null);
  const errors = useView<Errors>(withQuery('/operator/errors', { envelope }));
  const group = errors.data?.groups.find((one) => one.stage === stage && one.code === code);
  const path = `/operator/errors/${encodeURIComponent(stage)}/${encodeURIComponent(code)}`;
  const items = useView<ErrorItems>(withQuery(path, { envelope, limit: LIMIT, cursor }));
  return (
    <Page
      title={code}
      about={
        <p className="relations">
          <span>
            {group?.title ?? nameText(stage)}
            {group === undefined ? null : (
              <>
                {`: ${counted(group.count, 'record')}, last `}
                <Time at={group.last_at} />
              </>
            )}
          </span>
          <Link href={links.errors({ envelope: envelope ?? undefined })}>All errors</Link>
        </p>
      }
      actions={
        group === undefined ? undefined : <GroupActions group={group} envelope={envelope} onStart={start} />
      }
    >
      <EnvelopeFilter
        envelope={envelope}
        onChange={(next) => {
          setCursor(null);
          change({ envelope: next }, { push: true });
        }}
      />
      <View of={items}>
        {({ items: rows, next_cursor }) =>
          rows.length === 0 && cursor === null ? (
            <Empty title="None is left.">
              Everything with this error has been dealt with.{' '}
              <Link href={links.errors({ envelope: envelope ?? undefined })}>See what else there is</Link>
            </Empty>
          ) : (
            <Card title="Records" flush>
              <ul className="error-items">
                {rows.map((item) => (
                  <ItemLine
                    key={`${item.machine}/${item.id}`}
                    item={item}
                    group={group}
                    envelope={envelope}
                    onStart={start}
                  />
                ))}
              </ul>
              <Pager
                hasNext={next_cursor !== null}
                onNext={() => setCursor(next_cursor)}
                onFirst={cursor === null ? null : () => setCursor(null)}
                shown={counted(rows.length, 'record')}
              />
            </Card>
          )
        }
      </View>
      {dialog}
    </Page>
  );
}

interface ItemProps {
  readonly item: Item;
  readonly group: ErrorGroup | undefined;
  /** The envelope that the page is narrowed to. */
  readonly envelope: string | null;
  readonly onStart: StartAction;
}

const ItemLine = ({
  item: { machine, id, message, at, attempts, envelope: own },
  group,
  envelope,
  onStart,
}: ItemProps) => (
  <li className="error-item">
    <div className="error-group-what">
      <h3>
        {nameText(machine)}{' '}
        <Link href={links.actor(machine, id)}>
          <code>{id}</code>
        </Link>
      </h3>
      {message === null ? null : <p>{message}</p>}
      <p className="error-item-facts muted">
        <Time at={at} />
        <span>{counted(attempts, 'attempt')}</span>
        {own === null || envelope !== null ? null : (
          <span>
            envelope{' '}
            <Link href={links.envelope(own)} title={own}>
              <code>{shortId(own)}</code>
            </Link>
          </span>
        )}
      </p>
    </div>
    {group === undefined ? null : (
      <GroupActions group={group} envelope={envelope} id={id} onStart={onStart} />
    )}
  </li>
);
