import type { StrikableWorld } from '../world.ts';
import type { FaultOf, Struck } from './struck.ts';

/** PostgreSQL goes down without writing anything out, recovers from its log and comes back. */
export async function strikePostgres(
  { postgres, database }: StrikableWorld,
  { how, atMs }: FaultOf<'postgres'>,
): Promise<Struck> {
  if (how === 'session') return { struck: await postgres.killSession(database, atMs) };
  // SIGQUIT is what `pg_ctl stop -m immediate` sends.
  return { struck: await postgres.signal(how === 'kill' ? 'SIGKILL' : 'SIGQUIT') };
}
