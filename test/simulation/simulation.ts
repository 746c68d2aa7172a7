import { act as operate } from '../../src/runtime/actions.ts';
import { Engine } from '../../src/runtime/engine.ts';
import type { JobQueue } from '../../src/runtime/job-queue.ts';
import { type Observer, silentObserver } from '../../src/runtime/observer.ts';
import type { Stage } from '../../src/runtime/stage.ts';
import type { Storage } from '../../src/runtime/storage.ts';
import { ActorStore } from '../../src/runtime/store.ts';
import { Client, type Trouble } from './client.ts';
import { Bank, type Manners, POLITE } from './outside.ts';
import { SimulatedQueue } from './queue.ts';
import { type Tables, tablesOf } from './rows.ts';
import { type Act, ROUGH_MS, type Schedule, STAGES } from './schedule.ts';
import { type Connection, Server } from './server.ts';
import { type Doing, stagesOf } from './stages.ts';
import { sessionOf, simulatedStorage } from './storage.ts';
import { ACTORS, freshItem, freshOrder, itemActor, orderActor } from './toys.ts';
import { Process, World } from './world.ts';

/** What is deliberately wrong, to see that it is found. */
export interface Mutation {
  readonly storage?: (storage: Storage) => Storage;
  readonly queue?: (queue: JobQueue) => JobQueue;
  readonly stages?: (stages: Stage[], doing: Doing) => Stage[];
}

const ROUGH: Manners = { losesAnswers: 0.15, refuses: 0.1, isAway: 0.1 };
const GRACE_MS = 1_000;
const WHO = { by: 'an operator', reason: 'to see what happens' };

/** What operators and clients do. */
type Operation = Extract<Act, { readonly by: number }>;

/** A process of the system, and what it runs. */
interface Running {
  readonly process: Process;
  readonly client: Client;
  readonly queue: SimulatedQueue;
  readonly engine: Engine;
  started: boolean;
  stopping: boolean;
  /** How long after its death another one takes its place, in milliseconds. */
  backAfterMs: number;
}

/** A whole system of several processes, its database and its outside, in one simulated world. */
export class Simulation {
  readonly schedule: Schedule;
  readonly world: World;
  readonly server: Server;
  readonly tables: Tables;
  readonly bank: Bank;
  /** What must not be, seen while it ran. */
  readonly violations: string[] = [];
  readonly #mutation: Mutation;
  readonly #running: (Running | null)[] = [];
  readonly #requests = new Map<string, number>();
  readonly #faults = new Map<string, Trouble>();
  #incarnations = 0;
  #orders = 0;
  /** Damage that is not mended. */
  #open = 0;
  /** Of whoever damages rows and mends them. */
  #outside: Connection | null = null;
  #isRough = true;
  #isEnding = false;

  constructor(schedule: Schedule, mutation: Mutation, traced: boolean) {
    this.schedule = schedule;
    this.#mutation = mutation;
    this.world = new World(schedule.seed, schedule.disorder, traced);
    this.server = new Server(this.world);
    this.tables = tablesOf(this.server);
    this.bank = new Bank(this.world, schedule.bankKnowsKeys, schedule.isOutsideRough ? ROUGH : POLITE);
    for (const { operation, nth, trouble } of schedule.faults)
      this.#faults.set(`${operation} ${nth}`, trouble);
  }

