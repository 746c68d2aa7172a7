import { createWriteStream, openAsBlob } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type StatementEntry, writeMt940 } from '../simulators/bank/mt940-writer.ts';
import { type Child, startChild } from '../src/cli/demo/child.ts';
import { insertRows } from '../src/db/bulk.ts';
import { connect, type Sql } from '../src/db/connection.ts';
import * as schema from '../src/db/schema/index.ts';
import { copyBaseline } from './copy-baseline.ts';
import { withServer } from './support/server.ts';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../package.json', import.meta.url));
const BATCH_SIZE = 1_000;
const QUANTITY = '125.50';
const LOOK_EVERY_MS = 20;
const GIVE_UP_AFTER_MS = 600_000;

export interface StatementsResult {
  readonly entries: number;
  readonly statements: number;
  readonly file_mb: number;
  /** From the first byte sent until the answer. */
  readonly upload_ms: number;
  /** From the answer until every statement is processed and every envelope knows what was reconciled. */
  readonly processing_ms: number;
  readonly entries_per_second: number;
  /** Of the process that serves and works, from its start to the end; null where the system does not tell. */
  readonly peak_memory_mb: number | null;
  /** What that process had used when it was ready, before the upload. */
  readonly idle_memory_mb: number | null;
  readonly copy_ms: number;
  readonly times_copy: number;
  readonly ok: boolean;
}

/**
 * A bank's file with one entry for every disbursement of its envelopes, from upload to reconciled. The disbursements
 * are there, and count as shipped, when the clock starts; the file is written and sent by this process, and one process
 * of the system, which serves and works, receives it. Beside it, in the same run on the same server: the time COPY
 * needs to write the rows of what was reconciled into the same table.
 *
 * @param entries in the file
 * @param statements that they are spread over, each of an account and a program of its own
 */
