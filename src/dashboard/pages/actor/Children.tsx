import { useState } from 'react';
import { Link } from 'wouter';
import type { ActorDetail, Children as ChildrenPage } from '../../../api/operator/wire/actors.ts';
import { useView } from '../../api.ts';
import { withQuery } from '../../hash-url.ts';
import { links } from '../../links.ts';
import { counted, nameText } from '../../text.ts';
import { Card, type Column, Pager, StateBadge, Table, Tabs, View } from '../../ui/index.ts';
import { actorPath } from './use-live-actor.ts';

const LIMIT = 25;
type Child = ChildrenPage['children'][number];

/** The actors that belong to an actor, machine by machine; nothing where there are none. */
export function Children({ actor }: { readonly actor: ActorDetail }) {
  const machines = actor.children.filter(({ count }) => count > 0);
  const [chosen, setChosen] = useState<string | null>(null);
  const active = chosen ?? machines[0]?.machine;
  if (active === undefined) return null;
  const tabs = machines.map(({ machine, count }) => ({
    key: machine,
    title: countOf(machine, count),
  }));
  return (
    <Card title="Children">
      <Tabs label="Kind of children" tabs={tabs} active={active} onChange={setChosen}>
        <ChildrenOf key={active} actor={actor} machine={active} />
      </Tabs>
    </Card>
  );
}

/** Up to where the server counts. */
const COUNTED_MAX = 100_000;

const countOf = (machine: string, count: number): string =>
  `${counted(count, machine, pluralOf(machine))}${count >= COUNTED_MAX ? ' or more' : ''}`;

const pluralOf = (machine: string): string =>
  ({ batch: 'batches', beneficiary: 'beneficiaries', geo: 'geo records' })[machine] ?? `${machine}s`;

function ChildrenOf({ actor, machine }: { readonly actor: ActorDetail; readonly machine: string }) {
  const [cursor, setCursor] = useState<string | null>(null);
  const page = useView<ChildrenPage>(
    withQuery(`${actorPath(actor.machine, actor.id)}/children`, { machine, limit: LIMIT, cursor }),
  );
  return (
    <View of={page}>
      {({ children, next_cursor }) => (
        <>
          <Table
            caption={`Children of the kind ${machine}`}
            columns={columnsOf(children)}
            rows={children}
            rowKey={({ id }) => id}
          />
          <Pager
            hasNext={next_cursor !== null}
            onNext={() => setCursor(next_cursor)}
            onFirst={cursor === null ? null : () => setCursor(null)}
          />
        </>
      )}
    </View>
  );
}

/** A column for each region: children of a machine have all the same. */
const columnsOf = (children: readonly Child[]): readonly Column<Child>[] => [
  {
    key: 'id',
    title: 'Record',
    render: ({ machine, id }) => (
      <Link href={links.actor(machine, id)}>
        <code>{id}</code>
      </Link>
    ),
  },
  ...(children[0]?.regions ?? []).map(({ region }) => ({
    key: region,
    title: nameText(region),
    render: ({ regions }: Child) => {
      const state = regions.find((one) => one.region === region)?.state;
      return state === undefined ? '–' : <StateBadge state={state} />;
    },
  })),
];
