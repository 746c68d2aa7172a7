import type { AnyStateMachine } from 'xstate';
import type { Tx } from '../db/connection.ts';
import type { Actor, EventOf, StageRegion } from './actor.ts';
import { decode, encode, type SnapshotView, view } from './codec.ts';
import { type AnyEvent, compute, type Effect } from './compute.ts';
import type { Committed, Delivered, Delivery } from './delivery.ts';
import { lateEntry, type Subject, stepEntries } from './entries.ts';
import { RuntimeError, UnknownStateError } from './errors.ts';
import { JobChanges, type JobParams } from './job-changes.ts';
import type { JobQueue } from './job-queue.ts';
import type { NewTransition } from './journal.ts';
import { AT_ONCE, type Message, WAKE } from './messages.ts';
import type { Registry } from './registry.ts';
import type { Stage } from './stage.ts';
import type { Storage } from './storage.ts';

export type { Committed, Delivered, Delivery } from './delivery.ts';

interface Loaded {
  readonly actor: Actor;
  readonly correlation: string;
  readonly stored: Record<string, unknown>;
  snapshot: unknown;
}

/** Work that is due and has been left alone, because its stage is paused as far as this process knows. */
interface Withheld {
  readonly loaded: Loaded;
  readonly id: string;
  readonly region: StageRegion;
  readonly stage: Stage;
}

/** What a transaction works with. */
interface Parts {
  readonly storage: Storage;
  readonly registry: Registry;
  readonly jobs: JobQueue;
}

/**
 * One unit of work on sets of actors. Events are applied to rows that it has locked; at the end all changed rows are
 * stored with one statement per table, and the journal, the jobs and the messages with one statement each, all in the
 * same database transaction. Nothing is observable before it commits.
 *
 * To stay free of deadlocks, it locks rows of one machine only, in the order of their ids; another machine is told by
 * message. Rows that the same transaction has inserted do not count: nobody else can see them. A transaction that must
 * change a parent and its children together locks the parent first; none locks a child and then its parent.
 */
export class ActorTransaction {
  readonly sql: Tx;
  readonly now: Date;
  readonly #storage: Storage;
  readonly #registry: Registry;
  readonly #jobs: JobQueue;
  readonly #loaded = new Map<string, Map<string, Loaded>>();
  readonly #transitions: NewTransition[] = [];
  readonly #jobChanges: JobChanges;
  readonly #withheld: Withheld[] = [];
  readonly #messages: Message[] = [];
  readonly #parked: { readonly id: string; readonly error: RuntimeError }[] = [];

  constructor(sql: Tx, now: Date, { storage, registry, jobs }: Parts) {
    this.sql = sql;
    this.now = now;
    this.#storage = storage;
    this.#registry = registry;
    this.#jobs = jobs;
    this.#jobChanges = new JobChanges(jobs, registry);
  }

  /**
   * Delivers events, each to its actor, in the order given.
   *
   * @returns one result per delivery, in the same order
   */
  async send<M extends AnyStateMachine>(
    actor: Actor<M>,
    deliveries: readonly Delivery<EventOf<M>>[],
  ): Promise<Delivered[]> {
    return this.deliver(actor, deliveries);
  }

