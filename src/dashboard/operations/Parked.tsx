import { links } from '../links.ts';
import { Card, Empty, Table, Time } from '../ui/index.ts';
import type { ParkedRow } from './types.ts';

/** Records that are left alone because their rows cannot be read. */
export const Parked = ({ parked }: { readonly parked: readonly ParkedRow[] }) => (
  <Card flush>
    <Table
      caption="Records whose rows cannot be read"
      rows={parked}
      rowKey={({ machine, id }) => `${machine} ${id}`}
      href={({ machine, id }) => links.actor(machine, id)}
      columns={[
        { key: 'id', title: 'Record', render: ({ id }) => <code>{id}</code> },
        { key: 'machine', title: 'Kind', render: ({ machine }) => machine },
        { key: 'reason', title: 'Why', grow: true, render: ({ reason }) => reason },
        { key: 'since', title: 'Since', render: ({ since }) => <Time at={since} /> },
      ]}
      empty={<Empty title="Every record can be read." />}
    />
  </Card>
);
