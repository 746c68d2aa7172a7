import type { Tx } from '../db/connection.ts';
import type { Claim, HandedJob, JobOrder, QueuedClaim } from './jobs.ts';
import type { Stage } from './stage.ts';

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
