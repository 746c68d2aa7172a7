import type { StrikableWorld } from '../world.ts';
import type { FaultOf, Struck } from './struck.ts';

/** Connections end at once, in the middle of whatever they carry. */
export async function disconnect(world: StrikableWorld, fault: FaultOf<'disconnect'>): Promise<Struck> {
  const { target, upstream, how, sessions, atMs } = fault;
  const count =
    how === 'cut'
      ? world.proxy(target, upstream).cut()
      : await world.postgres.terminate(world.database, sessions, atMs);
  return { struck: count > 0, details: { connections: count } };
}

/** Nobody listens there: connections are refused, and those that are open are reset. */
export async function refuse(world: StrikableWorld, fault: FaultOf<'refuse' | 'stall'>): Promise<Struck> {
  const proxy = world.proxy(fault.target, fault.upstream);
  await proxy.refuse();
  return { struck: true, giveBack: () => proxy.restore() };
}

/** Nothing arrives any more in either direction, and nothing ends; later everything arrives. */
export async function stall(world: StrikableWorld, fault: FaultOf<'refuse' | 'stall'>): Promise<Struck> {
  const proxy = world.proxy(fault.target, fault.upstream);
  proxy.stall();
  return { struck: true, giveBack: () => proxy.restore() };
}
