import { once } from 'node:events';
import { connect as openSocket, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { getTableColumns, getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import postgres from 'postgres';
import type { Sql } from '../src/db/connection.ts';
import { migrate } from '../src/db/migrate.ts';
import {
  disbursementBatchControl,
  disbursementEnvelopes,
  disbursementRecons,
  disbursementResolutionFinancialAddress,
  disbursements,
  envelopeBatchStatusForCash,
  envelopeControl,
} from '../src/db/schema/index.ts';

/** Tables whose rows are copied, in an order in which none refers to a later one. */
export interface Copied {
  /** Copied before, because the others refer to them. */
  readonly given: readonly PgTable[];
  /** Copied against the clock. */
  readonly timed: readonly PgTable[];
}

/** What COPY took for the rows of one table. */
export interface TableCopy {
  readonly table: PgTable;
  readonly rows: number;
  /** To read them from where they are, in milliseconds. */
  readonly outMs: number;
  /** To write them into the same table elsewhere, in milliseconds. */
  readonly inMs: number;
}

/** The tables that a run of digital cash fills. */
export const DIGITAL_CASH: readonly PgTable[] = [
  disbursementEnvelopes,
  envelopeControl,
  envelopeBatchStatusForCash,
  disbursementBatchControl,
  disbursements,
  disbursementResolutionFinancialAddress,
  disbursementRecons,
];

/**
 * How long COPY needs to write the rows that a run has made into the same tables of an empty database on the same
 * server, indexes and foreign keys included: the least that storing them can take.
 *
 * @param sourceUrl database of the run
 * @param targetUrl empty database
 * @param tables which rows; those of digital cash unless told otherwise
 * @returns milliseconds, reading not included
 */
export async function copyBaseline(
  sourceUrl: string,
  targetUrl: string,
  { given, timed }: Copied = { given: [], timed: DIGITAL_CASH },
): Promise<number> {
  const copies = await copyTables(sourceUrl, targetUrl, [...given, ...timed]);
  return copies.filter(({ table }) => timed.includes(table)).reduce((sum, { inMs }) => sum + inMs, 0);
}

/**
 * Copies rows with COPY into the same tables of another database on the same server, one table after the other.
 *
 * @param targetUrl another database; what it has already stays, so it may grow together with the one of the runs
 * @param tables in an order in which none refers to a later one
 * @param envelope only the rows of this envelope; null: all rows
 */
export async function copyTables(
  sourceUrl: string,
  targetUrl: string,
  tables: readonly PgTable[],
  envelope: string | null = null,
): Promise<TableCopy[]> {
  await migrate(targetUrl);
  const source = connectAtOnce(sourceUrl);
  const target = connectAtOnce(targetUrl);
  const copies: TableCopy[] = [];
  const { sql } = source;
  try {
    for (const table of tables) {
      const rowsOf = envelope === null ? sql`` : sql`where ${sql(envelopeColumn(table))} = ${envelope}`;
      const name = getTableName(table);
      const [counted] = await sql<{ rows: number }[]>`
        select count(*)::int as rows from ${sql(name)} ${rowsOf}`;
      const { chunks, outMs } = await copyOut(source, table, envelope);
      copies.push({ table, rows: counted?.rows ?? 0, outMs, inMs: await copyIn(target.sql, name, chunks) });
    }
    return copies;
  } finally {
    await source.sql.end();
    await target.sql.end();
  }
}

/** A connection for COPY. */
interface CopyConnection {
  readonly sql: Sql;
  /** To be called when all rows of a COPY have been read. */
  resume(): void;
}

/**
 * One connection that sends everything at once. By default the end of a COPY waits until what was sent before has been
 * acknowledged, which takes 40 ms for each table however few its rows.
 */
function connectAtOnce(url: string): CopyConnection {
  const { hostname: host, port } = new URL(url);
  const sockets: Socket[] = [];
  const options = {
    max: 1,
    onnotice: () => {},
    socket: async () => {
      const socket = openSocket({ host, port: Number(port), noDelay: true });
      sockets.push(socket);
      await once(socket, 'connect');
      return Object.assign(socket, { host, port: Number(port) });
    },
  };
  // The driver pauses its socket for a reader that is slow, and for good when the last of the rows is a long one.
  return { sql: postgres(url, options), resume: () => sockets.at(-1)?.resume() };
}

/** The column that says to which envelope a row belongs. */
const envelopeColumn = (table: PgTable): string =>
  Object.values(getTableColumns(table)).find(({ name }) => name === 'disbursement_envelope_id')?.name ?? 'id';

async function copyOut({ sql, resume }: CopyConnection, table: PgTable, envelope: string | null) {
  const started = performance.now();
  // COPY takes no parameters; ids of envelopes are made by the benchmark itself.
  const literal = `'${(envelope ?? '').replaceAll("'", "''")}'`;
  const rows =
    envelope === null
      ? sql`${sql(getTableName(table))}`
      : sql`(select * from ${sql(getTableName(table))} where ${sql(envelopeColumn(table))} = ${sql.unsafe(literal)})`;
  const chunks: Buffer[] = [];
  for await (const chunk of await sql`copy ${rows} to stdout`.readable()) chunks.push(chunk);
  resume();
  return { chunks, outMs: performance.now() - started };
}

async function copyIn(sql: Sql, name: string, chunks: readonly Buffer[]): Promise<number> {
  const started = performance.now();
  const writable = await sql`copy ${sql(name)} from stdin`.writable();
  const finished = once(writable, 'finish');
  await pipeline(Readable.from(chunks), writable);
  await finished.catch(() => {});
  return performance.now() - started;
}
