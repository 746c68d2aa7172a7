import type { StrikableWorld } from '../world.ts';
import type { FaultOf, Struck } from './struck.ts';

/** SIGKILL: nothing is finished, nothing is said. It is started again as an orchestrator would. */
export async function kill(world: StrikableWorld, { target }: FaultOf<'kill'>): Promise<Struck> {
  const struck = world.processes.get(target)?.kill() ?? false;
  return { struck, details: { signal: 'SIGKILL' } };
}

/**
 * SIGSTOP … SIGCONT: it looks alive, keeps its connections and locks, and goes on later as if no time had passed. Of
 * PostgreSQL it is the main process, which takes new connections; sessions go on.
 */
export async function stop(world: StrikableWorld, { target }: FaultOf<'stop'>): Promise<Struck> {
  if (target === 'postgres') {
    const struck = await world.postgres.signal('SIGSTOP');
    return { struck, giveBack: async () => void (await world.postgres.signal('SIGCONT')) };
  }
  const process = world.processes.get(target);
  if (!process?.hold()) return { struck: false };
  return { struck: true, giveBack: async () => process.release() };
}
