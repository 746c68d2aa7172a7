import type { ReactNode } from 'react';
import { Link } from 'wouter';

export interface Column<T> {
  readonly key: string;
  readonly title: ReactNode;
  readonly render: (row: T) => ReactNode;
  /** Numbers stand at the end. */
  readonly align?: 'start' | 'end';
  /** Left out on a narrow screen. */
  readonly wideOnly?: boolean;
  /** Takes the room that is left. */
  readonly grow?: boolean;
}

interface Props<T> {
  /** What the table holds, for screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  /** Said in place of rows. */
  readonly empty?: ReactNode;
  /** Where a row leads; its first cell becomes the link, and a click anywhere on it follows. */
  readonly href?: (row: T) => string;
  /** What a click on a row does, besides what its cells offer to the keyboard. */
  readonly onOpen?: (row: T) => void;
}

/** Said once more: what is not laid out as a table any more is otherwise none for screen readers. */
const role = (name: string): { readonly role: string } => ({ role: name });

/** A table. Where the screen is wide enough it scrolls sideways by itself if it must; on a telephone each row is a block. */
export function Table<T>({ caption, columns, rows, rowKey, empty, href, onOpen }: Props<T>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    <div role="group" className="table-room" aria-label={caption} tabIndex={0}>
      <table {...role('table')}>
        <caption className="hidden">{caption}</caption>
        <thead {...role('rowgroup')}>
          <tr {...role('row')}>
            {columns.map((column) => (
              <th key={column.key} {...role('columnheader')} scope="col" className={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody {...role('rowgroup')}>
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              {...role('row')}
              className={href !== undefined || onOpen !== undefined ? 'row-opens' : undefined}
              onClick={(event) => {
                if (isControl(event.target)) return;
                if (onOpen !== undefined) onOpen(row);
                else event.currentTarget.querySelector<HTMLAnchorElement>('a.row-link')?.click();
              }}
            >
              {columns.map((column, at) => (
                <td
                  key={column.key}
                  {...role('cell')}
                  className={classOf(column)}
                  data-label={typeof column.title === 'string' ? column.title : undefined}
                >
                  {at === 0 && href !== undefined ? (
                    <Link className="row-link" href={href(row)}>
                      {column.render(row)}
                    </Link>
                  ) : (
                    column.render(row)
                  )}
                </td>
              ))}
            </tr>
          ))}
          {rows.length === 0 ? (
            <tr {...role('row')}>
              <td {...role('cell')} className="table-empty" colSpan={columns.length}>
                {empty ?? 'There is nothing here yet.'}
              </td>
            </tr>
          ) : null}
        </tbody>
      </table>
    </div>
  );
}

const classOf = <T,>({ align, wideOnly, grow }: Column<T>): string =>
  [align === 'end' ? 'at-end' : '', wideOnly ? 'wide-only' : '', grow ? 'grow' : ''].join(' ').trim();

const isControl = (target: EventTarget): boolean =>
  target instanceof Element && target.closest('a, button, input, select, label, summary') !== null;