export function benchStatements(entries: number, statements: number): Promise<StatementsResult> {
  return withServer(async (server) => {
    const { sql, close } = connect(server.url, { max: 2 });
    const folder = await mkdtemp(join(tmpdir(), 'g2p-bench-file-'));
    try {
      const file = join(folder, 'statements.sta');
      const programs = await ship(sql, entries, statements);
      await pipeline(Readable.from(fileText(programs)), createWriteStream(file));
      await sql`vacuum analyze`;
      const bridge = await startBridge(server.url, programs);
      try {
        const times = await run(bridge, sql, file, statements);
        const ok = await isRight(sql, entries);
        const copyMs = await copyBaseline(server.url, await server.ensureDatabase('bench_copy'), {
          given: [],
          timed: [schema.disbursementRecons],
        });
        const elapsedMs = times.upload_ms + times.processing_ms;
        return {
          entries,
          statements,
          ...times,
          entries_per_second: Math.round(entries / (elapsedMs / 1000)),
          copy_ms: Math.round(copyMs),
          times_copy: Math.round((elapsedMs / copyMs) * 10) / 10,
          ok,
        };
      } finally {
        await bridge.stop();
      }
    } finally {
      await close();
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** One program with its envelope, paid from an account of its own. */
interface Program {
  readonly id: number;
  readonly account: string;
  readonly disbursements: readonly string[];
}

async function run(bridge: Child, sql: Sql, file: string, statements: number) {
  const idle = await bridge.peakMemoryBytes();
  const form = new FormData();
  const blob = await openAsBlob(file);
  form.append('statement_file', blob, 'statements.sta');
  const startedAtMs = performance.now();
  const response = await fetch(`${bridge.url}/upload_mt940`, { method: 'POST', body: form });
  const answer = await response.text();
  const uploadMs = performance.now() - startedAtMs;
  if (!answer.includes('"SUCCESS"')) throw new Error(`The upload was answered ${response.status}: ${answer}`);
  await until(
    sql,
    `select (select count(*) from account_statements where statement_process_status = 'PROCESSED') = ${statements}
      and not exists (select from actor_messages) as done`,
  );
  const processingMs = performance.now() - startedAtMs - uploadMs;
  const peak = await bridge.peakMemoryBytes();
  return {
    file_mb: Math.round(blob.size / 1e5) / 10,
    upload_ms: Math.round(uploadMs),
    processing_ms: Math.round(processingMs),
    peak_memory_mb: peak === null ? null : Math.round(peak / 1024 ** 2),
    idle_memory_mb: idle === null ? null : Math.round(idle / 1024 ** 2),
  };
}

/** Stores envelopes whose payments have been sent, as the stages before leave them. */
async function ship(sql: Sql, entries: number, statements: number): Promise<Program[]> {
  const at = new Date();
  const programs: Program[] = [];
  for (let number = 1; number <= statements; number += 1) {
    const count =
      Math.floor((entries * number) / statements) - Math.floor((entries * (number - 1)) / statements);
    const envelope = envelopeOf(number, count, at);
    await insertRows(sql, schema.disbursementEnvelopes, [envelope]);
    await insertRows(sql, schema.envelopeControl, [
      {
        disbursement_envelope_id: envelope.id,
        receipt_status: 'RECEIVED',
        number_of_disbursements_received: count,
        total_disbursement_quantity_received: envelope.total_disbursement_quantity,
        funds_due_from: at,
      },
    ]);
    await insertRows(sql, schema.envelopeBatchStatusForCash, [
      {
        disbursement_envelope_id: envelope.id,
        funds_available_with_bank: 'FUNDS_AVAILABLE',
        funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS',
        number_of_disbursements_shipped: count,
      },
    ]);
    const disbursements: string[] = [];
    for (let first = 0; first < count; first += BATCH_SIZE)
      disbursements.push(
        ...(await shipBatch(sql, envelope.id, first, Math.min(BATCH_SIZE, count - first), at)),
      );
    programs.push({ id: number, account: `ACCOUNT-${number}`, disbursements });
  }
  return programs;
}

const envelopeOf = (number: number, count: number, at: Date) => ({
  id: `envelope-${number}`,
  benefit_program_id: number,
  benefit_program_mnemonic: 'PSNP',
  benefit_code_id: 1,
  benefit_code_mnemonic: 'CASH',
  benefit_type: 'CASH_DIGITAL',
  disbursement_cycle_id: 1,
  disbursement_frequency: 'Monthly',
  cycle_code_mnemonic: '2026-01',
  number_of_beneficiaries: count,
  number_of_disbursements: count,
  total_disbursement_quantity: quantityOf(count),
  measurement_unit: 'ETB',
  disbursement_schedule_date: at.toISOString().slice(0, 10),
  receipt_time_stamp: at,
});

async function shipBatch(
  sql: Sql,
  envelope: string,
  first: number,
  count: number,
  at: Date,
): Promise<string[]> {
  const id = `${envelope}-batch-${String(first).padStart(8, '0')}`;
  const ofBatch = { disbursement_envelope_id: envelope, disbursement_cycle_id: 1, receipt_time_stamp: at };
  await insertRows(sql, schema.disbursementBatchControl, [
    {
      id,
      ...ofBatch,
      benefit_type: 'CASH_DIGITAL',
      number_of_disbursements: count,
      total_disbursement_quantity: quantityOf(count),
      request_digest: id,
      fa_resolution_status: 'PROCESSED',
      sponsor_bank_dispatch_status: 'PROCESSED',
    },
  ]);
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  await insertRows(
    sql,
    schema.disbursements,
    ids.map((disbursement) => ({
      id: disbursement,
      ...ofBatch,
      disbursement_batch_control_id: id,
      beneficiary_id: `BEN-${disbursement.slice(0, 8)}`,
      beneficiary_name: 'Asha Devi',
      disbursement_quantity: QUANTITY,
      narrative: 'Seed support',
    })),
  );
  return ids;
}

/** Exact: the quantity has two decimals. */
function quantityOf(count: number): string {
  const cents = String(BigInt(QUANTITY.replace('.', '')) * BigInt(count)).padStart(3, '0');
  return `${cents.slice(0, -2)}.${cents.slice(-2)}`;
}

/** As the example bank writes it: the id cut to 16 characters in `:61:`, whole in the fifth line of `:86:`. */
function entryOf(disbursement: string): StatementEntry {
  return {
    valueDate: '2026-01-05',
    entryDate: '2026-01-05',
    mark: 'D',
    amount: QUANTITY,
    transactionType: 'NTRF',
    customerReference: disbursement,
    bankReference: `REF${disbursement.slice(-10)}`,
    narrative: ['Seed support', 'PSNP', '2026-01', `BEN-${disbursement.slice(0, 8)}`, disbursement],
  };
}

function* fileText(programs: readonly Program[]): Generator<string> {
  for (const { id, account, disbursements } of programs) {
    const total = quantityOf(disbursements.length);
    yield* writeMt940({
      reference: `STMT-${id}`,
      account,
      statementNumber: '5',
      sequenceNumber: '1',
      currency: 'ETB',
      opening: { mark: 'C', date: '2026-01-05', amount: total },
      closing: { mark: 'C', date: '2026-01-05', amount: '0.00' },
      entries: disbursements.map(entryOf),
    });
  }
}

/** One process that serves and works, with the settings it has unless told otherwise and started as `npm start` does. */
async function startBridge(databaseUrl: string, programs: readonly Program[]): Promise<Child> {
  const banks = programs.map(({ id, account }) => [
    `${id}:1`,
    { sponsor_bank_code: 'EXAMPLE-BANK', program_account_number: account },
  ]);
  const { scripts } = JSON.parse(await readFile(PACKAGE, 'utf8')) as { scripts: { start: string } };
  const flags = scripts.start.split(' ').filter((word) => word.startsWith('--'));
  const args = [...flags, MAIN, 'serve', '--json'];
  const settings = {
    G2P_BRIDGE_DB_DATASOURCE_BRIDGE: databaseUrl,
    G2P_BRIDGE_PORT: '0',
    G2P_BRIDGE_LOG_LEVEL: 'error',
    G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS: JSON.stringify(Object.fromEntries(banks)),
  };
  return startChild('The bridge', args, settings, () => {});
}

/** Waits until a query's `done` is true. */
async function until(sql: Sql, query: string): Promise<void> {
  const deadlineMs = performance.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    const [row] = await sql.unsafe<{ done: boolean }[]>(query);
    if (row?.done) return;
    if (performance.now() > deadlineMs) throw new Error(`This did not end: ${query}`);
    await delay(LOOK_EVERY_MS);
  }
}

/** Whether every disbursement is reconciled once, every envelope says so, and nothing else was found. */
async function isRight(sql: Sql, entries: number): Promise<boolean> {
  const [row] = await sql<{ ok: boolean }[]>`
    select (select count(*) from disbursement_recons r join disbursements d on d.id = r.disbursement_id
        where r.remittance_amount = d.disbursement_quantity) = ${entries}
      and not exists (select from disbursement_error_recons)
      and not exists (select from envelope_batch_status_for_cash
        where number_of_disbursements_reconciled <> number_of_disbursements_shipped) as ok`;
  return row?.ok === true;
}
