import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { WebSocket } from 'undici';
import type { FeedTimes } from '../../src/api/feed/connection.ts';
import { openAccess } from '../../src/api/operator/access/open.ts';
import { digestOf } from '../../src/api/operator/access/secrets.ts';
import type { Access } from '../../src/api/operator/access.ts';
import { type Operator, ROLES, type Role } from '../../src/api/operator/wire/common.ts';
import type { ApiOptions } from '../../src/api/options.ts';
import { buildApi } from '../../src/api/server.ts';
import { type Config, loadConfig } from '../../src/config.ts';
import { connect, type Database } from '../../src/db/connection.ts';
import { ActorSystem, type SystemOptions } from '../../src/runtime/system.ts';
import { ACTORS } from '../../src/stages/actors.ts';
import { openConnectors } from '../../src/stages/connectors.ts';
import { createStages } from '../../src/stages/index.ts';
import { createPreparedDatabase } from './prepared-database.ts';

/** An answer to an operator. */
export interface OperatorReply {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads into the answer and fails where it is not what it should be
  body: any;
}

/** A WebSocket that is open, and what has come in. */
export interface TestSocket {
  socket: WebSocket;
  /** Every message so far, read as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  messages: any[];
  /** Settles when it is closed, by whomever. */
  closed: Promise<{ code: number; reason: string }>;
  close(): void;
}

/** An operator who is signed in, at one process. */
export interface OperatorClient {
  operator: Operator;
  /** What signs requests in: the header `Authorization`. */
  headers: Record<string, string>;
  get(path: string): Promise<OperatorReply>;
  post(path: string, body?: unknown): Promise<OperatorReply>;
  /** Opens a WebSocket; fails when it is refused. */
  ws(path: string): Promise<TestSocket>;
}

/** The operators' surface of a process, listening. */
export interface OperatorSurface {
  /** Where it is, without the root path. */
  url: string;
  app: FastifyInstance;
  config: Config;
  access: Access;
  /** What has been logged at info and above, one JSON line each. */
  logs: string[];
  /** A client of an operator with this role, who has a token. */
  as(role: Role): OperatorClient;
  close(): Promise<void>;
}

/** The same, with a system and a database of its own. */
export interface TestOperatorApi extends OperatorSurface {
  database: Database;
  system: ActorSystem;
}

/** What becomes of the surface where a test says nothing else. */
export interface OperatorApiOptions extends Partial<Omit<ApiOptions, 'system' | 'database' | 'operators'>> {
  /** How operators are known; left out: as the settings say, and by tokens where they say nothing. */
  access?: (database: Database) => Access;
  /** As environment variables without `G2P_BRIDGE_`, in small letters. */
  settings?: Readonly<Record<string, string>>;
  /** The address to listen on; left out: 127.0.0.1. */
  host?: string;
  /** The port; left out: one that is free. */
  port?: number;
  /** How long connections to the feed may do nothing. */
  feedTimes?: Partial<FeedTimes>;
  /** Where the built dashboard is. */
  dashboardDir?: string;
}

/** Serves operators of a system that exists: of another process, as far as HTTP can tell, when called again. */
export async function serveOperators(
  { system, database }: { system: ActorSystem; database: Database },
  {
    access: accessOf,
    settings = {},
    host = '127.0.0.1',
    port = 0,
    feedTimes = {},
    dashboardDir,
    ...apiOptions
  }: OperatorApiOptions = {},
): Promise<OperatorSurface> {
  const config = configOf(settings);
  const { clock } = system.store.registry;
  const access = accessOf?.(database) ?? openAccess(config, { database, clock, onProblem: () => {} });
  await storeTokens(database);
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
    operators: { access, config, feedTimes, ...(dashboardDir !== undefined && { dashboardDir }) },
  });
  const url = await app.listen({ port, host });
  const root = url + (apiOptions.rootPath ?? '');
  return {
    url,
    app,
    config,
    access,
    logs,
    as: (role) => clientOf(root, holderOf(role), { authorization: `Bearer ${tokenOf(role)}` }),
    close: () => app.close(),
  };
}

/**
 * Starts a system with the pipeline's stages, of which none works or is dispatched, so that what is stored stays as it
 * is, and serves its operators on a free port.
 *
 * @param options of the surface; `system` replaces what the system is made of
 */
export async function openOperatorApi(
  options: OperatorApiOptions & { system?: Partial<SystemOptions>; poolMax?: number } = {},
): Promise<TestOperatorApi> {
  const { system: systemOptions = {}, poolMax = 10, ...surfaceOptions } = options;
  const { url: databaseUrl, drop } = await createPreparedDatabase('operators');
  const database = connect(databaseUrl, { max: poolMax });
  const config = configOf(surfaceOptions.settings ?? {});
  const connectors = await openConnectors(config);
  const system = new ActorSystem({
    database,
    actors: ACTORS,
    stages: createStages({ ...connectors, database, config }),
    works: false,
    mode: 'tick',
    ...systemOptions,
  });
  await system.start();
  const surface = await serveOperators({ system, database }, surfaceOptions);
  return {
    ...surface,
    database,
    system,
    async close() {
      await surface.close();
      await system.stop();
      await connectors.close();
      await database.close();
      await drop();
    },
  };
}

/**
 * A client at a URL.
 *
 * @param root with the root path
 * @param headers that every request carries
 */
export function clientOf(
  root: string,
  operator: Operator,
  headers: Record<string, string> = {},
): OperatorClient {
  return {
    operator,
    headers,
    get: async (path) => readReply(await fetch(root + path, { headers })),
    post: async (path, body = {}) =>
      readReply(
        await fetch(root + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(body),
        }),
      ),
    ws: (path) => openSocket(root.replace(/^http/, 'ws') + path, headers),
  };
}

/** Reads an answer, as JSON if it is. */
export async function readReply(response: Response): Promise<OperatorReply> {
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : null,
  };
}

/** Opens a WebSocket and keeps what comes in. */
export async function openSocket(url: string, headers: Record<string, string> = {}): Promise<TestSocket> {
  const socket = new WebSocket(url, { headers });
  const messages: unknown[] = [];
  socket.addEventListener('message', ({ data }) => messages.push(JSON.parse(String(data))));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error(`The WebSocket ${url} is refused.`)));
  });
  return { socket, messages, closed, close: () => socket.close() };
}

function configOf(settings: Readonly<Record<string, string>>): Config {
  const entries = Object.entries(settings);
  return loadConfig(
    Object.fromEntries(entries.map(([name, value]) => [`G2P_BRIDGE_${name.toUpperCase()}`, value])),
  );
}

/** A token that opens a role, at every surface that this file serves. */
export const tokenOf = (role: Role): string => `g2p_of-the-${role}`;

const holderOf = (role: Role): Operator => ({ id: `${role}-1`, name: `${role}-1`, role });

async function storeTokens({ sql }: Database): Promise<void> {
  const now = new Date();
  const rows = ROLES.map((role) => ({
    name: holderOf(role).name,
    role,
    digest: digestOf(tokenOf(role)),
    created_at: now,
  }));
  await sql`insert into operator_tokens ${sql(rows)} on conflict do nothing`;
}
