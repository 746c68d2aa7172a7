import { Fragment, useState } from 'react';
import type { ActorDetail } from '../../../api/operator/wire/actors.ts';
import { Card, Empty } from '../../ui/index.ts';
import { tablesOf } from './tables.ts';

/** A long name, which may be broken after its underscores. */
const Broken = ({ text }: { readonly text: string }) =>
  text.split(/(?<=_)/).map((part, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: parts never move
    <Fragment key={at}>
      {part}
      <wbr />
    </Fragment>
  ));

/** The row behind an actor, table by table, column by column: what any SQL client sees. */
export function Row({ row }: { readonly row: ActorDetail['row'] }) {
  const [all, setAll] = useState(false);
  return (
    <Card
      title="Row"
      actions={
        <label className="check">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} />
          Empty columns
        </label>
      }
    >
      {row.length === 0 ? <Empty title="It has no row any more." icon="none" /> : null}
      {tablesOf(row, all).map(({ table, columns }) => (
        <div key={table} className="row-table">
          <table>
            <caption>
              <code>{table}</code>
            </caption>
            <thead className="hidden">
              <tr>
                <th scope="col">Column</th>
                <th scope="col">Value</th>
              </tr>
            </thead>
            <tbody>
              {columns.map(({ column, value }) => (
                <tr key={column}>
                  <th scope="row">
                    <code>
                      <Broken text={column} />
                    </code>
                  </th>
                  <td>{value === null ? <span className="muted">null</span> : value}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ))}
    </Card>
  );
}
