import { type Db as BossDb, type JobInsert, PgBoss } from 'pg-boss';
import { v7 as uuidv7 } from 'uuid';
import type { Queryable } from '../db/connection.ts';
import { codeOf, RuntimeError } from './errors.ts';
import type {
  Claim,
  HandedJob,
  JobData,
  JobOrder,
  JobQueue,
  QueuedClaim,
  WorkerOptions,
} from './job-queue.ts';
import { tuneJobTable } from './queue-tables.ts';
import type { Stage } from './stage.ts';

export type { Claim, HandedJob, JobData, JobOrder, QueuedClaim } from './job-queue.ts';

export const workerQueue = (stage: { readonly name: string }): string => `${stage.name}_worker`;
export const tickQueue = (stage: { readonly name: string }): string => `${stage.name}_beat_producer`;

/** Where jobs end that were handed out too often without a result: their actors are told. */
export const LOST_QUEUE = 'lost_work';

/** Channel that tells every process in which queue jobs were handed back; pg-boss announces new jobs only. */
export const HANDED_BACK = 'actor_jobs';

/** A job is handed out again at most so many times when its workers die; then it counts as a failed attempt. */
const DELIVERIES_MAX = 20;
/** Without a heartbeat for so long a job is handed to another worker (a dead process is noticed earlier). */
const HEARTBEAT_SECONDS = 30;
/** A safety net only: heartbeats and the stale check are what notices a hung worker. */
const EXPIRE_SECONDS = 23 * 3600;
/**
 * Ended jobs are kept long enough to be looked at; the journal keeps what became of them. While they are kept, every count
 * of the queues reads them.
 */
const KEEP_COMPLETED_SECONDS = 900;
/** How often ended jobs are removed whose time is over. */
const REMOVE_EVERY_SECONDS = 60;
/** Jobs that wait are kept for ten years: their stage may be paused for long. */
const KEEP_WAITING_SECONDS = 10 * 365 * 24 * 3600;

/** SQLSTATE: not for this user. */
const MAY_NOT = '42501';

/**
 * Job delivery by pg-boss: jobs are inserted and completed in the transaction of the transition that causes or ends
 * them, and each is handed to one worker at a time.
 */
export class Jobs implements JobQueue {
  readonly boss: PgBoss;

  /**
   * @param url database of the jobs' tables (schema `pgboss`)
   * @param supervise whether this process also does pg-boss's upkeep
   * @param onError told of everything that fails on its own connections; `mayBeLost` when a job may have been handed
   *   out that its worker has not heard of or could not give back
   */
  constructor(url: string, supervise: boolean, onError: (error: Error, mayBeLost: boolean) => void) {
    this.boss = new PgBoss({
      connectionString: url,
      application_name: 'g2p-bridge jobs',
      max: 6,
      useListenNotify: true,
      schedule: false,
      supervise,
      superviseIntervalSeconds: 10,
      monitorIntervalSeconds: 10,
      maintenanceIntervalSeconds: REMOVE_EVERY_SECONDS,
      queueCacheIntervalSeconds: 60,
    });
    this.boss.on('error', (error) => {
      // What a worker could not do comes as a plain object that names the worker.
      const ofWorker = 'worker' in error;
      onError(ofWorker ? Object.assign(new Error(), error) : error, ofWorker);
    });
  }

