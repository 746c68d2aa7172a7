/**
 * How the table of the jobs is vacuumed: every job is written three times and deleted within the hour, and each count of
 * the queues reads all of it, the dead ones too. The usual share of a fifth of the table comes too late for that.
 */
const STORAGE = {
  autovacuum_vacuum_scale_factor: '0',
  autovacuum_vacuum_threshold: '5000',
  autovacuum_vacuum_cost_delay: '0',
  autovacuum_analyze_scale_factor: '0',
  autovacuum_analyze_threshold: '20000',
} as const;

/** Where pg-boss keeps the jobs of all queues that have no table of their own. */
const JOBS = 'pgboss.job_common';

/** Whatever runs one statement. */
interface Executor {
  executeSql(text: string, values?: unknown[]): Promise<{ readonly rows: readonly { options?: unknown }[] }>;
}

/**
 * Has the table of the jobs vacuumed in time; changes nothing where that is so already.
 *
 * @param db as the owner of the table
 * @throws the database's error
 */
export async function tuneJobTable(db: Executor): Promise<void> {
  const { rows } = await db.executeSql(
    'select array_to_string(reloptions, $1) as options from pg_class where oid = to_regclass($2)',
    [' ', JOBS],
  );
  const wanted = Object.entries(STORAGE).map(([name, value]) => `${name}=${value}`);
  const known = String(rows[0]?.options ?? '').split(' ');
  if (rows.length === 0 || wanted.every((option) => known.includes(option))) return;
  await db.executeSql(`alter table ${JOBS} set (${wanted.join(', ')})`);
}
