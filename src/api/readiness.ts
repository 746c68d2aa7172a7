import { setTimeout as delay } from 'node:timers/promises';
import type { CircuitView } from '../connectors/circuit/circuit.ts';
import { isMigrated } from '../db/migrate.ts';
import { codeOf, messageOf } from '../runtime/errors.ts';
import type { ApiOptions } from './options.ts';

/** A check that takes longer than this has failed, as far as whoever asks is concerned. */
const CHECK_TIMEOUT_MS = 2_000;

interface Check {
  readonly ok: boolean;
  /** A code, when it is not; what exactly is wrong is in the log. */
  readonly problem: string | null;
}

/** The answer of `/readyz`. */
export interface Readiness {
  readonly ready: boolean;
  readonly role: ApiOptions['role'];
  readonly checks: { readonly database: Check; readonly queue: Check; readonly migrations: Check };
  /**
   * The systems outside, as this process finds them. One that is away does not make the process unready: another process
   * would be no better off, requests of partners are still taken, and the work for other systems goes on.
   */
  readonly circuits: Readonly<Record<string, CircuitReport>>;
}

interface CircuitReport extends Pick<CircuitView, 'state' | 'failures'> {
  readonly since: string;
}

/** Makes the check whether a process can work: its database answers, so does the job queue, and the schema is ours. */
export function readiness(options: ApiOptions): () => Promise<Readiness> {
  const { sql } = options.database;
  const database = checkOf('database', options, () => sql`select 1`);
  const queue = checkOf('queue', options, () => options.system.store.jobs.boss.schemaVersion());
  const migrations = checkOf('migrations', options, async () => {
    if (!(await isMigrated(sql)))
      throw Object.assign(new Error('Migrations are missing.'), { code: 'NOT_MIGRATED' });
  });
  return async () => {
    const [first, second, third] = await Promise.all([database(), queue(), migrations()]);
    return {
      ready: first.ok && second.ok && third.ok,
      role: options.role,
      checks: { database: first, queue: second, migrations: third },
      circuits: circuitReports(options.circuits?.() ?? new Map()),
    };
  };
}

const circuitReports = (circuits: ReadonlyMap<string, CircuitView>): Readiness['circuits'] =>
  Object.fromEntries(
    [...circuits].map(([system, { state, since, failures }]) => [
      system,
      { state, since: since.toISOString(), failures },
    ]),
  );

/** One check. While one is under way, further questions wait for it: a database that hangs is asked once. */
function checkOf(
  name: string,
  { logger }: ApiOptions,
  run: () => PromiseLike<unknown>,
): () => Promise<Check> {
  let underWay: Promise<Check> | null = null;
  return async () => {
    underWay ??= (async () => run())()
      .then(
        () => ({ ok: true, problem: null }),
        (error: unknown) => {
          logger?.warn({ check: name, problem: messageOf(error) }, 'Not ready');
          return { ok: false, problem: codeOf(error, 'FAILED') };
        },
      )
      .finally(() => {
        underWay = null;
      });
    const timeout = new AbortController();
    const late = delay(
      CHECK_TIMEOUT_MS,
      { ok: false, problem: 'TIMEOUT' },
      { signal: timeout.signal, ref: false },
    );
    try {
      return await Promise.race([underWay, late]);
    } finally {
      timeout.abort();
      late.catch(() => {});
    }
  };
}
