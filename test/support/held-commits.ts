import type { Shop } from './shop.ts';
import { gate, until } from './wait.ts';

/** Holds up whoever announces the printing of a document, in the commit, until the lock is freed. */
export async function holdUpCommits(shop: Shop) {
  const { sql } = shop.database;
  await sql.unsafe(`
    create function held_up() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(4711); return null; end $$;
    create constraint trigger held_up after update of printing_submitted_at on toy_documents
      deferrable initially deferred for each row execute function held_up()`);
  const mayCommit = gate();
  const held = gate();
  const holder = sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(4711)`;
    held.open();
    await mayCommit.opened;
  });
  await held.opened;
  const waiting = (query: string) =>
    shop.count('pg_stat_activity', `wait_event = 'advisory' and query ilike '${query}%'`);
  return {
    isHeldUp: () => until('it is held up', async () => (await waiting('commit')) === 1),
    pauserWaits: () =>
      until('the pauser waits', async () => (await waiting('select pg_advisory_xact_lock($1')) === 1),
    async release() {
      mayCommit.open();
      await holder;
    },
  };
}
