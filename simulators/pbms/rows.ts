import type { Sql, TransactionSql } from 'postgres';

const rowsPerStatement = 5_000;

/** Column names with their SQL types. */
export type Columns = Readonly<Record<string, 'bigint' | 'text'>>;

/**
 * Inserts rows, one statement for every 5,000 of them: they travel as one JSON parameter. The next 5,000 are
 * made while the server writes the ones before.
 *
 * @param table a table of the simulator's own
 * @returns how many rows were inserted
 */
export async function insertRows<C extends Columns>(
  sql: Sql | TransactionSql,
  table: string,
  columns: C,
  rows: Iterable<Readonly<Record<keyof C, string | number | null>>>,
): Promise<number> {
  const names = Object.keys(columns).join(', ');
  const types = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  const statement = `insert into ${table} (${names})
    select ${names} from json_to_recordset($1::text::json) as new (${types.join(', ')})`;
  let inserted = 0;
  let underWay: Promise<unknown> | undefined;
  for (const chunk of chunks(rows)) {
    await underWay;
    underWay = sql.unsafe(statement, [JSON.stringify(chunk)], { prepare: true }).execute();
    inserted += chunk.length;
  }
  await underWay;
  return inserted;
}

function* chunks<T>(items: Iterable<T>): Generator<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < rowsPerStatement) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
