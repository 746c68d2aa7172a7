import { setTimeout as delay } from 'node:timers/promises';
import { REQUEST_TIMEOUT_MS } from '../bridge-settings.ts';
import type { SimulatorName } from '../schedule.ts';
import type { StrikableWorld } from '../world.ts';
import type { FaultOf, Struck } from './struck.ts';

/** Past the time-outs of the bridge, which has given up by the time the answer comes. */
const DELAY_MS = REQUEST_TIMEOUT_MS + 1_000;
const ANSWER_TIMEOUT_MS = 5_000;
const CLEAR_ATTEMPTS_MAX = 60;
const CLEAR_INTERVAL_MS = 500;

/** A system outside answers wrongly, late or not at all, before or after it has acted. */
export async function misbehave(world: StrikableWorld, fault: FaultOf<'outside'>): Promise<Struck> {
  const { target, how: kind, probability, seed } = fault;
  const faults = [{ path: '*', kind, probability, delay_ms: DELAY_MS }];
  const struck = await control(world, target, { faults, seed });
  return { struck, giveBack: () => behave(world, target) };
}

/** Lets a simulator answer rightly again. One that was started anew does anyway; one that is down is asked until it is up. */
export async function behave(world: StrikableWorld, target: SimulatorName): Promise<void> {
  for (let attempt = 1; !(await control(world, target, { faults: [] })); attempt += 1) {
    if (attempt === CLEAR_ATTEMPTS_MAX)
      throw new Error(`The simulator of ${target} does not answer any more.`);
    await delay(CLEAR_INTERVAL_MS);
  }
}

async function control(world: StrikableWorld, target: SimulatorName, body: object): Promise<boolean> {
  try {
    const response = await fetch(`${world.simulatorUrl(target)}/_control`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
