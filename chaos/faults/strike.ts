import type { Fault } from '../schedule.ts';
import type { StrikableWorld } from '../world.ts';
import { setClock } from './clock.ts';
import { disconnect, refuse, stall } from './connections.ts';
import { fillDisk } from './disk.ts';
import { misbehave } from './outside.ts';
import { strikePostgres } from './postgres.ts';
import { kill, stop } from './processes.ts';
import type { Struck } from './struck.ts';

/** Lets a fault strike. @throws what kept it from striking, which is a fault of the run and not of what it strikes */
export function strike(world: StrikableWorld, fault: Fault): Promise<Struck> {
  switch (fault.kind) {
    case 'kill':
      return kill(world, fault);
    case 'stop':
      return stop(world, fault);
    case 'postgres':
      return strikePostgres(world, fault);
    case 'disconnect':
      return disconnect(world, fault);
    case 'refuse':
      return refuse(world, fault);
    case 'stall':
      return stall(world, fault);
    case 'outside':
      return misbehave(world, fault);
    case 'clock':
      return setClock(world, fault);
    case 'disk':
      return fillDisk(world);
  }
}
