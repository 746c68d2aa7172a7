import type { Actor } from './actor.ts';
import type { Stage } from './stage.ts';
import type { Store } from './store.ts';

/** Parked actors that one tick looks at again at most. */
const PARKED_PER_TICK_MAX = 100;

/**
 * Parked actors whose rows can be read again take part again; their mail is delivered by the next sweep. Machines that
 * no stage works on, at present or at all, have no tick of their own, so every tick looks after them.
 *
 * @param stage whose tick it is
 */
export async function unpark(store: Store, stage: Stage): Promise<void> {
  const { actors, stages, paused } = store.registry;
  const ticking = new Set(stages.filter(({ name }) => !paused.has(name)).map(({ actor }) => actor.name));
  for (const actor of actors) {
    if (actor.name === stage.actor.name || !ticking.has(actor.name)) await unparkActors(store, actor);
  }
}

async function unparkActors(store: Store, actor: Actor): Promise<void> {
  await store.transact(async (tx) => {
    const rows = await tx.sql<{ actor_id: string }[]>`
      delete from actor_parked where machine = ${actor.name} and actor_id in (
        select actor_id from actor_parked where machine = ${actor.name}
        order by parked_at limit ${PARKED_PER_TICK_MAX} for update skip locked
      ) returning actor_id`;
    // Loading parks again, as of now, what still cannot be read.
    await tx.load(
      actor,
      rows.map(({ actor_id }) => actor_id),
    );
  });
}
