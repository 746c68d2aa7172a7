/** What the machines know of a stage: the columns of its record, and the events it reacts to. */

/** What a record keeps of one stage besides its status; a column each: `<region>_attempts` and so on. */
export interface StageData {
  /** Attempts used so far; an attempt counts when its result is recorded. */
  readonly attempts: number;
  /** Code of the latest fault (`FA_UNRESOLVED`); null after a success. */
  readonly errorCode: string | null;
  /** When the status last changed (UTC). */
  readonly timestamp: Date | null;
  /** The job that owns the stage since `dispatch`; a result of any other job is ignored. */
  readonly jobId: string | null;
  /** From when the stage may be dispatched; null while it waits for something other than time. */
  readonly dueAt: Date | null;
  /**
   * Number of the submission to an outside system that must act once (payment, block of funds). It is part of the
   * idempotency key and grows only when the outside system has definitely refused.
   */
  readonly submission: number;
  /** When the current submission was first about to be sent; null while it surely never left. */
  readonly submittedAt: Date | null;
}

/** A stage nobody has touched yet. */
export const NEW_STAGE: StageData = {
  attempts: 0,
  errorCode: null,
  timestamp: null,
  jobId: null,
  dueAt: null,
  submission: 1,
  submittedAt: null,
};

/** The context of every durable machine: facts are columns, stages are groups of columns, limits are policy. */
export interface ActorContext<R extends string, F> {
  readonly id: string;
  readonly facts: F;
  readonly stages: Readonly<Record<R, StageData>>;
  readonly maxAttempts: Readonly<Record<R, number>>;
}

/** Every event carries the time it happened, taken from the injected clock by whoever sends it. */
export interface Timed {
  readonly at: Date;
}

/** The events of a stage region; distributes over a union of regions. */
export type StageEvent<R extends string> = R extends string
  ?
      | (Timed & { readonly type: `${R}.enable`; readonly dueAt: Date | null })
      | (Timed & { readonly type: `${R}.due`; readonly dueAt: Date })
      | (Timed & { readonly type: `${R}.dispatch`; readonly job: string })
      | (Timed & { readonly type: `${R}.submitting`; readonly job: string })
      | (Timed & { readonly type: `${R}.succeeded`; readonly job: string })
      | (Timed & StageFault<`${R}.refused`>)
      | (Timed & StageFault<`${R}.failed`>)
      | (Timed & StageFault<`${R}.postponed`>)
      | (Timed & { readonly type: `${R}.stale`; readonly retryAt: Date })
      | (Timed & { readonly type: `${R}.retry` })
      | (Timed & { readonly type: `${R}.release` })
      | (Timed & { readonly type: `${R}.cancel` })
      | (Timed & { readonly type: `${R}.skip` })
      | (Timed & { readonly type: `${R}.restart`; readonly dueAt: Date | null })
      | (Timed & { readonly type: `${R}.reset` })
  : never;

/**
 * A fault of an attempt; `final` goes to ERROR at once, because trying again cannot help; `unsent` says that the
 * submission it was about surely never left.
 */
export interface StageFault<T extends string> {
  readonly type: T;
  readonly job: string;
  readonly code: string;
  readonly retryAt: Date;
  readonly final?: boolean;
  readonly unsent?: boolean;
}

/** Code of a fault that says that the work is not wanted any more: it is called off, and no error for anybody to see to. */
export const CALLED_OFF = 'ENVELOPE_CANCELLED';

/** Code recorded when work was taken back from a worker that did not answer in time. */
export const STALE = 'STALE';

/** A stage event with its region's name left out: what the shared actions and guards read. */
export interface AnyStageEvent extends Timed {
  readonly type: string;
  readonly job?: string;
  readonly code?: string;
  readonly retryAt?: Date;
  readonly dueAt?: Date | null;
  readonly final?: boolean;
  readonly unsent?: boolean;
}
