import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, openCluster } from './embedded-cluster.ts';
import { codeOf, EmbeddedPostgresError, textOf } from './embedded-error.ts';
import { type JoinContext, type Joined, joinServer, urlOf } from './embedded-join.ts';
import { administer } from './embedded-membership.ts';
import { findPostmaster, stopPostmaster } from './embedded-postmaster.ts';

export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './embedded-error.ts';

export interface EmbeddedOptions {
  /** Where the data is, absolute or relative to the current folder; created when absent. */
  dataDir: string;
  /** TCP port; 0 or absent: the one used last on this data if it is free, or else any free one. */
  port?: number | undefined;
  /** Receives lines for people about what happens to the server. */
  log?: ((line: string) => void) | undefined;
}

/** A server that this process uses, alone or together with other processes. */
export interface EmbeddedServer {
  /** URL of the database `g2p_bridge`, with the superuser's password: not for logs. */
  readonly url: string;
  /** Whether this process started the server, rather than finding it running. */
  readonly started: boolean;
  /** @returns the URL of a database of the server, whether or not it exists */
  urlFor(database: string): string;
  /**
   * Creates a database unless it exists.
   *
   * @param name lower-case letters, digits and underscores, 63 at most
   * @returns its URL
   * @throws EmbeddedPostgresError EMBEDDED_BAD_DATABASE_NAME
   */
  ensureDatabase(name: string): Promise<string>;
  /**
   * Stops using the server. The last user to do so stops the server itself; call it once the connections are
   * closed. The process does not end by itself before. Calling it again does nothing more.
   *
   * @throws EmbeddedPostgresError EMBEDDED_STOP_TIMEOUT
   */
  stop(): Promise<void>;
}

const DATABASE = 'g2p_bridge';
const DATABASE_NAME = /^[a-z_][a-z0-9_]{0,62}$/;
/** duplicate_database, and unique_violation when two are created in the same instant. */
const ALREADY_THERE = new Set(['42P04', '23505']);
const REJOIN_INTERVAL_MIN_MS = 100;
const REJOIN_INTERVAL_MAX_MS = 30_000;

/** Where the database lies within the data folder of the product, which holds other files too. */
export const embeddedFolder = (dataDir: string): string => join(dataDir, 'postgres');

/**
 * Makes a PostgreSQL server available on a data folder: uses the one that runs there already, or else starts
 * one, initialising the folder if need be. The server listens on 127.0.0.1 and asks for a random password
 * that only the data's owner can read. It survives this process, even when that is killed; the next start
 * finds it running. While this process uses it, it is started again should it ever go down.
 *
 * @throws EmbeddedPostgresError with a code and a sentence that says what to do
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const stopping = new AbortController();
  const context: JoinContext = {
    cluster: await openCluster(resolve(options.dataDir)),
    port: options.port ?? 0,
    log: options.log ?? (() => {}),
    signal: stopping.signal,
  };
  let joined = await joinServer(context);
  const stopAsked = new Promise((resolved) => stopping.signal.addEventListener('abort', resolved));
  const keepJoined = async () => {
    for (;;) {
      await Promise.race([joined.membership.lost, stopAsked]);
      if (stopping.signal.aborted) return;
      context.log('The embedded database server went away; joining or starting it again.');
      joined = (await rejoin({ ...context, port: joined.port })) ?? joined;
    }
  };
  const keeping = keepJoined();
  let stopped: Promise<void> | undefined;

  const server: EmbeddedServer = {
    get url() {
      return urlOf(context.cluster, joined.port, DATABASE);
    },
    started: joined.started,
    urlFor: (database) => urlOf(context.cluster, joined.port, database),
    ensureDatabase: (name) => ensureDatabase(context.cluster, joined.port, name),
    stop: () => {
      stopping.abort();
      stopped ??= keeping.then(() => leave(context, joined));
      return stopped;
    },
  };
  try {
    await server.ensureDatabase(DATABASE);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** Joins again for as long as it takes; @returns undefined when stopping was asked for meanwhile */
async function rejoin(context: JoinContext): Promise<Joined | undefined> {
  let waitMs = REJOIN_INTERVAL_MIN_MS;
  while (!context.signal.aborted) {
    try {
      return await joinServer(context);
    } catch (error) {
      if (context.signal.aborted) return undefined;
      context.log(`The embedded database server is not back yet: ${textOf(error)}`);
      await delay(waitMs, undefined, { ref: false });
      waitMs = Math.min(waitMs * 2, REJOIN_INTERVAL_MAX_MS);
    }
  }
  return undefined;
}

async function leave({ cluster, log }: JoinContext, { membership }: Joined): Promise<void> {
  const stopped = await membership.leave(async () => {
    const postmaster = await findPostmaster(cluster.dir);
    if (postmaster !== undefined) await stopPostmaster(cluster.dir, postmaster.pid);
  });
  if (stopped) log('Stopped the embedded database server.');
}

async function ensureDatabase(cluster: Cluster, port: number, name: string): Promise<string> {
  if (!DATABASE_NAME.test(name)) {
    throw new EmbeddedPostgresError(
      'EMBEDDED_BAD_DATABASE_NAME',
      `'${name}' cannot name a database: use lower-case letters, digits and underscores, 63 at most.`,
    );
  }
  await administer(urlOf(cluster, port, 'postgres'), async (sql) => {
    const [existing] = await sql`select 1 from pg_database where datname = ${name}`;
    if (existing !== undefined) return;
    try {
      await sql`create database ${sql(name)}`;
    } catch (error) {
      // Another process created it since we looked.
      if (!ALREADY_THERE.has(codeOf(error) ?? '')) throw error;
    }
  });
  return urlOf(cluster, port, name);
}
