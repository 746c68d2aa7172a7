import type { ActorDetail } from '../../../api/operator/wire/actors.ts';

interface ColumnValue {
  readonly column: string;
  readonly value: string | null;
}

/**
 * The columns of a row by their tables, in the order they came.
 *
 * @param all whether columns without a value are there, too
 */
export function tablesOf(
  row: ActorDetail['row'],
  all: boolean,
): readonly { readonly table: string; readonly columns: readonly ColumnValue[] }[] {
  const tables = new Map<string, ColumnValue[]>();
  for (const { table, column, value } of row) {
    if (!all && value === null) continue;
    const columns = tables.get(table) ?? [];
    columns.push({ column, value });
    tables.set(table, columns);
  }
  return [...tables].map(([table, columns]) => ({ table, columns }));
}