  /**
   * Starts pg-boss and makes sure that every queue exists: makes them where this user of the database may.
   *
   * @param stages whose queues they are
   * @throws RuntimeError `QUEUES_NOT_MIGRATED` when something is to be made and this user may not
   */
  async start(stages: readonly Pick<Stage, 'name'>[]): Promise<void> {
    try {
      await this.boss.start();
    } catch (error) {
      throw codeOf(error, '') === MAY_NOT ? notMigrated() : error;
    }
    const existing = new Set((await this.boss.getQueues()).map((queue) => queue.name));
    if (!(await this.#mayDefine())) {
      const wanted = [LOST_QUEUE, ...stages.flatMap((stage) => [workerQueue(stage), tickQueue(stage)])];
      if (!wanted.every((queue) => existing.has(queue))) throw notMigrated();
      return;
    }
    await tuneJobTable(this.boss.getDb());
    await this.boss.createQueue(LOST_QUEUE, { retryLimit: 1_000_000, retryDelay: 5, notify: true });
    for (const stage of stages) {
      const work = {
        notify: true,
        retryLimit: DELIVERIES_MAX,
        retryDelay: 0,
        heartbeatSeconds: HEARTBEAT_SECONDS,
        expireInSeconds: EXPIRE_SECONDS,
        deleteAfterSeconds: KEEP_COMPLETED_SECONDS,
        retentionSeconds: KEEP_WAITING_SECONDS,
        deadLetter: LOST_QUEUE,
      };
      // Once more, since its process may have died. Not more often: the next one does the same.
      const tick = {
        notify: true,
        retryLimit: 1,
        heartbeatSeconds: HEARTBEAT_SECONDS,
        expireInSeconds: 300,
        deleteAfterSeconds: KEEP_COMPLETED_SECONDS,
      };
      if (existing.has(workerQueue(stage))) await this.boss.updateQueue(workerQueue(stage), work);
      else await this.boss.createQueue(workerQueue(stage), work);
      if (existing.has(tickQueue(stage))) await this.boss.updateQueue(tickQueue(stage), tick);
      else await this.boss.createQueue(tickQueue(stage), tick);
    }
  }

  /** Whether this user may make tables and queues, as their owner may. */
  async #mayDefine(): Promise<boolean> {
    const text = `select has_schema_privilege('pgboss', 'create') as may`;
    const { rows } = await this.boss.getDb().executeSql(text);
    return rows[0]?.may === true;
  }

  /** Ends its connections; what its workers are doing goes on without it. */
  async stop(): Promise<void> {
    await this.boss.stop({ graceful: false, close: true });
  }

  /** A new job id; ordered by time, so an index on it grows at one end. */
  newId(): string {
    return uuidv7();
  }

  /** Inserts jobs in the caller's transaction; workers are notified by its commit. */
  async insert(tx: Queryable, orders: readonly JobOrder[]): Promise<void> {
    const byQueue = Map.groupBy(orders, (order) => workerQueue(order.stage));
    for (const [queue, some] of byQueue) {
      const jobs: JobInsert[] = some.map((order) => ({ id: order.job, data: order.data }));
      await this.boss.insert(queue, jobs, { db: asBossDb(tx) });
    }
  }

  /**
   * Completes jobs in the caller's transaction, each only if it has not been handed out again meanwhile.
   *
   * @returns whether all of them still belonged to the caller; if not, its transaction must not commit
   */
  async complete(tx: Queryable, queue: string, claims: readonly Claim[]): Promise<boolean> {
    const done = await this.boss.complete(queue, attempts(claims), null, { db: asBossDb(tx) });
    return affected(done) === claims.length;
  }

  /** Whether a job has not been handed out again meanwhile; if so it stays with the caller until its transaction ends. */
  async stillOwns(tx: Queryable, queue: string, claim: Claim): Promise<boolean> {
    return affected(await this.boss.touch(queue, attempts([claim]), { db: asBossDb(tx) })) === 1;
  }

  /**
   * Hands jobs back in the caller's transaction, so that another worker gets them at once.
   *
   * @param alive whether a living process gives them up: that does not count towards the deliveries after which a job is
   *   lost, however often it happens
   */
  async handBack(
    tx: Queryable,
    queue: string,
    claims: readonly Claim[],
    reason: string,
    alive = false,
  ): Promise<void> {
    if (alive) await this.#allowOneMore(tx, queue, claims);
    await this.boss.fail(queue, attempts(claims), { reason }, { db: asBossDb(tx) });
    await tx`select pg_notify(${HANDED_BACK}, ${queue})`;
  }

