import type { Actor } from './actor.ts';
import type { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import { RuntimeError } from './errors.ts';
import type { Pause } from './pause-rows.ts';
import type { Stage } from './stage.ts';

/** `event`: what becomes due is dispatched in the transaction that made it due. `tick`: only ticks dispatch. */
export type DispatchMode = 'event' | 'tick';

/** Everything the runtime was told at the start: which actors there are and who does the work of their regions. */
export interface Registry {
  readonly mode: DispatchMode;
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly stages: readonly Stage[];
  /** The stages that are paused, as this process sees it at present. */
  readonly paused: ReadonlyMap<string, Pause>;
  /** @throws RuntimeError `UNKNOWN_STAGE` */
  stage(name: string): Stage;
  /** @throws RuntimeError `UNKNOWN_MACHINE` */
  actor(name: string): Actor;
  readonly actors: readonly Actor[];
  /** The stage that does the work of a region; undefined when none does yet. */
  stageOf(actor: Actor, region: string): Stage | undefined;
  /** Attempts allowed, by region. */
  maxAttempts(actor: Actor): Readonly<Record<string, number>>;
}

/** Attempts of a region that no stage works on; it is never dispatched, so the figure only completes the context. */
const ATTEMPTS_WITHOUT_STAGE = 3;

/**
 * @throws RuntimeError `DUPLICATE_STAGE` when two stages do the work of one region
 */
export function createRegistry(options: {
  readonly mode: DispatchMode;
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly actors: readonly Actor[];
  readonly stages: readonly Stage[];
  readonly paused: ReadonlyMap<string, Pause>;
}): Registry {
  const actors = new Map(options.actors.map((actor) => [actor.name, actor]));
  const stages = new Map<string, Stage>();
  for (const stage of options.stages) {
    const key = `${stage.actor.name}.${stage.region}`;
    if (stages.has(key)) throw new RuntimeError('DUPLICATE_STAGE', `Two stages do the work of ${key}.`);
    stages.set(key, stage);
  }
  const attempts = new Map(
    options.actors.map((actor) => [
      actor.name,
      Object.fromEntries(
        actor.stages.map(({ region }) => [
          region,
          stages.get(`${actor.name}.${region}`)?.maxAttempts ?? ATTEMPTS_WITHOUT_STAGE,
        ]),
      ),
    ]),
  );
  return {
    mode: options.mode,
    clock: options.clock,
    backoff: options.backoff,
    stages: options.stages,
    actors: options.actors,
    paused: options.paused,
    stage(name) {
      const stage = options.stages.find((one) => one.name === name);
      if (!stage) throw new RuntimeError('UNKNOWN_STAGE', `There is no stage called ${name}.`);
      return stage;
    },
    actor(name) {
      const actor = actors.get(name);
      if (!actor) throw new RuntimeError('UNKNOWN_MACHINE', `There is no machine called ${name}.`);
      return actor;
    },
    stageOf: (actor, region) => stages.get(`${actor.name}.${region}`),
    maxAttempts: (actor) => attempts.get(actor.name) ?? {},
  };
}
