import type { Job } from 'pg-boss';
import type { Tx } from '../db/connection.ts';
import type { Stage } from './stage.ts';

/** What a job tells its worker. */
export interface JobData {
  /** The job's own id: its copy among lost work has another. */
  readonly job: string;
  readonly machine: string;
  readonly id: string;
  readonly region: string;
  /** Attempts used before this one. */
  readonly attempt: number;
  /** Since when the work is due; JSON makes it text. */
  readonly due: Date | string;
}

/** A job that a worker was handed, as far as the runtime cares. */
export type HandedJob = Pick<Job<JobData>, 'id' | 'data' | 'signal' | 'retryCount'>;

/** A job to be inserted with the transition that caused it. */
export interface JobOrder {
  readonly stage: Stage;
  readonly job: string;
  readonly data: JobData;
}

/** A job under way: its id and how often it was handed out before; together they fence off a worker that lost it. */
export interface Claim {
  readonly id: string;
  readonly delivery: number;
}

export interface QueuedClaim extends Claim {
  readonly queue: string;
}

/** How the workers of a queue look for jobs. */
export interface WorkerOptions {
  readonly batchSize?: number;
  /** How often, in seconds, while it is not told of new jobs. */
  readonly pollingIntervalSeconds: number;
  /** How often, in seconds, while it is. */
  readonly notifyPollingIntervalSeconds: number;
}

/**
 * What the actor system asks of its job queue. Jobs are inserted and ended in the transaction of the transition that
 * causes or ends them. {@link Jobs}, on pg-boss, is the one in use; the simulation has another, in memory.
 */
export interface JobQueue {
  /** Makes sure that every queue exists. */
  start(stages: readonly Stage[]): Promise<void>;
  stop(): Promise<void>;
  newId(): string;

  insert(tx: Tx, orders: readonly JobOrder[]): Promise<void>;
  /** @returns whether all of them still belonged to the caller; if not, its transaction must not commit */
  complete(tx: Tx, queue: string, claims: readonly Claim[]): Promise<boolean>;
  stillOwns(tx: Tx, queue: string, claim: Claim): Promise<boolean>;
  handBack(tx: Tx, queue: string, claims: readonly Claim[], reason: string, alive?: boolean): Promise<void>;
  unclaimed(tx: Tx, stages: readonly Stage[], before: Date): Promise<readonly QueuedClaim[]>;
  cancel(tx: Tx, queue: string, jobs: readonly string[]): Promise<void>;
  isInTime(tx: Tx, queue: string, job: string, startedBefore: Date): Promise<boolean>;

  /**
   * A worker: takes jobs, has them handled, and takes more. A job that was not ended by then counts as done when its
   * handler returns, and is handed out again when it throws.
   *
   * @returns the worker's id
   */
  work(queue: string, options: WorkerOptions, handle: (jobs: HandedJob[]) => Promise<void>): Promise<string>;
  /** Makes a worker look for jobs now. */
  notifyWorker(id: string): void;
  /** No worker of this queue takes any more jobs here. @param options.wait until those at work have finished */
  offWork(queue: string, options: { readonly wait: boolean }): Promise<void>;
  /** Asks for one job per slot of time, however many ask. */
  sendOnce(queue: string, key: string, slotSeconds: number): Promise<void>;
}