  /** pg-boss counts every delivery, and must: the number of it fences off the worker before. So the limit moves along. */
  async #allowOneMore(tx: Queryable, queue: string, claims: readonly Claim[]): Promise<void> {
    await tx`
      update pgboss.job j set retry_limit = retry_limit + 1
      from json_to_recordset(${JSON.stringify(claims)}::json) as c(id uuid, delivery int)
      where j.name = ${queue} and j.id = c.id and j.retry_count = c.delivery and j.state = 'active'`;
  }

  /**
   * Jobs under way that no process has claimed, and that were handed out before a moment of the database's clock: who
   * fetched them could not say so. Reads pg-boss's table, without an index; to be asked after trouble only.
   */
  async unclaimed(tx: Queryable, stages: readonly Stage[], before: Date): Promise<readonly QueuedClaim[]> {
    const queues = [...stages.map(workerQueue), LOST_QUEUE];
    return tx<QueuedClaim[]>`
      select id, name as queue, retry_count as delivery from pgboss.job
      where name = any(${queues}) and state = 'active' and started_on < ${before}
        and not exists (select from actor_claims where job_id = id::text)`;
  }

  /**
   * Takes jobs away for good: their actors have gone on without them. Their workers hear of it with the next heartbeat.
   * A job that somebody is just about to end is left to him, who may be waiting for a row that the caller has locked.
   */
  async cancel(tx: Queryable, queue: string, jobs: readonly string[]): Promise<void> {
    const rows = await tx<{ id: string }[]>`
      select id from pgboss.job where name = ${queue} and id = any(${jobs as string[]}::text[]::uuid[])
      for update skip locked`;
    if (rows.length === 0) return;
    const ids = rows.map(({ id }) => id);
    await this.boss.cancel(queue, ids, { db: asBossDb(tx) });
    await tx`delete from actor_claims where job_id = any(${ids})`;
  }

  /** Whether a job still waits for a worker, or was taken by one after `startedBefore`. */
  async isInTime(tx: Queryable, queue: string, job: string, startedBefore: Date): Promise<boolean> {
    const [found] = await this.boss.findJobs(queue, { id: job, db: asBossDb(tx) });
    if (found?.state === 'active') return found.startedOn > startedBefore;
    return found?.state === 'created' || found?.state === 'retry';
  }

  /** Starts a worker; see {@link JobQueue.work}. @returns its id */
  work(queue: string, options: WorkerOptions, handle: (jobs: HandedJob[]) => Promise<void>): Promise<string> {
    return this.boss.work<JobData, void>(queue, options, handle);
  }

  /** Makes a worker look for jobs now. */
  notifyWorker(id: string): void {
    this.boss.notifyWorker(id);
  }

  /** No worker of this queue takes any more jobs in this process. @param options.wait until those at work have finished */
  offWork(queue: string, options: { readonly wait: boolean }): Promise<void> {
    return this.boss.offWork(queue, options);
  }

  /** Asks for one job per slot of time, however many ask. */
  async sendOnce(queue: string, key: string, slotSeconds: number): Promise<void> {
    await this.boss.send(queue, {}, { singletonKey: key, singletonSeconds: slotSeconds });
  }
}

const attempts = (claims: readonly Claim[]) =>
  claims.map(({ id, delivery }) => ({ id, retryCount: delivery }));

/** How often a job was handed out before this time. */
export const claimOf = (job: Pick<HandedJob, 'id' | 'retryCount'>): Claim => ({
  id: job.id,
  delivery: job.retryCount,
});

const notMigrated = () =>
  new RuntimeError(
    'QUEUES_NOT_MIGRATED',
    'The queues are not of this version, and this user may not change them: run "g2p-bridge migrate" as their owner.',
  );

function affected(response: unknown): number {
  return response !== null && typeof response === 'object' && 'affected' in response
    ? Number(response.affected)
    : 0;
}

/** pg-boss runs its statements on our transaction. */
function asBossDb(tx: Queryable): BossDb {
  return {
    async executeSql(text: string, values: unknown[] = []) {
      const rows = await tx.unsafe(text, values.map(asParameter) as never[]);
      return { rows: [...rows] };
    },
  };
}

/** pg-boss counts on its own driver to turn objects (a job's output) into JSON; ours takes text. */
function asParameter(value: unknown): unknown {
  const isPlain =
    value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
  return isPlain ? JSON.stringify(value) : value;
}
