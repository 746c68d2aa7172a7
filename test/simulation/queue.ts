import type { JobQueue, WorkerOptions } from '../../src/runtime/job-queue.ts';
import { type Claim, HANDED_BACK, type HandedJob, LOST_QUEUE, workerQueue } from '../../src/runtime/jobs.ts';
import type { Stage } from '../../src/runtime/stage.ts';
import type { Client } from './client.ts';
import { type JobRow, tablesOf } from './rows.ts';
import type { Listener } from './server.ts';
import { sessionOf } from './storage.ts';
import { locking, type Table } from './tables.ts';
import { atOnce, type Statement, type Transaction } from './transaction.ts';

const DELIVERIES_MAX = 20;
const TICK_RETRIES = 1;
const HEARTBEAT_MS = 30_000;
const UPKEEP_MS = 10_000;
const JOBS_CHANNEL = 'jobs';
/** How the names of their queues end. */
const TICKS = '_beat_producer';
const OPEN = new Set(['created', 'retry']);

/** A job queue in memory that does what pg-boss does: fenced by the number of deliveries, with heartbeats and dead letters. */
export class SimulatedQueue implements JobQueue {
  readonly #client: Client;
  readonly #jobs: Table<JobRow>;
  readonly #claims;
  readonly #supervises: boolean;
  readonly #onError: (error: Error, mayBeLost: boolean) => void;
  readonly #workers = new Map<string, Worker>();
  #listener: Listener | null = null;
  #stopped = false;

  constructor(client: Client, supervises: boolean, onError: (error: Error, mayBeLost: boolean) => void) {
    const { jobs, claims } = tablesOf(client.server);
    this.#client = client;
    this.#jobs = jobs;
    this.#claims = claims;
    this.#supervises = supervises;
    this.#onError = onError;
  }

  async start(): Promise<void> {
    const { server, process } = this.#client;
    await this.#client.alone(
      'startJobs',
      atOnce(() => {}),
    );
    const heard = (queue: string) => this.notify((worker) => worker.queue === queue);
    const listener = { process, channel: JOBS_CHANNEL, heard, deafUntil: 0 };
    this.#listener = listener;
    server.listeners.add(listener);
    process.onDeath.push(() => server.listeners.delete(listener));
    if (this.#supervises) this.#keepUp();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#listener) this.#client.server.listeners.delete(this.#listener);
    const workers = [...this.#workers.values()];
    for (const worker of workers) worker.leave();
    for (const worker of workers) if (worker.jobs.length > 0) await this.#fail(worker.jobs).catch(() => {});
  }

  newId(): string {
    return `job-${this.#client.server.nextNumber()}`;
  }

  async insert(tx: never, orders: Parameters<JobQueue['insert']>[1]): Promise<void> {
    for (const [queue, some] of Map.groupBy(orders, ({ stage }) => workerQueue(stage))) {
      const rows = some.map(({ job, data }) => this.#made(queue, job, JSON.parse(JSON.stringify(data))));
      await sessionOf(tx).request('insertJobs', (t) => this.#insert(t, queue, rows));
    }
  }

  async complete(tx: never, queue: string, claims: readonly Claim[]): Promise<boolean> {
    const done = await sessionOf(tx).request('complete', (t) =>
      this.#jobs.update(t, held(queue, claims), (job) => ({ ...job, state: 'completed' })),
    );
    return done.length === claims.length;
  }

  async stillOwns(tx: never, queue: string, claim: Claim): Promise<boolean> {
    const { world } = this.#client;
    const touched = await sessionOf(tx).request('touch', (t) =>
      this.#jobs.update(t, held(queue, [claim]), (job) => ({ ...job, heartbeatAt: world.now })),
    );
    return touched.length === 1;
  }

  async handBack(
    tx: never,
    queue: string,
    claims: readonly Claim[],
    _reason: string,
    alive = false,
  ): Promise<void> {
    const session = sessionOf(tx);
    if (alive) {
      await session.request('allowOneMore', (t) =>
        this.#jobs.update(t, held(queue, claims), (job) => ({ ...job, retryLimit: job.retryLimit + 1 })),
      );
    }
    await session.request('handBack', (t) => this.#failing(t, held(queue, claims)));
    await session.request(
      'announceHandedBack',
      atOnce((t) => {
        t.notices.push({ channel: HANDED_BACK, payload: queue });
      }),
    );
  }

  unclaimed(tx: never, stages: readonly Stage[], before: Date) {
    const queues = [...stages.map(workerQueue), LOST_QUEUE];
    const started = before.getTime();
    const [jobs, claims] = [this.#jobs, this.#claims];
    return sessionOf(tx).request(
      'unclaimed',
      atOnce((t) => {
        return jobs
          .select(
            t,
            ({ id, queue, state, startedAt }) =>
              queues.includes(queue) &&
              state === 'active' &&
              startedAt !== null &&
              startedAt < started &&
              claims.get(t, id) === null,
          )
          .map(({ id, queue, retryCount }) => ({ id, queue, delivery: retryCount }));
      }),
    );
  }

  async cancel(tx: never, queue: string, ids: readonly string[]): Promise<void> {
    const session = sessionOf(tx);
    const locked = await session.request('lockJobs', (t) =>
      this.#jobs.update(t, (job) => job.queue === queue && ids.includes(job.id), locking, {
        skipLocked: true,
      }),
    );
    if (locked.length === 0) return;
    const wanted = new Set(locked.map(({ id }) => id));
    await session.request('cancel', (t) =>
      this.#jobs.update(
        t,
        (job) => wanted.has(job.id) && (OPEN.has(job.state) || job.state === 'active'),
        (job) => ({ ...job, state: 'cancelled' }),
      ),
    );
    await session.request('endClaims', (t) =>
      this.#claims.update(
        t,
        ({ id }) => wanted.has(id),
        () => null,
      ),
    );
  }

  isInTime(tx: never, _queue: string, id: string, startedBefore: Date): Promise<boolean> {
    const jobs = this.#jobs;
    return sessionOf(tx).request(
      'isInTime',
      atOnce((t) => {
        const job = jobs.get(t, id);
        if (job?.state === 'active') return (job.startedAt ?? 0) > startedBefore.getTime();
        return job !== null && OPEN.has(job.state);
      }),
    );
  }

  async sendOnce(queue: string, key: string, slotSeconds: number): Promise<void> {
    const { world } = this.#client;
    const id = `${key} ${Math.floor(world.now / (slotSeconds * 1000))}`;
    await this.#client.alone('sendOnce', (t) =>
      this.#insert(t, queue, [this.#made(queue, id, {}, TICK_RETRIES)]),
    );
  }

