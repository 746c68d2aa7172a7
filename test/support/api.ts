import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import type { ApiOptions } from '../../src/api/options.ts';
import { buildApi } from '../../src/api/server.ts';
import { connect, type Database } from '../../src/db/connection.ts';
import { ActorSystem } from '../../src/runtime/system.ts';
import { ACTORS } from '../../src/stages/actors.ts';
import { messageFixture } from './payloads.ts';
import { createPreparedDatabase } from './prepared-database.ts';

/** An answer of the partner API, read as JSON. */
export interface Reply {
  status: number;
  text: string;
  header: {
    request_id: string;
    response_status: 'SUCCESS' | 'ERROR';
    response_error_code: string | null;
    response_error_message: string | null;
    response_timestamp: string;
  };
  // biome-ignore lint/suspicious/noExplicitAny: a test reads into the payload and fails where it is not what it should be
  payload: any;
  body: Record<string, unknown>;
}

/** The API of a process, listening, on a migrated database of its own. */
export interface TestApi {
  url: string;
  database: Database;
  system: ActorSystem;
  app: FastifyInstance;
  /** What has been logged at info and above, one JSON line each. */
  logs: string[];
  /** POSTs a payload in a message envelope. */
  call(path: string, payload: unknown, body?: Record<string, unknown>): Promise<Reply>;
  /** POSTs a body as it is. */
  post(path: string, body: string | Uint8Array<ArrayBuffer>, contentType?: string): Promise<Reply>;
  /** Uploads a bank statement. */
  upload(file: string | Uint8Array<ArrayBuffer>, options?: { field?: string; name?: string }): Promise<Reply>;
  /** How many rows a table has. */
  count(table: string): Promise<number>;
  /** Rows of everything that a request can write. */
  written(): Promise<Record<string, number>>;
  close(): Promise<void>;
}

const WRITTEN = [
  'disbursement_envelopes',
  'envelope_control',
  'envelope_batch_status_for_cash',
  'disbursement_batch_control',
  'disbursements',
  'account_statements',
  'account_statement_lobs',
  'actor_transitions',
];

/**
 * Starts a system without stages, so that what is received stays where it is, and its API on a free port.
 *
 * @param options of the API, and `clock` of the system
 */
export async function openApi(
  options: Partial<ApiOptions> & { clock?: { now(): Date }; poolMax?: number } = {},
): Promise<TestApi> {
  const { clock, poolMax = 10, ...apiOptions } = options;
  const { url: databaseUrl, drop } = await createPreparedDatabase('api');
  const database = connect(databaseUrl, { max: poolMax });
  const system = new ActorSystem({
    database,
    actors: ACTORS,
    stages: [],
    works: false,
    ...(clock && { clock }),
  });
  await system.start();
  const logs: string[] = [];
  const sink = new Writable({
    write(line, _encoding, done) {
      logs.push(String(line));
      done();
    },
  });
  const app = buildApi({
    system,
    database,
    role: 'all',
    logger: pino({ level: 'info' }, sink),
    ...apiOptions,
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const root = url + (apiOptions.rootPath ?? '');
  const post: TestApi['post'] = async (path, body, contentType = 'application/json') =>
    read(await fetch(root + path, { method: 'POST', headers: { 'content-type': contentType }, body }));
  const count = async (table: string) => {
    const [row] = await database.sql<{ n: number }[]>`select count(*)::int as n from ${database.sql(table)}`;
    return row?.n ?? 0;
  };
  return {
    url,
    database,
    system,
    app,
    logs,
    post,
    count,
    call: (path, payload, body) => post(path, JSON.stringify(messageFixture(payload, body))),
    async upload(file, { field = 'statement_file', name = 'statement.sta' } = {}) {
      const form = new FormData();
      form.append(field, new Blob([file]), name);
      return read(await fetch(`${root}/upload_mt940`, { method: 'POST', body: form }));
    },
    written: async () =>
      Object.fromEntries(await Promise.all(WRITTEN.map(async (table) => [table, await count(table)]))),
    async close() {
      await app.close();
      await system.stop();
      await database.close();
      await drop();
    },
  };
}

async function read(response: Response): Promise<Reply> {
  const text = await response.text();
  const json = text.startsWith('{') ? JSON.parse(text) : {};
  return {
    status: response.status,
    text,
    header: json.response_header,
    payload: json.response_body?.response_payload,
    body: json.response_body,
  };
}
