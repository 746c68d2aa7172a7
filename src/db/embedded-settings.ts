/** Server settings by name; durations and sizes carry PostgreSQL's own units. */
export type ServerSettings = Readonly<Record<string, string>>;

/**
 * Settings of every server we run: reachable from this machine only, with no socket file anywhere, in UTC,
 * and with a log that names no data of people (statements and DETAIL lines quote rows).
 */
export const COMMON_SETTINGS: ServerSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  logging_collector: 'off',
  log_destination: 'stderr',
};

/** Full durability, since this holds money, and sizes for a small machine. */
export const DURABLE_SETTINGS: ServerSettings = {
  ...COMMON_SETTINGS,
  cluster_name: 'g2p_bridge',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '256MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  // Compiling a plan takes longer than any of our statements.
  jit: 'off',
};

/** @returns the settings as arguments of the program `postgres` */
export function settingFlags(settings: ServerSettings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
