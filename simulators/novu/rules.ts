import { z } from 'zod';
import type { Event } from './requests.ts';

const namesMax = 1_000;
const retryAfterSecondsMax = 86_400;

/** The statuses of the real service besides `processed`. */
const statusSchema = z.enum([
  'error',
  'trigger_not_active',
  'no_workflow_active_steps_defined',
  'no_workflow_steps_defined',
  'no_tenant_found',
  'invalid_recipients',
]);

export type UnprocessedStatus = z.infer<typeof statusSchema>;

const statusByName = z
  .record(z.string(), statusSchema)
  .refine((statuses) => Object.keys(statuses).length <= namesMax, `must be at most ${namesMax} names`)
  .default({});

/** What `POST /_control` takes as `rules`. */
export const rulesSchema = z
  .strictObject({
    /** What events of a workflow come to, by the workflow's id. */
    workflows: statusByName,
    /** What events for a recipient come to, by subscriber id. */
    subscribers: statusByName,
    /** The `Retry-After` of every answer 429, which a fault must ask for; null leaves the header out. */
    retry_after_seconds: z.int().min(0).max(retryAfterSecondsMax).nullable().default(1),
  })
  .nullable();

export type RulesSpec = z.infer<typeof rulesSchema>;

/** How this Novu is set to treat events. In memory only. */
export class Rules {
  #spec: NonNullable<RulesSpec> = rulesSchema.unwrap().parse({});
  #pausedUntilMs = 0;
  #tooEarly = 0;

  /** Replaces all rules; null clears them. What was counted is forgotten. */
  replace(spec: RulesSpec): void {
    this.#spec = spec ?? rulesSchema.unwrap().parse({});
    this.#pausedUntilMs = 0;
    this.#tooEarly = 0;
  }

  /** What an event comes to instead of being processed; null when nothing stands in its way. */
  statusOf(event: Event): UnprocessedStatus | null {
    const { subscribers, workflows } = this.#spec;
    return subscribers[event.to.subscriberId] ?? workflows[event.name] ?? null;
  }

  /** Notes that a request for events came, whatever becomes of it. */
  onRequest(): void {
    if (performance.now() < this.#pausedUntilMs) this.#tooEarly += 1;
  }

  /** Notes that a request is answered 429. @returns the seconds of its `Retry-After` */
  onLimited(): number | null {
    const { retry_after_seconds: seconds } = this.#spec;
    this.#pausedUntilMs = performance.now() + (seconds ?? 0) * 1_000;
    return seconds;
  }

  /** The rules, and how many requests came before the time that the last 429 had named. */
  report(): object {
    return { ...this.#spec, too_early: this.#tooEarly };
  }
}
