import { messageOf, PausedError } from './errors.ts';
import { type HandedJob, LOST_QUEUE, workerQueue } from './jobs.ts';
import { giveUp } from './lost-work.ts';
import type { Pauses } from './pauses.ts';
import { Performer } from './performer.ts';
import type { Processes } from './processes.ts';
import type { Stage } from './stage.ts';
import type { ActorStore } from './store.ts';
import type { Timing } from './timing.ts';

/** Workers are notified of jobs; the first of each queue looks by itself as often as this in case a notification was lost. */
const POLL_SECONDS = 2;
/** The others look as often as this, and whenever the one before them has found something: idle workers cost little. */
const OTHERS_POLL_SECONDS = 30;
/** How long work that was broken off may take to end in order, with what it knows, before its jobs are handed back. */
const END_MS = 250;
/** Pause before jobs that could not be handed back are tried to be handed back again. */
const AFTER_TROUBLE_MS = 500;

/** The workers of one stage in this process, from one pause to the next. */
interface Shift {
  readonly ids: string[];
  /** Breaks off what is under way. */
  readonly over: AbortController;
}

/** The workers of this process: those of a stage take its jobs and have them performed, except while it is paused. */
export class Workers {
  readonly #store: ActorStore;
  readonly #processes: Processes;
  readonly #performer: Performer;
  readonly #shifts = new Map<string, Shift>();
  /** Queues whose jobs are being handed back: nobody works on them here before that has ended. */
  readonly #handingBack = new Map<string, Promise<void>>();
  #running = false;

  constructor(store: ActorStore, processes: Processes, pauses: Pauses) {
    this.#store = store;
    this.#processes = processes;
    this.#performer = new Performer(store, processes, pauses);
  }

  /** Starts `stage.concurrency` workers for each stage that is not paused, and the one that tells actors of lost work. */
  async start(): Promise<void> {
    this.#running = true;
    for (const stage of this.#store.registry.stages) await this.#open(stage);
    await this.#store.jobs.work(
      LOST_QUEUE,
      // One at a time: what cannot be given up now is tried again, and holds up nothing else.
      { batchSize: 1, pollingIntervalSeconds: POLL_SECONDS, notifyPollingIntervalSeconds: POLL_SECONDS },
      (jobs) => giveUp(this.#store, jobs),
    );
  }

  /** Makes the workers of a queue look for jobs now. */
  wake(queue: string): void {
    for (const id of this.#shifts.get(queue)?.ids ?? []) this.#store.jobs.notifyWorker(id);
  }

  /** From now on nothing of this stage is taken or done here; what is under way is broken off and handed back. */
  pause(stage: Stage): void {
    const queue = workerQueue(stage);
    const shift = this.#shifts.get(queue);
    if (!shift) return;
    this.#shifts.delete(queue);
    const reason = new PausedError(stage.name);
    shift.over.abort(reason);
    void this.#store.jobs.offWork(queue, { wait: false });
    const before = this.#handingBack.get(queue) ?? Promise.resolve();
    const handingBack = before
      .then(() => this.#store.timing.sleep(END_MS))
      .then(() => this.#handBack(queue, reason))
      .finally(() => {
        if (this.#handingBack.get(queue) === handingBack) this.#handingBack.delete(queue);
      });
    this.#handingBack.set(queue, handingBack);
  }

  /** Works on this stage again. */
  resume(stage: Stage): void {
    this.#open(stage).catch((error: unknown) => this.#store.observer.troubled(workerQueue(stage), error));
  }

  /**
   * Takes no more jobs and waits for what is under way; after `graceMs` the rest is handed back to other workers, and
   * whatever it still does here is ignored.
   */
  async stop(graceMs: number): Promise<void> {
    this.#running = false;
    const { jobs } = this.#store;
    const queues = this.#store.registry.stages.map(workerQueue);
    // Waiting for pg-boss's workers and not only for the work: one may be just fetching a job.
    const off = [...queues, LOST_QUEUE].map((queue) => jobs.offWork(queue, { wait: true }));
    // A fetch may still be under way: what it brings is nobody's.
    if (!(await endsWithin(this.#store.timing, Promise.allSettled(off), graceMs)))
      this.#processes.suspectUnclaimed();
    const reason = new Error('The process stops.');
    for (const { over } of this.#shifts.values()) over.abort(reason);
    for (const queue of queues) await this.#processes.handBackOwn(queue, messageOf(reason));
  }

  async #open(stage: Stage): Promise<void> {
    const queue = workerQueue(stage);
    await this.#handingBack.get(queue);
    if (!this.#running || this.#shifts.has(queue) || this.#store.registry.paused.has(stage.name)) return;
    const shift: Shift = { ids: [], over: new AbortController() };
    this.#shifts.set(queue, shift);
    for (let n = 0; n < stage.concurrency; n += 1) {
      // Paused meanwhile: those that have begun have been told.
      if (shift.over.signal.aborted || !this.#running) return;
      await this.#employ(stage, shift, n);
    }
  }

  /** Starts the worker with this number. */
  async #employ(stage: Stage, { ids, over }: Shift, n: number): Promise<void> {
    const queue = this.#store.jobs;
    const perform = async (jobs: HandedJob[]) => {
      const next = ids[n + 1];
      if (next) queue.notifyWorker(next);
      try {
        await this.#performer.run(stage, jobs, over.signal);
      } finally {
        // There may be more: a worker of pg-boss otherwise sleeps after every fetch.
        if (ids[n]) queue.notifyWorker(ids[n]);
      }
    };
    ids[n] = await queue.work(
      workerQueue(stage),
      {
        batchSize: 'setSize' in stage ? stage.setSize : 1,
        pollingIntervalSeconds: POLL_SECONDS,
        notifyPollingIntervalSeconds: n === 0 ? POLL_SECONDS : OTHERS_POLL_SECONDS,
      },
      perform,
    );
  }

  /** Until it has been done: what stays claimed is not handed to anybody else. */
  async #handBack(queue: string, reason: Error): Promise<void> {
    for (;;) {
      try {
        return await this.#processes.handBackOwn(queue, messageOf(reason));
      } catch (error) {
        // Without a database the others take this process for dead, and hand on what it had.
        if (!this.#running) return;
        this.#store.observer.troubled(queue, error);
        await this.#store.timing.sleep(AFTER_TROUBLE_MS, { ref: false });
      }
    }
  }
}

async function endsWithin(timing: Timing, work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = timing.after(ms, () => resolve(false));
  const ended = await Promise.race([work.then(() => true), promise]);
  timer.close();
  return ended;
}
