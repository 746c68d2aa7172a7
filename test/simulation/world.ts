import type { Clock } from '../../src/runtime/clock.ts';
import type { Timing } from '../../src/runtime/timing.ts';
import { randomOf } from './random.ts';

/** When the simulated world begins. */
const BEGINNING_MS = Date.UTC(2030, 0, 1);

/** Something that will happen. */
interface Happening {
  at: number;
  order: number;
  readonly process: Process | null;
  readonly name: string;
  happen: (() => void) | null;
}

/** An operating-system process: what it waits for does not come while it is frozen, and never again once it is dead. */
export class Process implements Clock {
  readonly name: string;
  readonly world: World;
  dead = false;
  frozenUntil = 0;
  clockOffsetMs = 0;
  /** Told when it is killed. */
  readonly onDeath: (() => void)[] = [];

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
  }

  now(): Date {
    return new Date(this.world.now + this.clockOffsetMs);
  }

  /** It ends as by SIGKILL: none of its code ever runs again. */
  kill(): void {
    if (this.dead) return;
    this.world.note(this, 'killed');
    this.dead = true;
    for (const told of this.onDeath) told();
  }

  freeze(ms: number): void {
    this.world.note(this, `frozen for ${ms} ms`);
    this.frozenUntil = Math.max(this.frozenUntil, this.world.now + ms);
  }

  /** Time and chance as this process knows them. */
  readonly timing: Timing = {
    elapsedMs: () => this.world.now,
    wallMs: () => this.world.now + this.clockOffsetMs,
    random: () => this.world.random(),
    after: (ms, ring) => this.world.after(ms, this, 'timer', ring),
    sleep: (ms) => new Promise((resolve) => this.world.after(ms, this, 'slept', resolve)),
  };
}

/**
 * Time, chance and order of a simulation. Everything that somebody may wait for is a happening; between two of them all
 * code runs until it waits again. The same seed gives the same order.
 */
export class World {
  now = BEGINNING_MS;
  readonly random: () => number;
  /** What happened, for people; only kept when asked for. */
  readonly trace: string[] | null;
  /** Of everything that happened, in order: equal runs have equal ones. */
  fingerprint = 0;
  happened = 0;
  readonly #disorder: number;
  #heap: Happening[] = [];
  #order = 0;

  /** @param disorder from 0 (everything takes as long as everything else) to 1 */
  constructor(seed: number, disorder: number, traced: boolean) {
    this.random = randomOf(seed);
    this.#disorder = disorder;
    this.trace = traced ? [] : null;
  }

  /** How long a message takes on its way, in milliseconds. */
  latency(): number {
    if (this.#disorder === 0) return 0.5;
    const rare = this.random() / this.#disorder;
    if (rare < 0.004) return this.random() * 3_000;
    if (rare < 0.03) return this.random() * 300;
    return rare < 0.3 ? this.random() * 20 : this.random();
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** @returns what keeps it from happening */
  after(ms: number, process: Process | null, name: string, happen: () => void): { close(): void } {
    const happening: Happening = {
      at: this.now + Math.max(0, ms),
      order: this.#order++,
      process,
      name,
      happen,
    };
    this.#push(happening);
    return {
      close: () => {
        happening.happen = null;
      },
    };
  }

  note(process: Process | null, text: string): void {
    const at = this.now - BEGINNING_MS;
    this.trace?.push(`${at.toFixed(1).padStart(9)} ms  ${(process?.name ?? 'database').padEnd(9)} ${text}`);
  }

  /**
   * Lets things happen.
   *
   * @param done asked before each; ends it
   * @param untilMs ends it when so much time has gone by in the world
   * @param stepsMax ends it too
   */
  run(done: () => boolean, untilMs: number, stepsMax: number): Promise<void> {
    const end = this.now + untilMs;
    let steps = 0;
    return new Promise((resolve, reject) => {
      const step = () => {
        try {
          const next = this.#pop();
          if (!next) return resolve();
          if (next.at > end || steps >= stepsMax || done()) {
            this.#push(next);
            return resolve();
          }
          steps += 1;
          this.#happen(next);
          // Comes when everything that this has set going waits again: a tick comes after all microtasks, but not after
          // those of the tick before it.
          queueMicrotask(() => process.nextTick(step));
        } catch (error) {
          reject(error);
        }
      };
      process.nextTick(step);
    });
  }

  #happen(next: Happening): void {
    const { process: whose } = next;
    this.now = Math.max(this.now, next.at);
    if (!next.happen || whose?.dead) return;
    if (whose && whose.frozenUntil > this.now) {
      next.at = whose.frozenUntil;
      next.order = this.#order++;
      this.#push(next);
      return;
    }
    this.happened += 1;
    this.#print(next);
    next.happen();
  }

  #print({ name, process: whose }: Happening): void {
    let print = this.fingerprint;
    for (const text of [name, whose?.name ?? '', String(this.now)])
      for (let n = 0; n < text.length; n += 1) print = (Math.imul(print, 31) + text.charCodeAt(n)) | 0;
    this.fingerprint = print;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(happening);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(happening, heap[parent])) break;
      heap[at] = heap[parent] as Happening;
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): Happening | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child += 1;
      if (!before(heap[child], last)) break;
      heap[at] = heap[child] as Happening;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

const before = (a: Happening | undefined, b: Happening | undefined): boolean =>
  a !== undefined && b !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order));
