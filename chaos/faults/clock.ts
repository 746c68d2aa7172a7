import type { StrikableWorld } from '../world.ts';
import type { FaultOf, Struck } from './struck.ts';

/** The clock of one process jumps, forwards or backwards, and later jumps back; also a process started meanwhile has it. */
export async function setClock(world: StrikableWorld, { target, byMs }: FaultOf<'clock'>): Promise<Struck> {
  await world.setClock(target, byMs);
  return { struck: true, giveBack: () => world.setClock(target, 0) };
}
