import { setTimeout as delay } from 'node:timers/promises';
import { Jobs } from './jobs.ts';
import type { Stage } from './stage.ts';

/** How often is looked whether the indexes are built that a new version of pg-boss wants. */
const LOOK_MS = 500;

/**
 * Makes or updates the tables of the jobs and the queues of stages, and waits until indexes of theirs that are built
 * beside the work are there: for processes that may not do that themselves.
 *
 * @param url of the database, as the owner of its tables
 * @throws what the server says when it cannot be done
 */
export async function installQueues(url: string, stages: readonly Pick<Stage, 'name'>[]): Promise<void> {
  let problem: Error | null = null;
  const jobs = new Jobs(url, false, (error) => {
    problem = error;
  });
  try {
    await jobs.start(stages);
    while (await isBuilding(jobs)) {
      if (problem !== null) throw problem;
      await delay(LOOK_MS);
    }
  } finally {
    await jobs.boss.stop({ graceful: false, close: true });
  }
}

async function isBuilding({ boss }: Jobs): Promise<boolean> {
  const counts = await boss.getBamStatus();
  return counts.some(({ status, count }) => status !== 'completed' && count > 0);
}
