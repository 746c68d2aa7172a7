import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';

/** A pool of connections with tagged-template queries; also what a reserved connection offers. */
export type Sql = postgres.Sql;
/** A transaction's connection: the same tagged-template queries. */
export type Tx = postgres.TransactionSql;
/** Something queries can be run on: the pool or a transaction. */
export type Queryable = Sql | Tx;

/** A database: one pool, seen as SQL and through drizzle. */
export interface Database {
  readonly url: string;
  readonly sql: Sql;
  readonly orm: PostgresJsDatabase;
  /** Ends all connections; queries under way get five seconds. */
  close(): Promise<void>;
}

const TIMESTAMPTZ_OID = 1184;

/**
 * Bounds on what the database may keep us waiting for, in milliseconds: far beyond anything regular, so that a lock that
 * somebody has forgotten becomes an error that is reported and tried again, instead of a silent stop.
 */
const TIME_LIMITS = {
  statement_timeout: 600_000,
  lock_timeout: 60_000,
  idle_in_transaction_session_timeout: 600_000,
} as const;

/**
 * How soon the server notices, in seconds, that a process has gone without a word, its machine or the network being down:
 * within a minute it frees the locks by which the process counts as alive. Linux would take two hours.
 */
const KEEPALIVES = {
  tcp_keepalives_idle: 30,
  tcp_keepalives_interval: 10,
  tcp_keepalives_count: 3,
} as const;

/**
 * What a connection asks of the server as it begins.
 *
 * @param applicationName shown in `pg_stat_activity`
 * @param unlimited leaves out the time limits
 */
export const connectionSettings = (applicationName: string, unlimited = false) => ({
  application_name: applicationName,
  TimeZone: 'UTC',
  ...KEEPALIVES,
  ...(unlimited ? {} : TIME_LIMITS),
});

/**
 * How long a connection that broke waits until it is made anew, in seconds. The driver's own pauses grow with each of a
 * pool's connections that has failed, so that a pool of ten would be idle for up to twenty seconds after one outage.
 */
const backoffSeconds = (failures: number): number =>
  Math.min(0.05 * 2 ** failures, 1) * (0.5 + Math.random() / 2);

/**
 * Opens a pool. Connections are made when first used, so this does not fail when the server is down.
 *
 * @param url PostgreSQL connection URL
 * @param options.max connections at most
 * @param options.applicationName shown in `pg_stat_activity`
 * @param options.unlimited leaves out the time limits, for work that takes as long as it takes
 */
export function connect(
  url: string,
  options: { max?: number; applicationName?: string; unlimited?: boolean } = {},
): Database {
  const sql = postgres(url, {
    max: options.max ?? 10,
    idle_timeout: 0,
    connect_timeout: 10,
    backoff: backoffSeconds,
    onnotice: () => {},
    connection: connectionSettings(options.applicationName ?? 'g2p-bridge', options.unlimited),
  });
  const parse = sql.options.parsers[TIMESTAMPTZ_OID];
  const serialize = sql.options.serializers[TIMESTAMPTZ_OID];
  const orm = drizzle(sql);
  // drizzle makes times plain strings for the whole pool; SQL written by hand wants Date, and drizzle takes Date too.
  if (parse) sql.options.parsers[TIMESTAMPTZ_OID] = parse;
  if (serialize) sql.options.serializers[TIMESTAMPTZ_OID] = serialize;
  return { url, sql, orm, close: () => sql.end({ timeout: 5 }) };
}
