import type { Tx } from '../db/connection.ts';
import type { Actor } from './actor.ts';

/** The work of one stage region: who does it, how often it is looked for, what it does, one by one or set by set. */
export type Stage = StagePolicy & (OneByOne | SetBySet);

/** What every stage says of itself. */
export interface StagePolicy {
  /** Name of its queues (`<name>_worker`, `<name>_beat_producer`), loggers and metrics. */
  readonly name: string;
  readonly actor: Actor;
  readonly region: string;
  /** Attempts until ERROR. */
  readonly maxAttempts: number;
  /** Seconds between ticks. */
  readonly frequencySeconds: number;
  /** Calls of `perform` or `performSet` at the same time in one process. */
  readonly concurrency: number;
  /** Runs in the transaction of an operator's `release`: leaves out what failed, or records what was done after all. */
  onRelease?(tx: OutcomeTransaction, id: string): Promise<void>;
}

/** Work that is best done piece by piece. */
export interface OneByOne {
  /**
   * Does the work: calls the outside world, without a transaction. What it returns is then recorded in one.
   * It must be safe to run again: a crash between performing and recording runs it a second time.
   *
   * @throws anything; recorded as a failed attempt with the error's `code`, and as final if its `retryable` is false; or,
   *   if it has `notBefore`, a Date, as postponed until then
   */
  perform(work: Work): Promise<Outcome>;
}

/** Work whose outside takes many pieces in one call. */
export interface SetBySet {
  /** Pieces of work handed to one call at most; those that wait are handed over together, nobody waits for more. */
  readonly setSize: number;
  /**
   * {@link OneByOne.perform} for a set of pieces of work, of different actors.
   *
   * @returns one outcome for each, in the same order
   * @throws anything; recorded like what {@link OneByOne.perform} throws, for every piece
   */
  performSet(set: readonly Work[]): Promise<readonly Outcome[]>;
}

/** One piece of work, as a worker sees it. */
export interface Work {
  /** The actor's id. */
  readonly id: string;
  /** The job that owns the stage; results under any other are ignored. */
  readonly job: string;
  /** Attempts used before this one. */
  readonly attempt: number;
  /** The present moment, by the system's clock. */
  now(): Date;
  /** Aborted when the work was taken away or the process stops. */
  readonly signal: AbortSignal;
  /**
   * Stores that a submission to the outside is about to be sent, before it is sent. What comes back tells whether it
   * may have been sent before, in which case the outside must be asked first.
   *
   * @throws SupersededError when the work belongs to another worker by now; NotAnnouncedError when the database is in
   *   trouble, which postpones the work; nothing may be sent then
   */
  submitting(): Promise<Submission>;
}

/** The state of a submission that must act once. */
export interface Submission {
  /** Part of the idempotency key; grows when the outside has definitely refused. */
  readonly number: number;
  /** True when an earlier try may have reached the outside. */
  readonly maybeSent: boolean;
}

/** What a worker reports. `write` runs in the transaction that records the outcome, so they stand or fall together. */
export type Outcome = (Succeeded | Fault | Postponed) & {
  /** Names of what only one transaction at a time may write: held from before `write` until the commit. */
  readonly exclusively?: readonly string[];
  readonly write?: (tx: OutcomeTransaction) => Promise<void>;
};

interface Succeeded {
  readonly kind: 'succeeded';
  /** Further fields of the `succeeded` event. */
  readonly event?: Readonly<Record<string, unknown>>;
}

interface Fault {
  readonly kind: 'refused' | 'failed';
  readonly code: string;
  readonly message: string;
  /** Trying again cannot help: goes to ERROR at once. */
  readonly final?: boolean;
  /** What {@link Work.submitting} announced surely never left. Never said when an earlier try may have left. */
  readonly unsent?: boolean;
}

/** The outside is away, which is not the work's fault: it waits in PENDING and uses up no attempt. */
interface Postponed {
  readonly kind: 'postponed';
  /** When it is due again; an hour from now at most. */
  readonly until: Date;
  readonly code: string;
  readonly message: string;
  /** As in {@link Fault}. Left out: what was announced may have left. */
  readonly unsent?: boolean;
}

/** What an outcome or a release may write with. */
export interface OutcomeTransaction {
  readonly sql: Tx;
  readonly now: Date;
  /** Sends a durable message to another actor. */
  tell(
    to: { readonly machine: string; readonly id: string },
    event: { readonly type: string; readonly [field: string]: unknown },
  ): void;
}
