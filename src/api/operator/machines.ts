import type { Actor } from '../../runtime/actor.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import { chartOf } from './chart.ts';
import { endpoint } from './endpoint.ts';
import { stageOfRegion } from './stages.ts';
import { type Chart, machines } from './wire/actors.ts';

/** Machines do not change while a process runs. */
const drawn = new WeakMap<ActorSystem, ReadonlyMap<string, Chart>>();

/** The charts of all machines of a system, by machine. */
export function chartsOf(system: ActorSystem): ReadonlyMap<string, Chart> {
  const known = drawn.get(system);
  if (known) return known;
  const charts = new Map(
    system.store.registry.actors.map((actor) => [
      actor.name,
      chartOf(actor, (region) => stageOfRegion(system, actor.name, region)?.stage ?? null),
    ]),
  );
  drawn.set(system, charts);
  return charts;
}

/** The chart of one actor's machine. */
export function chartOfActor(system: ActorSystem, { name }: Actor): Chart {
  const chart = chartsOf(system).get(name);
  if (!chart) throw new Error(`Machine ${name} is not of this system.`);
  return chart;
}

/** `GET /operator/machines`: the charts of all machines. */
export const readMachines = endpoint({
  method: 'GET',
  path: '/operator/machines',
  summary: 'The statecharts of all machines',
  role: 'viewer',
  answer: machines,
  handle: async ({ system }) => ({ machines: [...chartsOf(system).values()] }),
});