  /** {@link send} for events that come out of the database and are therefore not typed. */
  async deliver(actor: Actor, deliveries: readonly Delivery[]): Promise<Delivered[]> {
    await this.load(
      actor,
      deliveries.map(({ id }) => id),
    );
    return deliveries.map(({ id, event }) => this.#apply(actor, id, event));
  }

  /**
   * Sends a durable message to another actor; it is delivered after the commit.
   *
   * @throws RuntimeError `UNKNOWN_MACHINE`
   */
  tell(
    to: { readonly machine: string; readonly id: string },
    event: AnyEvent,
    deliverAt: Date = AT_ONCE,
  ): void {
    this.#post({
      machine: to.machine,
      actor_id: to.id,
      parent_id: null,
      event,
      deliver_at: deliverAt,
    });
  }

  /** A message that nobody could ever deliver is refused here, where its sender is still known. */
  #post(message: Message): void {
    this.#registry.actor(message.machine);
    this.#messages.push(message);
  }

  /**
   * Takes turns with everybody who names the same: outcomes with `exclusively` and other transactions.
   * Called at most once, before rows are locked.
   */
  exclusively(names: readonly string[]): Promise<void> {
    return this.#storage.lockNames(this.sql, names);
  }

  /** Locks and reads actors that this transaction has not read yet. */
  async load(actor: Actor, ids: readonly string[]): Promise<void> {
    const loaded = this.#loaded.get(actor.name) ?? new Map<string, Loaded>();
    this.#loaded.set(actor.name, loaded);
    const wanted = [...new Set(ids)].filter((id) => !loaded.has(id));
    if (wanted.length === 0) return;
    const rows = await this.#storage.lockRows(this.sql, actor, wanted);
    const maxAttempts = this.#registry.maxAttempts(actor);
    for (const row of rows) {
      const id = String(row[actor.tables[0].id]);
      try {
        const snapshot = decode(actor, row, maxAttempts);
        loaded.set(id, {
          actor,
          correlation: String(row[actor.correlation]),
          stored: encode(actor, snapshot),
          snapshot,
        });
      } catch (error) {
        if (!(error instanceof UnknownStateError)) throw error;
        await this.park(actor, id, error);
      }
    }
  }

  /** A loaded actor as it stands in this transaction. */
  peek(actor: Actor, id: string): SnapshotView | null {
    const loaded = this.#loaded.get(actor.name)?.get(id);
    return loaded ? view(loaded.snapshot) : null;
  }

  /** Those of the loaded actors whose rows could be read. */
  readable(actor: Actor, ids: readonly string[]): string[] {
    const loaded = this.#loaded.get(actor.name);
    return ids.filter((id) => loaded?.has(id));
  }

  /** Leaves an actor alone until its row is corrected; its mail waits, and the others go on. */
  async park(actor: Actor, id: string, error: RuntimeError): Promise<void> {
    this.#parked.push({ id, error });
    await this.#storage.park(this.sql, actor.name, id, error.message, this.now);
  }

  /** Whether a row could not be read. */
  isParked(id: string): boolean {
    return this.#parked.some((parked) => parked.id === id);
  }

  /** Shows in the journal that a result came which nobody waits for any more; changes nothing else. */
  async late(actor: Actor, id: string, event: AnyEvent): Promise<void> {
    await this.load(actor, [id]);
    const loaded = this.#loaded.get(actor.name)?.get(id);
    if (loaded) this.#transitions.push(...lateEntry(this.#subject(loaded, id), view(loaded.snapshot), event));
  }

  #apply(actor: Actor, id: string, event: AnyEvent): Delivered {
    const loaded = this.#loaded.get(actor.name)?.get(id);
    if (!loaded) {
      return { id, accepted: false, actor: null, problem: this.isParked(id) ? 'parked' : 'missing' };
    }
    const before = view(loaded.snapshot);
    const accepted = event.type === WAKE ? false : this.#transition(loaded, id, event);
    if (!accepted && 'job' in event)
      this.#transitions.push(...lateEntry(this.#subject(loaded, id), before, event));
    this.#dispatchDue(loaded, id, before);
    return { id, accepted, actor: view(loaded.snapshot), problem: null };
  }

  #transition(loaded: Loaded, id: string, event: AnyEvent): boolean {
    const computed = compute(loaded.actor.machine, loaded.snapshot as never, event);
    for (const step of computed.steps)
      this.#transitions.push(...stepEntries(this.#subject(loaded, id), step, event));
    for (const effect of computed.effects) this.#carryOut(loaded, effect);
    this.#jobChanges.noteOvertaken(loaded.actor, view(loaded.snapshot), view(computed.snapshot), event);
    loaded.snapshot = computed.snapshot;
    return computed.accepted;
  }

  /** Dispatches what has become due in event mode; what becomes due later wakes the actor then. */
  #dispatchDue(loaded: Loaded, id: string, before: SnapshotView): void {
    if (this.#registry.mode !== 'event') return;
    for (const region of loaded.actor.stages) {
      const stage = this.#registry.stageOf(loaded.actor, region.region);
      const dueAt = dueTime(loaded, region);
      if (!stage || dueAt === null) continue;
      if (dueAt <= this.now) {
        if (this.#registry.paused.has(stage.name)) this.#withheld.push({ loaded, id, region, stage });
        else this.#dispatch(loaded, id, region);
      } else if (before.context.stages[region.region]?.dueAt?.getTime() !== dueAt.getTime()) {
        this.tell({ machine: loaded.actor.name, id }, { type: WAKE }, dueAt);
      }
    }
  }

  /**
   * Who resumes a stage sweeps up what is due when that is stored. What is withheld must therefore either be stored
   * before, or not be withheld: this makes sure of it, whatever this process knows of pauses.
   */
  async #dispatchWithheld(): Promise<void> {
    if (this.#withheld.length === 0) return;
    const names = new Set(this.#withheld.map(({ stage }) => stage.name));
    const paused = await this.#storage.heldPauses(this.sql, [...names]);
    for (const { loaded, id, region, stage } of this.#withheld) {
      if (paused.has(stage.name)) continue;
      const dueAt = dueTime(loaded, region);
      if (dueAt !== null && dueAt <= this.now) this.#dispatch(loaded, id, region);
    }
  }

  #dispatch(loaded: Loaded, id: string, stage: StageRegion): void {
    const event = { type: `${stage.region}.dispatch`, job: this.#jobs.newId(), at: this.now };
    this.#transition(loaded, id, event);
  }

  #carryOut(loaded: Loaded, effect: Effect): void {
    if (effect.type === 'tell') {
      const { to, id: addressee, childrenOf, event } = effect.params as TellParams;
      this.#post({
        machine: to,
        actor_id: addressee ?? null,
        parent_id: childrenOf ?? null,
        event,
        deliver_at: AT_ONCE,
      });
      return;
    }
    if (effect.type !== 'enqueue') {
      throw new RuntimeError(
        'UNKNOWN_EFFECT',
        `Machine ${loaded.actor.name} asks for an unknown action ${effect.type}.`,
      );
    }
    this.#jobChanges.order(loaded.actor, loaded.snapshot, effect.params as JobParams, this.now);
  }

  #subject({ actor, correlation }: Loaded, id: string): Subject {
    return { actor, id, correlation, at: this.now };
  }

  /** Stores everything; called once, last in the database transaction. */
  async flush(): Promise<Committed> {
    await this.#dispatchWithheld();
    for (const loaded of this.#loaded.values()) await this.#store([...loaded]);
    await this.#storage.insertMessages(this.sql, this.#messages);
    await this.#jobChanges.store(this.sql);
    await this.#storage.appendJournal(this.sql, this.#transitions);
    const times = this.#messages.map((message) => message.deliver_at.getTime());
    return {
      transitions: this.#transitions,
      parked: this.#parked.map(({ error }) => error),
      nextDelivery: times.length === 0 ? null : new Date(Math.min(...times)),
    };
  }

  async #store(loaded: readonly [string, Loaded][]): Promise<void> {
    const actor = loaded[0]?.[1].actor;
    if (!actor) return;
    const changes = loaded.map(([id, { snapshot, stored }]) => ({
      id,
      stored,
      next: encode(actor, snapshot),
    }));
    await this.#storage.updateRows(this.sql, actor, changes);
  }
}

/** From when work that waits for nothing but time may be dispatched; null for all other. */
function dueTime({ snapshot }: Loaded, { region, pending }: StageRegion): Date | null {
  const { value, context } = view(snapshot);
  return value[region] === pending ? (context.stages[region]?.dueAt ?? null) : null;
}

interface TellParams {
  readonly to: string;
  readonly id?: string;
  readonly childrenOf?: string;
  readonly event: AnyEvent;
}
