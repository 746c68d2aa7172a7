import type { Actor } from './actor.ts';
import type { Stage } from './stage.ts';
import type { ActorStore } from './store.ts';

/** Parked actors that one tick looks at again at most. */
const PARKED_PER_TICK_MAX = 100;

/**
 * Parked actors whose rows can be read again take part again; their mail is delivered by the next sweep. Machines that
 * no stage works on, at present or at all, have no tick of their own, so every tick looks after them.
 *
 * @param stage whose tick it is
 */
export async function unpark(store: ActorStore, stage: Stage): Promise<void> {
  const { actors, stages, paused } = store.registry;
  const ticking = new Set(stages.filter(({ name }) => !paused.has(name)).map(({ actor }) => actor.name));
  for (const actor of actors) {
    if (actor.name === stage.actor.name || !ticking.has(actor.name)) await unparkActors(store, actor);
  }
}

async function unparkActors(store: ActorStore, actor: Actor): Promise<void> {
  await store.transact(async (tx) => {
    const ids = await store.storage.takeParked(tx.sql, actor.name, PARKED_PER_TICK_MAX);
    // Loading parks again, as of now, what still cannot be read.
    await tx.load(actor, ids);
  });
}
