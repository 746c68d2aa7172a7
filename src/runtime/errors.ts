/** A fault with a stable code and a sentence for people that names the record. */
export class RuntimeError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RuntimeError';
    this.code = code;
  }
}

/** A row that no machine can be made of: a status that the machine does not know. The actor is parked. */
export class UnknownStateError extends RuntimeError {
  constructor(where: { table: string; id: string; column: string }, value: unknown) {
    super(
      'UNKNOWN_STATE',
      `${where.table} ${where.id}: column ${where.column} holds ${JSON.stringify(value)}, which its machine does not know. ` +
        'Correct the row; the actor then goes on by itself.',
    );
    this.name = 'UnknownStateError';
  }
}

/** Work on an actor whose row cannot be read at present: it is no worse for it, and begins again when the row is corrected. */
export class UnreadableError extends RuntimeError {
  /** See {@link notBeforeOf}. */
  readonly notBefore: Date;

  constructor(table: string, id: string, now: Date) {
    super('ACTOR_UNREADABLE', `${table} ${id} cannot be read; its work waits until the row is corrected.`);
    this.name = 'UnreadableError';
    this.notBefore = now;
  }
}

/** What a worker's job no longer is: its actor has gone on with another job, or the job was given to another worker. */
export class SupersededError extends RuntimeError {
  constructor(job: string) {
    super(
      'SUPERSEDED',
      `Job ${job} was taken over by another worker; what this one still does has no effect.`,
    );
    this.name = 'SupersededError';
  }
}

/** A stage that somebody has paused: nothing of it may begin. Its work waits until it is resumed. */
export class PausedError extends RuntimeError {
  constructor(stage: string) {
    super('STAGE_PAUSED', `Stage ${stage} is paused; its work waits until it is resumed.`);
    this.name = 'PausedError';
  }
}

/** What was about to be sent surely was not: it was broken off before. */
export class NotSentError extends RuntimeError {
  /** @param cause what kept it from being sent, whose code is this one's then */
  constructor(why: string, cause?: unknown) {
    super(codeOf(cause, 'NOT_SENT'), `Nothing was sent: ${why}`, { cause });
    this.name = 'NotSentError';
  }
}

/**
 * What kept work from being announced that may have been sent before, but not this time: the work is no worse for it, and
 * begins again.
 */
export class NotAnnouncedError extends RuntimeError {
  /** See {@link notBeforeOf}. */
  readonly notBefore: Date;

  constructor(why: string, cause: unknown, now: Date) {
    super(codeOf(cause, 'UNKNOWN'), `Nothing was sent: ${why}`, { cause });
    this.name = 'NotAnnouncedError';
    this.notBefore = now;
  }
}

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The stable code of anything thrown; `fallback` when it has none. */
export function codeOf(error: unknown, fallback: string): string {
  const code = error !== null && typeof error === 'object' && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code !== '' ? code : fallback;
}

/** Whether an error says that trying again cannot help; told by its field, since a connector may bring a class of its own. */
export const isFinal = (error: unknown): boolean =>
  error instanceof Error && 'retryable' in error && error.retryable === false;

/**
 * When what an error is about may be tried again, where the error says so: what the work needs of the outside is away,
 * and the work is no worse for it. Told by its field, like {@link isFinal}.
 */
export function notBeforeOf(error: unknown): Date | null {
  if (!(error instanceof Error && 'notBefore' in error && error.notBefore instanceof Date)) return null;
  return Number.isNaN(error.notBefore.getTime()) ? null : error.notBefore;
}

/** SQLSTATE classes of faults that lie with the server's situation and not with the statement. */
const PASSING_CLASSES = new Set(['08', '40', '53', '55', '57', '58']);
/** Codes of the drivers and of the operating system for a connection that breaks or cannot be made. */
const PASSING_CODES =
  /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)/;

/** Whether the same statements may well succeed a little later: the database is away, starting, full or busy. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error, '');
  return PASSING_CODES.test(code) || (code.length === 5 && PASSING_CLASSES.has(code.slice(0, 2)));
}
