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

/** The tables that a run of digital cash fills with a row for each disbursement, and those that they refer to. */
const TABLES: readonly PgTable[] = [
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
 * @returns milliseconds, reading not included
 */
export async function copyBaseline(sourceUrl: string, targetUrl: string): Promise<number> {
  await migrate(targetUrl);
  const source = connect(sourceUrl, { max: 1 });
  const target = connect(targetUrl, { max: 1 });
  try {
    let elapsedMs = 0;
    for (const table of TABLES) {
      const name = getTableName(table);
      const chunks: Buffer[] = [];
      for await (const chunk of await source.sql`copy ${source.sql(name)} to stdout`.readable())
        chunks.push(chunk);
      elapsedMs += await copyIn(target.sql, name, chunks);
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
