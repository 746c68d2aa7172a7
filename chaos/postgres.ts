import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../src/db/connection.ts';
import { type EmbeddedServer, startEmbedded } from '../src/db/embedded.ts';
import { findPostmaster } from '../src/db/embedded-postmaster.ts';
import type { Timeline } from './contract.ts';

/** Name of the connections that look on from outside: no fault strikes them by intention. */
export const ONLOOKER = 'chaos onlooker';

/** PostgreSQL of a run. This process starts it again whenever it goes down. */
export interface PostgresServer extends Pick<EmbeddedServer, 'urlFor' | 'ensureDatabase' | 'stop'> {
  readonly clusterDir: string;
  /** Sends a signal to the main process. @returns whether there is one */
  signal(signal: NodeJS.Signals): Promise<boolean>;
  /** Kills the process of one session, whereupon the server ends all others and recovers. @returns whether it could */
  killSession(database: string, seed: number): Promise<boolean>;
  /** Ends sessions in order. @returns how many */
  terminate(database: string, sessions: number, seed: number): Promise<number>;
  /** Resolves when the server answers. @throws Error when it does not within a minute */
  answers(): Promise<void>;
}

const ANSWER_TIMEOUT_MS = 60_000;
const ANSWER_INTERVAL_MS = 100;

/** @param dataDir absolute path */
export async function startPostgres(
  dataDir: string,
  port: number,
  timeline: Timeline,
): Promise<PostgresServer> {
  const clusterDir = join(dataDir, 'cluster');
  const log = (line: string) => timeline.note('postgres', 'postgres', { line });
  const server = await startEmbedded({ dataDir, port, log });
  /** A server that was just killed is no failure of who wants to kill a bit of it. */
  const ask = async <T>(database: string, query: (sql: ReturnType<typeof connect>['sql']) => Promise<T>) => {
    const { sql, close } = connect(server.urlFor(database), { max: 1, applicationName: ONLOOKER });
    try {
      return await query(sql);
    } catch {
      return null;
    } finally {
      await close();
    }
  };
  const sessions = (database: string, count: number, seed: number) =>
    ask(database, async (sql) => {
      const rows = await sql<{ pid: number }[]>`
        select pid from pg_stat_activity
        where datname = ${database} and backend_type = 'client backend' and application_name <> ${ONLOOKER}
        order by md5(pid::text || ${String(seed)}) limit ${count}`;
      return rows.map(({ pid }) => pid);
    });
  return {
    clusterDir,
    urlFor: (database) => server.urlFor(database),
    ensureDatabase: (name) => server.ensureDatabase(name),
    stop: () => server.stop(),
    async signal(signal) {
      const postmaster = await findPostmaster(clusterDir);
      return postmaster !== undefined && send(postmaster.pid, signal);
    },
    async killSession(database, seed) {
      const [pid] = (await sessions(database, 1, seed)) ?? [];
      return pid !== undefined && send(pid, 'SIGKILL');
    },
    async terminate(database, count, seed) {
      const pids = (await sessions(database, count, seed)) ?? [];
      await ask(database, (sql) => sql`select pg_terminate_backend(p) from unnest(${pids}::int[]) p`);
      return pids.length;
    },
    async answers() {
      const deadline = performance.now() + ANSWER_TIMEOUT_MS;
      while ((await ask('postgres', (sql) => sql`select 1`)) === null) {
        if (performance.now() > deadline) throw new Error('PostgreSQL does not answer any more.');
        await delay(ANSWER_INTERVAL_MS);
      }
    },
  };
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
