import type { Database, Tx } from '../../db/connection.ts';

/** Reads with several statements what the database held at one moment. Nothing can be written. */
export function atOneMoment<T>({ sql }: Database, read: (tx: Tx) => Promise<T>): Promise<T> {
  return sql.begin('isolation level repeatable read read only', read) as Promise<T>;
}
