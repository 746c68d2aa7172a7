import type { Tx } from '../db/connection.ts';
import type { Actor } from './actor.ts';
import { type SnapshotView, view } from './codec.ts';
import type { AnyEvent } from './compute.ts';
import { RuntimeError } from './errors.ts';
import type { JobQueue } from './job-queue.ts';
import { type JobOrder, workerQueue } from './jobs.ts';
import type { Registry } from './registry.ts';

/** What a machine says of a job that it asks for. */
export interface JobParams {
  readonly region: string;
  readonly job: string;
}

/** What one transaction does to jobs: those that its transitions ask for, and those that they leave without work. */
export class JobChanges {
  readonly #jobs: JobQueue;
  readonly #registry: Registry;
  readonly #orders: JobOrder[] = [];
  readonly #overtaken: { readonly queue: string; readonly job: string }[] = [];

  constructor(jobs: JobQueue, registry: Registry) {
    this.#jobs = jobs;
    this.#registry = registry;
  }

  /**
   * A job for the work of a region.
   *
   * @param snapshot the actor before the transition that asks for it
   * @throws RuntimeError `NO_STAGE` when nothing does the work of that region
   */
  order(actor: Actor, snapshot: unknown, { region, job }: JobParams, now: Date): void {
    const { id, stages } = view(snapshot).context;
    const stage = this.#registry.stageOf(actor, region);
    if (!stage) {
      throw new RuntimeError('NO_STAGE', `Nothing does the work of region ${region} of ${actor.name} ${id}.`);
    }
    const attempt = stages[region]?.attempts ?? 0;
    this.#orders.push({ stage, job, data: { job, machine: actor.name, id, region, attempt, due: now } });
  }

  /** Notes the jobs whose work an event has taken from them, without being their result: nobody is to perform them any more. */
  noteOvertaken(actor: Actor, before: SnapshotView, after: SnapshotView, event: AnyEvent): void {
    for (const { region } of actor.stages) {
      const job = before.context.stages[region]?.jobId ?? null;
      if (job === null || job === after.context.stages[region]?.jobId) continue;
      if ('job' in event && event.job === job) continue;
      const stage = this.#registry.stageOf(actor, region);
      if (stage) this.#overtaken.push({ queue: workerQueue(stage), job });
    }
  }

  async store(tx: Tx): Promise<void> {
    await this.#jobs.insert(tx, this.#orders);
    for (const [queue, some] of Map.groupBy(this.#overtaken, (one) => one.queue)) {
      const jobs = some.map(({ job }) => job);
      await this.#jobs.cancel(tx, queue, jobs);
    }
  }
}
