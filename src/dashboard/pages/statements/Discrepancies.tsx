import { useState } from 'react';
import { Link } from 'wouter';
import type { Discrepancies as DiscrepanciesPage } from '../../../api/operator/wire/statements.ts';
import { useView } from '../../api.ts';
import { withQuery } from '../../hash-url.ts';
import { links } from '../../links.ts';
import { counted, shortId } from '../../text.ts';
import { type Column, Empty, Money, Pager, Table, Time, View } from '../../ui/index.ts';
import { COUNTED_MAX, countUpTo } from './statement-words.ts';

const LIMIT = 50;
type Discrepancy = DiscrepanciesPage['items'][number];

interface Props {
  readonly kind: string | null;
  readonly onKind: (kind: string | null) => void;
  readonly statement?: string;
  readonly envelope?: string | null;
}

/** What the bank says and what we say where both differ: entries without a payment, payments without an entry. */
export function Discrepancies({ kind, onKind, statement, envelope = null }: Props) {
  const [cursor, setCursor] = useState<string | null>(null);
  const page = useView<DiscrepanciesPage>(
    withQuery('/operator/discrepancies', { kind, statement, envelope, limit: LIMIT, cursor }),
  );
  // Of one statement most kinds are none, and say nothing.
  const isOffered = (one: { readonly kind: string; readonly count: number }): boolean =>
    statement === undefined || one.count > 0 || one.kind === kind;
  const choose = (next: string | null): void => {
    setCursor(null);
    onKind(next);
  };
  return (
    <View of={page}>
      {({ kinds, items, missing_as_of, next_cursor }) => (
        <>
          <fieldset className="kinds">
            <legend className="hidden">Kind of discrepancy</legend>
            <Kind title="All" count={null} isChosen={kind === null} onChoose={() => choose(null)} />
            {kinds.filter(isOffered).map((one) => (
              <Kind
                key={one.kind}
                title={one.title}
                count={one.count}
                isChosen={kind === one.kind}
                onChoose={() => choose(one.kind)}
              />
            ))}
          </fieldset>
          {kind === 'MISSING' && missing_as_of !== null ? (
            <p className="muted">
              Payments that should be on a statement by now, counted <Time at={missing_as_of} />.
            </p>
          ) : null}
          {items.length === 0 && cursor === null ? (
            <Empty title="Bank and bridge agree.">
              {kind === null ? 'Nothing differs.' : 'There is nothing of this kind.'}
            </Empty>
          ) : (
            <>
              <Table
                caption="Entries and payments that differ, the latest first"
                columns={columnsOf(new Map(kinds.map(({ kind: one, title }) => [one, title])), statement)}
                rows={items}
                rowKey={keyOf}
                empty="No more of them."
              />
              <Pager
                hasNext={next_cursor !== null}
                onNext={() => setCursor(next_cursor)}
                onFirst={cursor === null ? null : () => setCursor(null)}
                shown={counted(items.length, 'discrepancy', 'discrepancies')}
              />
            </>
          )}
        </>
      )}
    </View>
  );
}

const keyOf = ({ kind, statement, entry, payment }: Discrepancy): string =>
  [kind, statement, entry, payment].join('/');

interface KindProps {
  readonly title: string;
  readonly count: number | null;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

const Kind = ({ title, count, isChosen, onChoose }: KindProps) => (
  <button type="button" className="kind" aria-pressed={isChosen} onClick={onChoose}>
    {title}
    {count === null ? null : <span className="kind-count">{countUpTo(count, COUNTED_MAX.ofKind)}</span>}
  </button>
);

/** Entries have a day and no time. */
const When = ({ at }: { readonly at: string | null }) => {
  const [day, time] = at?.split('T') ?? [];
  return time?.startsWith('00:00:00') ? <time dateTime={day}>{day}</time> : <Time at={at} />;
};

const ShortLink = ({ href, id }: { readonly href: string; readonly id: string }) => (
  <Link href={href} title={id}>
    <code>{shortId(id)}</code>
  </Link>
);

/** A payment that is none of ours: what the bank calls it is what to ask the bank about. */
const Unknown = ({ names }: { readonly names: string | null }) =>
  names === null ? (
    <span className="muted nowrap">names none</span>
  ) : (
    <>
      <code>{names}</code> <span className="muted nowrap">is none that we know</span>
    </>
  );

const dash = <span className="muted">–</span>;

const columnsOf = (
  titles: ReadonlyMap<string, string>,
  ofStatement: string | undefined,
): readonly Column<Discrepancy>[] => [
  {
    key: 'kind',
    title: 'Kind',
    render: ({ kind }) => <span className="kind-name">{titles.get(kind) ?? kind}</span>,
  },
  {
    key: 'quantity',
    title: 'Quantity',
    align: 'end',
    render: ({ quantity }) => <Money quantity={quantity} />,
  },
  {
    key: 'payment',
    title: 'Payment',
    render: ({ payment, names, batch }) => {
      if (payment === null) return <Unknown names={names} />;
      if (batch === null) return <code>{payment}</code>;
      return (
        <Link href={links.actor('batch', batch)} title={`Batch ${batch}`}>
          <code>{payment}</code>
        </Link>
      );
    },
  },
  { key: 'note', title: 'The bank says', grow: true, render: ({ note }) => note ?? dash },
  ...(ofStatement === undefined
    ? [
        {
          key: 'statement',
          title: 'Statement',
          render: ({ statement }: Discrepancy) =>
            statement === null ? dash : <ShortLink href={links.statement(statement)} id={statement} />,
        },
      ]
    : []),
  { key: 'entry', title: 'Entry', align: 'end', render: ({ entry }) => entry ?? dash },
  {
    key: 'envelope',
    title: 'Envelope',
    wideOnly: true,
    render: ({ envelope }) =>
      envelope === null ? dash : <ShortLink href={links.envelope(envelope)} id={envelope} />,
  },
  { key: 'at', title: 'When', render: ({ at }) => <When at={at} /> },
];
