import type { Job } from 'pg-boss';
import { retryAt } from './backoff.ts';
import { codeOf, isFinal, messageOf, notBeforeOf, RuntimeError, SupersededError } from './errors.ts';
import { type Claim, claimOf, type JobData, LOST_QUEUE, workerQueue } from './jobs.ts';
import type { Processes } from './processes.ts';
import { Recorder } from './recorder.ts';
import type { Outcome, Stage, Submission, Work } from './stage.ts';
import type { Store } from './store.ts';

/** Workers are notified of jobs; the first of each queue looks by itself as often as this in case a notification was lost. */
const POLL_SECONDS = 2;
/** The others look as often as this, and whenever the one before them has found something: idle workers cost little. */
const OTHERS_POLL_SECONDS = 30;

/**
 * Performs the work of stages: takes jobs, performs each without a transaction, and has the outcome recorded in one.
 */
export class Workers {
  readonly #store: Store;
  readonly #processes: Processes;
  readonly #recorder: Recorder;
  readonly #workers = new Map<string, string[]>();
  readonly #stopping = new AbortController();

  constructor(store: Store, processes: Processes) {
    this.#store = store;
    this.#processes = processes;
    this.#recorder = new Recorder(store);
  }

  /** Starts `stage.concurrency` workers for each stage, and the one that tells actors of lost work. */
  async start(): Promise<void> {
    const { boss } = this.#store.jobs;
    for (const stage of this.#store.registry.stages) {
      const queue = workerQueue(stage);
      const ids: string[] = [];
      for (let n = 0; n < stage.concurrency; n += 1) {
        let id = '';
        id = await boss.work<JobData, void>(
          queue,
          {
            batchSize: 'setSize' in stage ? stage.setSize : 1,
            pollingIntervalSeconds: POLL_SECONDS,
            notifyPollingIntervalSeconds: n === 0 ? POLL_SECONDS : OTHERS_POLL_SECONDS,
          },
          async (jobs) => {
            const next = ids[n + 1];
            if (next) boss.notifyWorker(next);
            try {
              await this.#handle(stage, jobs);
            } finally {
              // There may be more: a worker of pg-boss otherwise sleeps after every fetch.
              boss.notifyWorker(id);
            }
          },
        );
        ids.push(id);
      }
      this.#workers.set(queue, ids);
    }
    await boss.work<JobData, void>(
      LOST_QUEUE,
      // One at a time: what cannot be given up now is tried again, and holds up nothing else.
      { batchSize: 1, pollingIntervalSeconds: POLL_SECONDS, notifyPollingIntervalSeconds: POLL_SECONDS },
      (jobs) => this.#giveUp(jobs),
    );
  }