  /** Runs everything that the schedule says; from then on nothing goes wrong any more. */
  begin(): void {
    const { world, schedule } = this;
    for (let n = 0; n < schedule.processes; n += 1) this.#start(n);
    const first: Act = { at: 20, act: 'order', by: 0, items: 3 };
    for (const act of [first, ...schedule.acts]) world.after(act.at, null, act.act, () => this.#act(act));
    world.after(ROUGH_MS, null, 'calm', () => this.#calm());
  }

  /** Whether nothing is left to be done. */
  get isQuiet(): boolean {
    const isUp = this.#running.every((one) => one?.started && !one.stopping);
    return isUp && !this.#isRough && this.#open === 0 && this.unsettled().length === 0;
  }

  /** What is still to be done, for people. */
  unsettled(): string[] {
    const { messages, jobs, claims, parked, processes } = this.tables;
    const open = ['PENDING', 'PROCESSING'];
    const rows = ACTORS.flatMap((actor) =>
      this.tables
        .actors(actor.name)
        .select(null, (row) =>
          actor.stages.some(({ columns }) => open.includes(String(row[columns.status]))),
        ),
    );
    const tick = /_beat_producer$/;
    return [
      ...this.tables.pauses.select(null).map(({ stage }) => `${stage} is paused`),
      ...rows.map((row) => `${row.id} is under way: ${JSON.stringify(row)}`),
      ...messages.select(null).map((m) => `mail waits: ${JSON.stringify(m)}`),
      ...jobs
        .select(
          null,
          ({ state, queue }) => ['created', 'retry', 'active'].includes(state) && !tick.test(queue),
        )
        .map((job) => `a job is open: ${JSON.stringify(job)}`),
      ...claims.select(null).map((claim) => `a claim is left: ${JSON.stringify(claim)}`),
      ...processes
        .select(null, ({ number }) => ![...this.server.connections].some(({ shows }) => shows.has(number)))
        .map(({ number }) => `nobody has noticed that process ${number} is dead`),
      ...parked.select(null).map((row) => `an actor is parked: ${JSON.stringify(row)}`),
    ];
  }

  /** Stops all processes in order. @returns whether all have stopped */
  async end(): Promise<boolean> {
    let stopped = 0;
    this.#isEnding = true;
    const running = this.#running.filter((one) => one !== null);
    for (const { engine, stopping, process } of running) {
      let isOver = false;
      const over = () => {
        if (!isOver) stopped += 1;
        isOver = true;
      };
      // One that stops by itself ends then; another one may have a death before it that was on its way.
      process.onDeath.push(over);
      if (!stopping) void engine.stop(GRACE_MS).then(over);
    }
    await this.world.run(() => stopped === running.length, 20_000, 20_000);
    // What is on its way to the server arrives.
    await this.world.run(() => false, 20_000, 20_000);
    return stopped === running.length;
  }

  #start(slot: number): void {
    this.#incarnations += 1;
    const process = new Process(this.world, `p${slot + 1}#${this.#incarnations}`);
    const client = new Client(process, this.server, (_, operation) => this.#troubleWith(operation));
    const { mutation: _, ...ports } = this.#portsOf(process, client);
    const running: Running = { process, client, started: false, stopping: false, backAfterMs: 500, ...ports };
    this.#running[slot] = running;
    process.onDeath.push(() => {
      if (this.#running[slot] !== running) return;
      this.#running[slot] = null;
      this.world.after(running.backAfterMs, null, 'started again', () => {
        if (!this.#isEnding) this.#start(slot);
      });
    });
    const { engine } = running;
    engine
      .join()
      .then(() => engine.start())
      .then(() => {
        running.started = true;
      })
      .catch((error: Error) => {
        // As the program itself does: a start that fails ends the process.
        this.world.note(process, `does not start: ${error.message}`);
        void engine.stop(0).finally(() => process.kill());
      });
  }

  #portsOf(process: Process, client: Client) {
    const mutation = this.#mutation;
    const observer: Observer = {
      ...silentObserver,
      troubled: (where, error) =>
        this.world.note(process, `trouble in ${where}: ${(error as Error).message}`),
    };
    const doing: Doing = {
      process,
      bank: this.bank,
      isRough: () => this.#isRough && this.schedule.isOutsideRough,
      submitting: (work) => this.#submitting(process, work),
    };
    const plain = stagesOf(doing);
    let made: SimulatedQueue | undefined;
    const engine = new Engine(
      {
        actors: ACTORS,
        stages: mutation.stages?.(plain, doing) ?? plain,
        works: true,
        clock: process,
        backoff: { baseMs: 200, maxMs: 1_000 },
        staleAfterMs: this.schedule.staleAfterMs,
        observer,
      },
      (registry, suspect) => {
        const queue = new SimulatedQueue(client, true, (error, mayBeLost) => {
          observer.troubled('jobs', error);
          if (mayBeLost) suspect();
        });
        made = queue;
        const storage = simulatedStorage(client);
        return new ActorStore({
          storage: mutation.storage?.(storage) ?? storage,
          jobs: mutation.queue?.(queue) ?? queue,
          registry,
          observer,
          timing: process.timing,
        });
      },
    );
    return { mutation, engine, queue: made as unknown as SimulatedQueue };
  }

  /** No announcement may be granted by somebody while the stage was paused all the time. */
  async #submitting(process: Process, work: Parameters<Doing['submitting']>[0]) {
    const { pauses } = this.tables;
    const before = pauses.get(null, 'pay');
    const submission = await work.submitting();
    const after = pauses.get(null, 'pay');
    if (before !== null && before === after)
      this.violations.push(`${process.name} may pay ${work.id} although paying is paused`);
    return submission;
  }

  #troubleWith(operation: string): Trouble | null {
    if (!this.#isRough) return null;
    const nth = this.#requests.get(operation) ?? 0;
    this.#requests.set(operation, nth + 1);
    return this.#faults.get(`${operation} ${nth}`) ?? null;
  }

  #act(act: Act): void {
    this.world.note(null, `— ${JSON.stringify(act)}`);
    if (act.act === 'restart database') {
      this.#restartDatabase(act.ms);
      return;
    }
    if (act.act === 'damage') {
      this.#damage(act.forMs);
      return;
    }
    const whom = this.#running[('whom' in act ? act.whom : act.by) % this.schedule.processes];
    if (!whom) return;
    const { process, client, queue } = whom;
    if ('backAfterMs' in act) whom.backAfterMs = act.backAfterMs;
    if (act.act === 'kill') process.kill();
    else if (act.act === 'freeze') process.freeze(act.ms);
    else if (act.act === 'jump') process.clockOffsetMs += act.ms - 2_500;
    else if (act.act === 'cut') client.cutAll();
    else if (act.act === 'deafen') this.#deafen(process, queue, act.ms);
    else if (act.act === 'stop') this.#stop(whom);
    else this.#operate(whom, act as Operation);
  }

  #stop(whom: Running): void {
    if (whom.stopping) return;
    whom.stopping = true;
    // It ends as a process does when it has nothing left to do; `onDeath` starts it again.
    void whom.engine.stop(GRACE_MS).then(() => whom.process.kill());
  }