  async work(
    queue: string,
    options: WorkerOptions,
    handle: (jobs: HandedJob[]) => Promise<void>,
  ): Promise<string> {
    const id = `worker-${this.#client.server.nextNumber()}`;
    const worker = new Worker(this, this.#client, queue, options, handle);
    this.#workers.set(id, worker);
    worker.start();
    return id;
  }

  notifyWorker(id: string): void {
    this.#workers.get(id)?.notify();
  }

  async offWork(queue: string, { wait }: { readonly wait: boolean }): Promise<void> {
    const leaving = [...this.#workers].filter(([, worker]) => worker.queue === queue);
    const left = leaving.map(async ([id, worker]) => {
      worker.leave();
      await worker.gone;
      this.#workers.delete(id);
    });
    if (wait) await Promise.all(left);
  }

  /** Jobs, oldest first, are from now on the caller's. */
  fetch(queue: string, count: number): Promise<JobRow[]> {
    const { world } = this.#client;
    return this.#client.alone('fetch', (t) =>
      this.#jobs.update(
        t,
        (job) => job.queue === queue && OPEN.has(job.state) && job.startAfter <= world.now,
        (job) => ({
          ...job,
          state: 'active',
          retryCount: job.startedAt === null ? 0 : job.retryCount + 1,
          startedAt: world.now,
          heartbeatAt: world.now,
        }),
        { skipLocked: true, order: (a, b) => a.order - b.order, limit: count },
      ),
    );
  }

