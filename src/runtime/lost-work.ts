import { retryAt } from './backoff.ts';
import { type HandedJob, type JobData, LOST_QUEUE } from './jobs.ts';
import type { ActorStore } from './store.ts';

/** Work that was handed out too often without a result counts as a failed attempt. */
export async function giveUp(store: ActorStore, jobs: readonly HandedJob[]): Promise<void> {
  for (const { data } of jobs) {
    try {
      await giveUpOne(store, data);
    } catch (error) {
      store.observer.troubled(LOST_QUEUE, error);
      throw error;
    }
  }
}

async function giveUpOne(store: ActorStore, data: JobData): Promise<void> {
  const actor = store.registry.actor(data.machine);
  await store.transact(async (tx) => {
    const event = {
      type: `${data.region}.failed`,
      job: data.job,
      code: 'WORKER_LOST',
      message: 'Every worker that took this work died or stopped answering.',
      at: tx.now,
      retryAt: retryAt(tx.now, data.attempt, store.registry.backoff, store.timing.random),
    };
    const [result] = await tx.deliver(actor, [{ id: data.id, event }]);
    // The actor hears of it when its row can be read again.
    if (result?.problem === 'parked') tx.tell({ machine: actor.name, id: data.id }, event);
    await store.storage.endClaims(tx.sql, [data.job]);
  });
}
