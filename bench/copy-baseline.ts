import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { connect, type Sql } from '../src/db/connection.ts';
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

/** The tables that a run of digital cash fills. */
const DIGITAL_CASH: readonly PgTable[] = [
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
  await migrate(targetUrl);
  const source = connect(sourceUrl, { max: 1 });
  const target = connect(targetUrl, { max: 1 });
  try {
    let elapsedMs = 0;
    for (const table of [...given, ...timed]) {
      const name = getTableName(table);
      const chunks: Buffer[] = [];
      for await (const chunk of await source.sql`copy ${source.sql(name)} to stdout`.readable())
        chunks.push(chunk);
      const tookMs = await copyIn(target.sql, name, chunks);
      if (timed.includes(table)) elapsedMs += tookMs;
    }
    return elapsedMs;
  } finally {
    await source.close();
    await target.close();
  }
}

async function copyIn(sql: Sql, name: string, chunks: readonly Buffer[]): Promise<number> {
  const started = performance.now();
  const writable = await sql`copy ${sql(name)} from stdin`.writable();
  const finished = once(writable, 'finish');
  await pipeline(Readable.from(chunks), writable);
  await finished.catch(() => {});
  return performance.now() - started;
}
