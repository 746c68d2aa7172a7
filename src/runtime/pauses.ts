import type { Tx } from '../db/connection.ts';
import { RuntimeError } from './errors.ts';
import { PAUSE_CHANNEL, PAUSE_WAIT_MS, type Pause, RESUME_WAIT_MS, requireRunning } from './pause-rows.ts';
import type { Sessions } from './sessions.ts';
import type { Stage } from './stage.ts';
import type { ActorStore } from './store.ts';
import { answeredWithin, type Timer } from './timing.ts';
import { requireWho, type Who } from './who.ts';

export type { Pause } from './pause-rows.ts';

/** How often each process looks by itself, in case it was not told. */
const LOOK_MS = 500;
/** A look without an answer for so long is given up: its connection leads nowhere. */
const ANSWER_MS = 5_000;
/** Pauses and resumptions at the same time in one process. */
const CHANGES_MAX = 2;

/** Told, in this process, of a stage that is paused from now on, or runs again. Must not throw. */
export interface PauseListener {
  paused(stage: Stage): void;
  resumed(stage: Stage): void;
}

/**
 * The stages that operators have stopped, in all processes. A pause is a row, so it outlives every process; each process
 * keeps a view of the rows that is half a second old at most, and drops the work of a stage as soon as it sees it
 * paused. What must not even begin (money) asks the rows themselves, see {@link heldPauses}.
 */
export class Pauses {
  readonly #store: ActorStore;
  readonly #view: Map<string, Pause>;
  readonly #listener: PauseListener;
  /** Of its own, and so are those for changes: nothing else keeps them busy. */
  readonly #looks: Sessions;
  readonly #changes: Sessions;
  readonly #watchers = new Set<() => void>();
  #timer: Timer | null = null;
  #looking: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  #unlisten: (() => Promise<void>) | null = null;
  #stopped = true;

  /** @param view kept up to date by this; others only read it */
  constructor(store: ActorStore, view: Map<string, Pause>, listener: PauseListener) {
    this.#store = store;
    this.#view = view;
    this.#listener = listener;
    this.#looks = store.sessions('actor pauses', 1);
    this.#changes = store.sessions('actor pauses', CHANGES_MAX);
  }

  /** Knows of all pauses when it resolves. */
  async start(): Promise<void> {
    this.#stopped = false;
    const look = () => this.#lookOrReport();
    // Also after the connection was made anew: nobody has told what happened meanwhile.
    const { unlisten } = await this.#store.storage.listen(PAUSE_CHANNEL, look, look);
    this.#unlisten = unlisten;
    await this.look();
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.close();
    await this.#looking.catch(() => {});
    await Promise.all([this.#looks.close(), this.#changes.close()]);
    await this.#unlisten?.();
  }

  /** The pauses as this process sees them, by stage. */
  list(): ReadonlyMap<string, Pause> {
    return this.#view;
  }

  /**
   * Calls back whenever this process has seen a stage paused or resumed.
   *
   * @param told must not throw
   * @returns ends that
   */
  watch(told: () => void): () => void {
    this.#watchers.add(told);
    return () => this.#watchers.delete(told);
  }

  /**
   * Stops a stage in all processes, until it is resumed. Resolves when the pause is stored and in force in this process;
   * the others follow at once, or within half a second where they cannot be told.
   *
   * @param also what else is stored with it (an audit entry), in the same transaction; must not touch actors. Not called
   *   when nothing changes
   * @returns false when it is paused already; the earlier pause stays as it is
   * @throws RuntimeError `UNKNOWN_STAGE`, `WHO_MISSING`; what `also` throws, or the database's error: nothing is stored then
   */
  async pause(stage: string, who: Who, also?: (sql: Tx) => Promise<void>): Promise<boolean> {
    const { by, reason } = requireWho(who);
    return this.#change(stage, PAUSE_WAIT_MS, also, (sql) => {
      const at = this.#store.registry.clock.now();
      return this.#store.storage.storePause(sql, stage, at, { by, reason });
    });
  }

  /**
   * Lets a stage go on, in all processes; everything that has become due meanwhile is dispatched.
   *
   * @param also as for {@link pause}
   * @returns false when it is not paused
   * @throws as {@link pause}
   */
  async resume(stage: string, who: Who, also?: (sql: Tx) => Promise<void>): Promise<boolean> {
    requireWho(who);
    return this.#change(stage, RESUME_WAIT_MS, also, (sql) => this.#store.storage.deletePause(sql, stage));
  }

  /** Asks the database whether a stage is paused. @throws PausedError when it is */
  requireRunning(stage: string): Promise<void> {
    return this.#store.query((sql) => requireRunning(this.#store.storage, sql, stage));
  }

  /** Looks now: what was committed before the call is in the view when it resolves. */
  look(): Promise<void> {
    this.#next ??= this.#looking
      .catch(() => {})
      .then(() => {
        this.#next = null;
        this.#looking = this.#read();
        return this.#looking;
      });
    return this.#next;
  }

  async #change(
    name: string,
    waitMs: number,
    also: ((sql: Tx) => Promise<void>) | undefined,
    change: (sql: Tx) => Promise<boolean>,
  ): Promise<boolean> {
    this.#store.registry.stage(name);
    const { storage } = this.#store;
    const session = await this.#changes.take();
    let changed = false;
    try {
      changed = await storage.inTransaction(session, async (sql) => {
        await storage.lockPause(sql, name, waitMs);
        if (!(await change(sql))) return false;
        await also?.(sql);
        await storage.announcePause(sql, name);
        return true;
      });
    } finally {
      this.#changes.giveBack(session);
    }
    // It is stored: where this fails, it is looked at again in half a second.
    await this.look().catch(() => {});
    return changed;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.#store.timing.after(
      LOOK_MS,
      () => void this.#lookOrReport().then(() => this.#schedule()),
    );
  }

  async #lookOrReport(): Promise<void> {
    if (this.#stopped) return;
    await this.look().catch((error: unknown) => this.#store.observer.troubled('pauses', error));
  }

  async #read(): Promise<void> {
    const session = await this.#looks.take();
    let pauses: ReadonlyMap<string, Pause>;
    try {
      pauses = await answeredWithin(
        this.#store.timing,
        ANSWER_MS,
        this.#store.storage.readPauses(session.sql),
        noAnswer,
      );
    } catch (error) {
      await session.close();
      throw error;
    } finally {
      this.#looks.giveBack(session);
    }
    for (const stage of this.#store.registry.stages) this.#see(stage, pauses.get(stage.name));
  }

  #see(stage: Stage, pause: Pause | undefined): void {
    const before = this.#view.get(stage.name);
    if (pause) this.#view.set(stage.name, pause);
    else this.#view.delete(stage.name);
    if (pause && !before) {
      this.#listener.paused(stage);
      this.#store.observer.paused(stage, pause);
    } else if (before && !pause) {
      this.#store.observer.resumed(stage);
      this.#listener.resumed(stage);
    } else return;
    for (const told of this.#watchers) told();
  }
}

const noAnswer = () =>
  new RuntimeError('CONNECTION_LOST', `No answer about paused stages within ${ANSWER_MS} ms.`);
