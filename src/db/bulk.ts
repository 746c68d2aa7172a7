import { getTableColumns, getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Queryable } from './connection.ts';

/** Rows sent in one statement at most; keeps a statement's parameter to a few megabytes. */
const ROWS_PER_STATEMENT = 5_000;

/** Quotes an identifier that comes from the schema (never from input). */
export const quoted = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`;

/** The SQL type of every column of a table, by column name. */
export function columnTypes(table: PgTable): ReadonlyMap<string, string> {
  return new Map(Object.values(getTableColumns(table)).map((column) => [column.name, column.getSQLType()]));
}

/** `name type, name type` for the given columns, as `json_to_recordset` wants it; throws on an unknown column. */
export function recordset(table: PgTable, columns: readonly string[]): string {
  const types = columnTypes(table);
  return columns
    .map((name) => {
      const type = types.get(name);
      if (!type) throw new Error(`Table ${getTableName(table)} has no column ${name}.`);
      return `${quoted(name)} ${type}`;
    })
    .join(', ');
}

/**
 * Inserts many rows with one statement per 5,000: the rows travel as one JSON parameter, so neither the number of
 * parameters nor the length of the statement grows with them.
 *
 * @param rows all with the same columns as the first one; columns that are left out get their defaults
 * @param onConflict what to do with rows that are there already: fail (default) or leave them as they are
 * @returns how many rows were inserted
 */
export async function insertRows(
  tx: Queryable,
  table: PgTable,
  rows: readonly Readonly<Record<string, unknown>>[],
  onConflict: 'fail' | 'ignore' = 'fail',
): Promise<number> {
  const [first] = rows;
  if (!first) return 0;
  const columns = Object.keys(first);
  const names = columns.map(quoted).join(', ');
  const text =
    `insert into ${quoted(getTableName(table))} (${names}) ` +
    `select ${names} from json_to_recordset($1::json) as v(${recordset(table, columns)})` +
    (onConflict === 'ignore' ? ' on conflict do nothing' : '');
  let inserted = 0;
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    const chunk = rows.slice(start, start + ROWS_PER_STATEMENT);
    inserted += (await tx.unsafe(text, [JSON.stringify(chunk)], { prepare: true })).count;
  }
  return inserted;
}