  /** @returns the ids of those that are still theirs */
  async heartbeat(jobs: readonly JobRow[]): Promise<ReadonlySet<string>> {
    const { world } = this.#client;
    const touched = await this.#client.alone('heartbeat', (t) =>
      this.#jobs.update(t, heldRows(jobs), (job) => ({ ...job, heartbeatAt: world.now })),
    );
    return new Set(touched.map(({ id }) => id));
  }

  async finish(jobs: readonly JobRow[]): Promise<void> {
    await this.#client.alone('finish', (t) =>
      this.#jobs.update(t, heldRows(jobs), (job) => ({ ...job, state: 'completed' })),
    );
  }

  async #fail(jobs: readonly JobRow[]): Promise<void> {
    await this.#client.alone('fail', (t) => this.#failing(t, heldRows(jobs)));
  }

  fail(jobs: readonly JobRow[]): Promise<void> {
    return this.#fail(jobs);
  }

  failed(error: unknown): void {
    this.#onError(error instanceof Error ? error : new Error(String(error)), true);
  }

  /** The connection that hears of jobs is deaf, then there again. */
  deafen(ms: number): void {
    const { world, process } = this.#client;
    if (!this.#listener) return;
    this.#listener.deafUntil = world.now + ms;
    world.after(ms, process, 'hears again', () => this.notify(() => true));
  }

  notify(which: (worker: Worker) => boolean): void {
    for (const worker of this.#workers.values()) if (which(worker)) worker.notify();
  }

  #made(queue: string, id: string, data: unknown, retryLimit = DELIVERIES_MAX): JobRow {
    const { server, world } = this.#client;
    return {
      id,
      queue,
      data,
      state: 'created',
      order: server.nextNumber(),
      retryCount: 0,
      retryLimit,
      startAfter: world.now,
      startedAt: null,
      heartbeatAt: null,
    };
  }

  *#insert(t: Transaction, queue: string, rows: readonly JobRow[]): Statement<void> {
    for (const row of rows) yield* this.#jobs.insert(t, row.id, row);
    t.notices.push({ channel: JOBS_CHANNEL, payload: queue });
  }

  *#failing(t: Transaction, where: (job: JobRow) => boolean): Statement<void> {
    const failed = yield* this.#jobs.update(t, where, (job) => ({
      ...job,
      state: job.retryCount < job.retryLimit ? 'retry' : 'failed',
      startAfter: this.#client.world.now + (job.queue === LOST_QUEUE ? 5_000 : 0),
    }));
    for (const job of failed) {
      if (job.retryCount < job.retryLimit || job.queue.endsWith(TICKS)) continue;
      const id = `lost-${this.#client.server.nextNumber()}`;
      yield* this.#insert(t, LOST_QUEUE, [this.#made(LOST_QUEUE, id, job.data, 1_000_000)]);
    }
  }

  /** What pg-boss does every few seconds: jobs without a heartbeat are handed out again. */
  #keepUp(): void {
    const { world, process } = this.#client;
    world.after(UPKEEP_MS, process, 'upkeep', () => {
      if (this.#stopped) return;
      const lapsed = (job: JobRow) =>
        job.state === 'active' && (job.heartbeatAt ?? 0) + HEARTBEAT_MS < world.now;
      void this.#client
        .alone('upkeep', (t) => this.#failing(t, lapsed))
        .catch((error: Error) => this.#onError(error, false));
      this.#keepUp();
    });
  }
}

const held = (queue: string, claims: readonly Claim[]) => {
  const mine = new Set(claims.map(({ id, delivery }) => `${id} ${delivery}`));
  return (job: JobRow) =>
    job.queue === queue && job.state === 'active' && mine.has(`${job.id} ${job.retryCount}`);
};

const heldRows = (jobs: readonly JobRow[]) => {
  const mine = new Set(jobs.map(({ id, retryCount }) => `${id} ${retryCount}`));
  return (job: JobRow) => job.state === 'active' && mine.has(`${job.id} ${job.retryCount}`);
};

/** A worker like those of pg-boss: fetches, has handled, looks again when told or after a while. */
class Worker {
  readonly queue: string;
  jobs: readonly JobRow[] = [];
  gone: Promise<void> = Promise.resolve();
  readonly #of: SimulatedQueue;
  readonly #client: Client;
  readonly #options: WorkerOptions;
  readonly #handle: (jobs: HandedJob[]) => Promise<void>;
  #leaving = false;
  #notified = false;
  #wake: (() => void) | null = null;

  constructor(
    of: SimulatedQueue,
    client: Client,
    queue: string,
    options: WorkerOptions,
    handle: (jobs: HandedJob[]) => Promise<void>,
  ) {
    this.#of = of;
    this.#client = client;
    this.queue = queue;
    this.#options = options;
    this.#handle = handle;
  }

  start(): void {
    this.gone = this.#run();
  }

  notify(): void {
    this.#notified = true;
    this.#wake?.();
  }

  leave(): void {
    this.#leaving = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    const { world, process } = this.#client;
    while (!this.#leaving) {
      this.#notified = false;
      try {
        // The row as it was before: what it has become is what the worker is handed.
        const before = await this.#of.fetch(this.queue, this.#options.batchSize ?? 1);
        this.jobs = before.map((job) => ({
          ...job,
          retryCount: job.startedAt === null ? 0 : job.retryCount + 1,
        }));
        if (this.jobs.length > 0) await this.#work(this.jobs);
        this.jobs = [];
      } catch (error) {
        this.#of.failed(error);
      }
      if (this.#leaving || this.#notified) continue;
      const seconds = this.#options.notifyPollingIntervalSeconds;
      await new Promise<void>((resolve) => {
        const timer = world.after(seconds * 1_000, process, 'worker looks', resolve);
        this.#wake = () => {
          timer.close();
          resolve();
        };
      });
      this.#wake = null;
    }
  }

  async #work(jobs: readonly JobRow[]): Promise<void> {
    const { world, process } = this.#client;
    const holds = new Map(jobs.map(({ id }) => [id, new AbortController()]));
    let beating: { close(): void } | null = null;
    const beat = () => {
      beating = world.after(HEARTBEAT_MS / 2, process, 'heartbeat', () => {
        beat();
        this.#of
          .heartbeat(jobs)
          .then((kept) => {
            for (const [id, hold] of holds) if (!kept.has(id)) hold.abort(new Error('No longer yours.'));
          })
          .catch((error: unknown) => this.#of.failed(error));
      });
    };
    beat();
    try {
      const handed = jobs.map((job) => ({
        id: job.id,
        data: job.data as HandedJob['data'],
        retryCount: job.retryCount,
        signal: (holds.get(job.id) as AbortController).signal,
      }));
      try {
        await this.#handle(handed);
        await this.#of.finish(jobs);
      } catch {
        await this.#of.fail(jobs);
      }
    } finally {
      (beating as { close(): void } | null)?.close();
    }
  }
}
