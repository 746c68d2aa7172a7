import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, SUPERUSER } from './embedded-cluster.ts';
import { EmbeddedPostgresError, textOf } from './embedded-error.ts';
import { joinMembers, type Membership } from './embedded-membership.ts';
import { findPostmaster, lastPort, launchPostmaster, POLL_INTERVAL_MS } from './embedded-postmaster.ts';
import { DURABLE_SETTINGS } from './embedded-settings.ts';

/** A server that this process has joined. */
export interface Joined {
  port: number;
  /** Whether this process started it. */
  started: boolean;
  membership: Membership;
}

/** What every step of joining needs. */
export interface JoinContext {
  cluster: Cluster;
  /** TCP port to start a server on; 0 for the last one used or any free one. */
  port: number;
  log: (line: string) => void;
  /** Fires when joining is no longer wanted. */
  signal: AbortSignal;
}

/** Replaying the log after a crash is the slow case: gigabytes of it on a slow disk. */
const START_TIMEOUT_MS = 10 * 60_000;
const SLOW_START_MS = 5_000;
const OCCUPIED_ATTEMPTS_MAX = 100;
const OCCUPIED_INTERVAL_MS = 200;
const FREE_PORT_ATTEMPTS_MAX = 5;

/**
 * Makes this process a user of the server on the data, starting it when none runs. Goes round until that is
 * so, each round looking afresh at what is there: several processes may be starting and stopping the server
 * at the same moment, and PostgreSQL's own lock on the data decides between them.
 *
 * @throws EmbeddedPostgresError, or the reason of the signal when that fired
 */
export async function joinServer(given: JoinContext): Promise<Joined> {
  const timeLimit = AbortSignal.timeout(START_TIMEOUT_MS);
  const context = { ...given, signal: AbortSignal.any([given.signal, timeLimit]) };
  const slow = setTimeout(() => {
    given.log('The embedded database server is not ready yet, perhaps recovering from a crash; waiting.');
  }, SLOW_START_MS);
  try {
    return await join(context);
  } catch (error) {
    if (error instanceof EmbeddedPostgresError || given.signal.aborted) throw error;
    if (timeLimit.aborted) throw startTimeout(given.cluster);
    throw startFailed(given.cluster, textOf(error), error);
  } finally {
    clearTimeout(slow);
  }
}

/** @returns the URL of a database of the server, with the superuser's password */
export function urlOf(cluster: Cluster, port: number, database: string): string {
  return `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

async function join(context: JoinContext): Promise<Joined> {
  const { cluster, port, log, signal } = context;
  let started = false;
  for (;;) {
    const running = await findPostmaster(cluster.dir);
    if (running === undefined) {
      started = await start(context);
      continue;
    }
    if (running.ready) {
      const membership = await joinMembers(urlOf(cluster, running.port, 'postgres'));
      if (membership !== undefined) {
        const elsewhere = port !== 0 && port !== running.port;
        if (elsewhere) log(`The embedded database server runs already, on port ${running.port}; using that.`);
        return { port: running.port, started, membership };
      }
    }
    await delay(POLL_INTERVAL_MS, undefined, { signal });
  }
}

/** @returns true when we started the server, false when another process did */
async function start({ cluster, port, log, signal }: JoinContext): Promise<boolean> {
  let portsTried = 0;
  let timesOccupied = 0;
  for (;;) {
    const chosen = port === 0 ? await choosePort(cluster, portsTried) : port;
    const launch = await launchPostmaster(cluster, chosen, DURABLE_SETTINGS, signal);
    switch (launch.outcome) {
      case 'ready':
        log(`Started the embedded database server on 127.0.0.1:${chosen}, with its data in ${cluster.dir}.`);
        return true;
      case 'port_taken':
        portsTried += 1;
        if (port !== 0 || portsTried === FREE_PORT_ATTEMPTS_MAX) throw portTaken(chosen);
        break;
      case 'occupied':
        if ((await findPostmaster(cluster.dir)) !== undefined) return false;
        timesOccupied += 1;
        if (timesOccupied === OCCUPIED_ATTEMPTS_MAX) throw startFailed(cluster, launch.reason);
        await delay(OCCUPIED_INTERVAL_MS, undefined, { signal });
        break;
      case 'failed':
        throw startFailed(cluster, launch.reason);
    }
  }
}

/** The same port as last time, so that what was told to people stays true, unless it was taken since. */
async function choosePort(cluster: Cluster, portsTried: number): Promise<number> {
  const last = portsTried === 0 ? await lastPort(cluster.dir) : undefined;
  return last ?? freePort();
}

/** @returns a TCP port of 127.0.0.1 that nobody listens on at this moment */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      probe.close(() => {
        if (port === undefined) reject(new Error('the system gave no TCP port'));
        else resolve(port);
      });
    });
  });
}

function portTaken(port: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'EMBEDDED_PORT_TAKEN',
    `Port ${port} on 127.0.0.1 is taken by another program: stop that one, or choose another port ` +
      'for the embedded database (0 takes any free one).',
  );
}

function startTimeout(cluster: Cluster): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'EMBEDDED_START_TIMEOUT',
    `The database server on ${cluster.dir} is not ready after ${START_TIMEOUT_MS / 60_000} minutes; ` +
      `it may still be recovering: see ${cluster.logFile}, and start again later.`,
  );
}

function startFailed(cluster: Cluster, reason: string, cause?: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'EMBEDDED_START_FAILED',
    `The database server on ${cluster.dir} could not be started or used (${reason}): see ${cluster.logFile}.`,
    { cause },
  );
}
