import { setTimeout as delay } from 'node:timers/promises';
import type { Violation } from './contract.ts';
import { behave } from './faults/outside.ts';
import { BRIDGE_PROCESSES, SIMULATORS, UPSTREAMS } from './schedule.ts';
import type { StrikableWorld } from './world.ts';

const READY_TIMEOUT_MS = 90_000;
const READY_INTERVAL_MS = 100;

/** Ends whatever a fault may have left behind, so that nothing keeps the world from settling. */
export async function giveEverythingBack(world: StrikableWorld): Promise<void> {
  await world.journalDisk?.free();
  await world.postgres.signal('SIGCONT');
  for (const process of world.processes.values()) process.release();
  for (const process of BRIDGE_PROCESSES) {
    await world.setClock(process, 0);
    for (const upstream of UPSTREAMS) await world.proxy(process, upstream).restore();
  }
}

/**
 * Waits until everything works again after the faults: PostgreSQL answers, every process is ready, and the outside
 * behaves.
 *
 * @returns who has not come back
 */
export async function calm(world: StrikableWorld): Promise<readonly Violation[]> {
  await giveEverythingBack(world);
  await world.postgres.answers();
  const deadline = performance.now() + READY_TIMEOUT_MS;
  const missing = () => [...world.processes.values()].filter(({ ready }) => !ready);
  while (missing().length > 0 && performance.now() < deadline) await delay(READY_INTERVAL_MS);
  const gone = missing().map(({ name }) => name);
  for (const name of SIMULATORS) if (!gone.includes(name)) await behave(world, name);
  return gone.map((name) => ({
    invariant: 'Every process comes back after the faults.',
    found: `${name} is not ready ${READY_TIMEOUT_MS / 1000} s after the faults have ended.`,
    at: null,
  }));
}

/** Processes that ended by themselves although they had been ready; a fault outside a process may not do that. */
export function collapsesOf(world: StrikableWorld): readonly Violation[] {
  return [...world.processes.values()].flatMap(({ name, collapses }) =>
    collapses.map((at) => ({
      invariant: 'A process that is ready ends only when it is told to, or killed.',
      found: `${name} ended by itself at ${at.toISOString()}.`,
      at,
    })),
  );
}