  /** Makes the workers of a queue look for jobs now. */
  wake(queue: string): void {
    for (const id of this.#workers.get(queue) ?? []) this.#store.jobs.boss.notifyWorker(id);
  }

  /**
   * Takes no more jobs and waits for what is under way; after `graceMs` the rest is handed back to other workers, and
   * whatever it still does here is ignored.
   */
  async stop(graceMs: number): Promise<void> {
    const { boss } = this.#store.jobs;
    // Waiting for pg-boss's workers and not only for the work: one may be just fetching a job.
    const off = [...this.#workers.keys(), LOST_QUEUE].map((queue) => boss.offWork(queue, { wait: true }));
    await waitAtMost(Promise.allSettled(off), graceMs);
    this.#stopping.abort(new Error('The process stops.'));
    await this.#processes.handBackOwn();
  }

  async #handle(stage: Stage, jobs: readonly Job<JobData>[]): Promise<void> {
    // Thrown, a job that came too late goes back to the queue.
    this.#stopping.signal.throwIfAborted();
    await this.#processes.claim(workerQueue(stage), jobs.map(claimOf));
    const started = performance.now();
    for (const job of jobs) this.#began(stage, job);
    const outcomes = await this.#perform(stage, jobs);
    const recorded = await Promise.allSettled(
      jobs.map((job, n) => this.#record(stage, job, outcomes[n] ?? null, started)),
    );
    for (const result of recorded) if (result.status === 'rejected') throw result.reason;
  }

  #began(stage: Stage, job: Job<JobData>): void {
    const { id, attempt, due } = job.data;
    const waitedMs = this.#store.registry.clock.now().getTime() - new Date(due).getTime();
    this.#store.observer.workStarted(stage, { id, job: job.id, attempt, waitedMs });
  }

  /** @param performed null when the work was taken over by another worker */
  async #record(stage: Stage, job: Job<JobData>, performed: Outcome | null, started: number): Promise<void> {
    let outcome = performed;
    try {
      if (outcome) await this.#recorder.record({ stage, claim: claimOf(job), data: job.data, outcome });
    } catch (error) {
      // A result that cannot be stored is as good as none: the job is handed out again.
      if (!(error instanceof SupersededError)) throw error;
      outcome = null;
    }
    // Nothing is recorded that would take the claim away.
    if (outcome === null) {
      await this.#processes
        .unclaim(claimOf(job))
        .catch((error: unknown) => this.#store.observer.troubled(`${stage.name} unclaim`, error));
    }
    this.#store.observer.workEnded(stage, {
      id: job.data.id,
      job: job.id,
      outcome: outcome?.kind ?? 'superseded',
      code: outcome && 'code' in outcome ? outcome.code : null,
      message: outcome && 'message' in outcome ? outcome.message : null,
      tookMs: performance.now() - started,
    });
  }

  /** One outcome for each job; null where the work was taken over by another worker. */
  async #perform(stage: Stage, jobs: readonly Job<JobData>[]): Promise<readonly (Outcome | null)[]> {
    const set = jobs.map((job) => this.#workOf(stage, job));
    if ('perform' in stage) {
      const performOne = async (work: Work) => stage.perform(work);
      return Promise.all(set.map((work) => performOne(work).catch((error) => this.#faultOf(stage, error))));
    }
    try {
      const outcomes = await stage.performSet(set);
      if (outcomes.length === set.length) return outcomes;
      throw new RuntimeError(
        'OUTCOMES_MISSING',
        `${stage.name} gave ${outcomes.length} outcomes for ${set.length} pieces of work.`,
      );
    } catch (error) {
      const fault = this.#faultOf(stage, error);
      return set.map(() => fault);
    }
  }

  /** What was thrown as a failed attempt or as postponed work; null when it says that the work was taken over by another worker. */
  #faultOf(stage: Stage, error: unknown): Outcome | null {
    if (error instanceof SupersededError) return null;
    const code = codeOf(error, 'INTERNAL_ERROR');
    const until = notBeforeOf(error);
    if (until) return { kind: 'postponed', until, code, message: messageOf(error) };
    if (code === 'INTERNAL_ERROR') this.#store.observer.troubled(`${stage.name} perform`, error);
    return { kind: 'failed', code, message: messageOf(error), final: isFinal(error) };
  }

  #workOf(stage: Stage, job: Job<JobData>): Work {
    return {
      id: job.data.id,
      job: job.id,
      attempt: job.data.attempt,
      now: () => this.#store.registry.clock.now(),
      signal: AbortSignal.any([job.signal, this.#stopping.signal]),
      submitting: () => this.#submitting(stage, claimOf(job), job.data),
    };
  }

  async #submitting(stage: Stage, claim: Claim, data: JobData): Promise<Submission> {
    return this.#store.transact(async (tx) => {
      const mine = await this.#store.jobs.stillOwns(tx.sql, workerQueue(stage), claim);
      if (!mine) throw new SupersededError(claim.id);
      await tx.load(stage.actor, [data.id]);
      const before = tx.peek(stage.actor, data.id)?.context.stages[stage.region];
      const event = { type: `${stage.region}.submitting`, job: claim.id, at: tx.now };
      const [result] = await tx.deliver(stage.actor, [{ id: data.id, event }]);
      if (!result?.accepted || !before) throw new SupersededError(claim.id);
      return { number: before.submission, maybeSent: before.submittedAt !== null };
    });
  }

  /** Work that was handed out too often without a result counts as a failed attempt. */
  async #giveUp(jobs: readonly Job<JobData>[]): Promise<void> {
    for (const { data } of jobs) {
      try {
        await this.#giveUpOne(data);
      } catch (error) {
        this.#store.observer.troubled(LOST_QUEUE, error);
        throw error;
      }
    }
  }

  async #giveUpOne(data: JobData): Promise<void> {
    const actor = this.#store.registry.actor(data.machine);
    await this.#store.transact(async (tx) => {
      const event = {
        type: `${data.region}.failed`,
        job: data.job,
        code: 'WORKER_LOST',
        message: 'Every worker that took this work died or stopped answering.',
        at: tx.now,
        retryAt: retryAt(tx.now, data.attempt, this.#store.registry.backoff),
      };
      const [result] = await tx.deliver(actor, [{ id: data.id, event }]);
      // The actor hears of it when its row can be read again.
      if (result?.problem === 'parked') tx.tell({ machine: actor.name, id: data.id }, event);
      await tx.sql`delete from actor_claims where job_id = ${data.job}`;
    });
  }
}

async function waitAtMost(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, bound]);
  clearTimeout(timer);
}
