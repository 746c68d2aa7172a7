import { z } from 'zod';
import { type Random, seededRandom } from './random.ts';

const delayMsDefault = 1_000;
const delayMsMax = 600_000;

/** One way to misbehave, as `POST /_control` takes it. */
export const faultSchema = z.strictObject({
  path: z.string(),
  kind: z.enum(['delay', 'drop_before', 'drop_after', 'error_before', 'error_after', 'refuse', 'slow_body']),
  probability: z.number().min(0).max(1).default(1),
  count: z.int().min(1).optional(),
  delay_ms: z.int().min(0).max(delayMsMax).default(delayMsDefault),
  status: z.int().min(400).max(599).default(500),
});

export type FaultSpec = z.infer<typeof faultSchema>;

/** What happens to one request. `delayMs` is waited before acting; `fault` is the rest, if any. */
export interface FaultPlan {
  delayMs: number;
  fault: FaultSpec | null;
}

/** A fault with how often it was considered and how often it struck. */
export interface FaultReport extends FaultSpec {
  seen: number;
  fired: number;
}

interface Armed {
  spec: FaultSpec;
  random: Random;
  seen: number;
  fired: number;
}

/**
 * The faults in force. They live in memory only. Each has its own random numbers, made from the seed and
 * its position, so that its nth decision is the same in every run whatever other paths are called between.
 */
export class FaultSet {
  #armed: Armed[] = [];
  #seed = 1;

  get seed(): number {
    return this.#seed;
  }

  get specs(): FaultSpec[] {
    return this.#armed.map(({ spec }) => spec);
  }

  /**
   * Replaces all faults, starting their counts and random numbers anew.
   *
   * @param seed whole number; kept as it was when left out
   */
  replace(specs: readonly FaultSpec[], seed: number = this.#seed): void {
    this.#seed = seed;
    this.#armed = specs.map((spec, index) => ({
      spec,
      random: seededRandom(seed * 7_919 + index),
      seen: 0,
      fired: 0,
    }));
  }

  /** Decides for one request to `path`: all delays that strike add up, of the others the first one counts. */
  plan(path: string): FaultPlan {
    const plan: FaultPlan = { delayMs: 0, fault: null };
    for (const armed of this.#armed) {
      if (armed.spec.path !== '*' && armed.spec.path !== path) continue;
      if (armed.spec.kind !== 'delay' && plan.fault !== null) continue;
      if (!strikes(armed)) continue;
      if (armed.spec.kind === 'delay') plan.delayMs += armed.spec.delay_ms;
      else plan.fault = armed.spec;
    }
    return plan;
  }

  report(): FaultReport[] {
    return this.#armed.map(({ spec, seen, fired }) => ({ ...spec, seen, fired }));
  }
}

function strikes(armed: Armed): boolean {
  armed.seen += 1;
  if (armed.spec.count !== undefined && armed.fired >= armed.spec.count) return false;
  if (armed.random() >= armed.spec.probability) return false;
  armed.fired += 1;
  return true;
}