  #deafen(process: Process, queue: SimulatedQueue, ms: number): void {
    queue.deafen(ms);
    for (const listener of this.server.listeners)
      if (listener.process === process) listener.deafUntil = this.world.now + ms;
  }

  #restartDatabase(ms: number): void {
    this.server.downUntil = this.world.now + ms;
    for (const running of this.#running) running?.client.cutAll();
    for (const connection of [...this.server.connections])
      if (connection !== this.#outside) this.server.close(connection);
  }

  /** Makes a row unreadable, and mends it later. */
  #damage(forMs: number): void {
    const row = this.tables.actors('item').select(null)[0];
    if (!row || this.#open > 0) return;
    const id = String(row.id);
    this.#open += 1;
    let kept: unknown;
    this.#write(id, (before) => {
      kept = before.check_status;
      return { ...before, check_status: 'UNHEARD_OF' };
    });
    this.world.after(forMs, null, 'mended', () =>
      this.#write(
        id,
        (before) => (kept === undefined ? before : { ...before, check_status: kept }),
        () => {
          this.#open -= 1;
        },
      ),
    );
  }

  /** Writes an item's row from outside, as often as it takes. */
  #write(
    id: string,
    change: (row: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
    done: () => void = () => {},
  ): void {
    const connection = this.server.connect();
    this.#outside = connection;
    this.server.execute(
      connection,
      (t) => this.tables.actors('item').update(t, (row) => row.id === id, change),
      (error) => {
        this.server.close(connection);
        if (error) this.#write(id, change, done);
        else done();
      },
    );
  }

  #operate({ process, engine }: Running, act: Operation): void {
    const failed = (error: unknown) => this.world.note(process, `${act.act}: ${(error as Error).message}`);
    this.#carryOut(engine, act).catch(failed);
  }

  async #carryOut(engine: Engine, act: Operation): Promise<void> {
    if (act.act === 'order') return this.#order(engine, act.items);
    if (act.act === 'pause' || act.act === 'resume') {
      await engine.pauses[act.act](STAGES[act.stage] ?? 'pay', WHO);
      return;
    }
    const ids = this.tables
      .actors('item')
      .select(null)
      .map(({ id }) => String(id));
    if (act.act === 'restart') {
      await engine.store.transact((tx) =>
        tx.deliver(
          itemActor,
          ids.map((id) => ({ id, event: { type: 'check.restart', at: tx.now, dueAt: tx.now } as never })),
        ),
      );
      return;
    }
    await operate(engine.store, engine.store.registry.stage('check'), act.act, ids, WHO);
  }

  async #order(engine: Engine, count: number): Promise<void> {
    this.#orders += 1;
    const id = `order-${this.#orders}`;
    const ids = Array.from({ length: count }, (_, n) => `${id}-item-${n + 1}`);
    await engine.store.transact(async (tx) => {
      await sessionOf(tx.sql).request('insertRows', (t) => this.#insert(t, id, ids));
      await tx.send(orderActor, [{ id, event: { type: 'opened', at: tx.now } }]);
    });
  }

  *#insert(t: Parameters<Parameters<Server['execute']>[1]>[0], id: string, ids: readonly string[]) {
    yield* this.tables.actors('order').insert(t, id, freshOrder(id, ids));
    for (const item of ids) yield* this.tables.actors('item').insert(t, item, freshItem(item, id));
  }

  /** From now on nothing goes wrong, and whatever was stopped goes on. */
  #calm(): void {
    this.world.note(null, '— calm');
    this.#isRough = false;
    this.bank.manners = POLITE;
    this.server.downUntil = 0;
    for (const running of this.#running) if (running) running.process.frozenUntil = 0;
    this.#resumeAll();
  }

  /** Again and again: a pause may still be on its way. */
  #resumeAll(): void {
    const running = this.#running.find((one) => one && !one.stopping);
    for (const stage of STAGES)
      if (this.tables.pauses.get(null, stage) !== null)
        running?.engine.pauses.resume(stage, WHO).catch(() => {});
    this.world.after(1_500, null, 'resumed?', () => this.#resumeAll());
  }
}
