import type { Sql, Tx } from '../db/connection.ts';
import type { Actor } from './actor.ts';
import type { Row } from './codec.ts';
import type { Claim, QueuedClaim } from './jobs.ts';
import type { NewTransition } from './journal.ts';
import type { Message, StoredMessage } from './messages.ts';
import type { Pause } from './pause-rows.ts';
import type { RowChange } from './rows.ts';
import type { Session } from './session.ts';
import type { Who } from './who.ts';

/**
 * Everything that the actor system asks of its database but for jobs ({@link JobQueue}), by name. Each operation runs on
 * the connection or in the transaction that it is given, and is one statement or a few. `postgres/storage.ts` is the one
 * in use; the simulation in `test/simulation` has another, in memory.
 */
export interface Storage extends Connections, Rows, Mail, Pausing, Members, Claims {}

export interface Connections {
  /** A connection of its own that is never replaced; see {@link Session}. */
  openSession(applicationName: string, onLost?: () => void): Promise<Session>;
  /**
   * Runs `work` in one transaction.
   *
   * @throws what `work` throws (nothing is stored then) or the database's error; when the connection breaks during the
   *   commit, it may have been stored nevertheless
   */
  inTransaction<T>(session: Session, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Hears what transactions announce on a channel by their commit.
   *
   * @param listening called whenever listening has begun; what was announced before that was not heard
   */
  listen(
    channel: string,
    heard: (payload: string) => void,
    listening?: () => void,
  ): Promise<{ unlisten(): Promise<void> }>;
  /** The database's clock. */
  now(sql: Sql): Promise<Date>;
}

/** What is due, or in progress since long ago. */
export interface Search {
  readonly actor: Actor;
  readonly states: readonly string[];
  readonly statusColumn: string;
  /** The column with the time that is compared, and sorted by. */
  readonly timeColumn: string;
  readonly until: Date;
  /** Leaves out actors for whom mail waits. */
  readonly unlessMailWaits: boolean;
  readonly limit: number;
}

export interface Rows {
  /** Locks actors by id, in the order of their ids so that two transactions never wait crosswise, and reads their rows. */
  lockRows(tx: Tx, actor: Actor, ids: readonly string[]): Promise<readonly Row[]>;
  /** Stores what has changed of rows that the transaction has locked. */
  updateRows(tx: Tx, actor: Actor, changes: readonly RowChange[]): Promise<void>;
  /** Finds and locks, oldest first; parked actors and rows that somebody else has locked are skipped. */
  search(tx: Tx, search: Search): Promise<string[]>;
  park(tx: Tx, machine: string, id: string, reason: string, at: Date): Promise<void>;
  /** Takes actors off the list of those that are parked, those first that were parked first. */
  takeParked(tx: Tx, machine: string, limit: number): Promise<string[]>;
  appendJournal(tx: Tx, entries: readonly NewTransition[]): Promise<void>;
  /** Waits until nobody else holds any of the names, and holds them until the transaction ends. */
  lockNames(tx: Tx, names: readonly string[]): Promise<void>;
  /** Keeps the last tick of a stage. */
  keepTick(
    sql: Sql,
    tick: {
      readonly stage: string;
      readonly at: Date;
      readonly dispatched: number;
      readonly stale: number;
    },
  ): Promise<void>;
}

/** Operations on messages are described where they are made: `messages.ts`. */
export interface Mail {
  insertMessages(tx: Tx, messages: readonly Message[]): Promise<void>;
  machinesWithMail(sql: Sql, machines: readonly string[], now: Date): Promise<string[]>;
  nextDelivery(sql: Sql, machines: readonly string[]): Promise<Date | null>;
  addressToChildren(tx: Tx, actor: Actor, now: Date): Promise<void>;
  actorsWithMail(sql: Sql | Tx, machine: string, now: Date, limit: number): Promise<string[]>;
  takeMessages(
    tx: Tx,
    machine: string,
    actorIds: readonly string[],
    now: Date,
    limit: number,
  ): Promise<StoredMessage[]>;
}

/** Operations on pauses are described where they are made: `pause-rows.ts`. */
export interface Pausing {
  readPauses(sql: Sql): Promise<ReadonlyMap<string, Pause>>;
  pausedAmong(sql: Sql | Tx, stages: readonly string[]): Promise<ReadonlySet<string>>;
  heldPauses(tx: Tx, stages: readonly string[]): Promise<ReadonlySet<string>>;
  lockPause(tx: Tx, stage: string, waitMs: number): Promise<void>;
  /** @returns false when it is paused already */
  storePause(tx: Tx, stage: string, at: Date, who: Who): Promise<boolean>;
  /** @returns false when it is not paused */
  deletePause(tx: Tx, stage: string): Promise<boolean>;
  /** Tells all processes, by the commit, that a stage was paused or resumed. */
  announcePause(tx: Tx, stage: string): Promise<void>;
}

export interface Members {
  /**
   * Enters a process in the list, and takes on the session the lock that shows that it lives: it is gone with the session.
   *
   * @returns its number
   */
  register(session: Session, role: string, startedAt: Date): Promise<number>;
  /** Numbers of those that are in the list or have claims, and do not live. */
  deadProcesses(sql: Sql): Promise<number[]>;
  /** @returns how many were in the list */
  removeProcesses(sql: Sql | Tx, numbers: readonly number[]): Promise<number>;
  /** A process has got a new number: what was noted under the old one is its. */
  renumberProcess(tx: Tx, before: number | null, now: number | null): Promise<void>;
  report(sql: Sql, process: number, report: string, at: Date): Promise<void>;
}

/** Which process performs which jobs. */
export interface Claims {
  claim(
    sql: Sql,
    claim: {
      readonly queue: string;
      readonly claims: readonly Claim[];
      readonly process: number | null;
      readonly at: Date;
    },
  ): Promise<void>;
  claimsOf(sql: Sql, process: number | null): Promise<readonly QueuedClaim[]>;
  /** Removes claims of a process, unless the jobs were handed out again meanwhile. */
  unclaim(sql: Sql | Tx, claims: readonly Claim[], process: number | null): Promise<void>;
  /** Removes claims of jobs that have ended, whoever made them. */
  endClaims(tx: Tx, jobs: readonly string[]): Promise<void>;
  /** Removes and returns all claims of some processes. */
  takeClaims(tx: Tx, processes: readonly number[]): Promise<readonly QueuedClaim[]>;
}
