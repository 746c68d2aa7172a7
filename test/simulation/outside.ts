import { fault } from './transaction.ts';
import type { Process, World } from './world.ts';

/** How often the outside misbehaves, from 0 to 1 each. */
export interface Manners {
  readonly losesAnswers: number;
  readonly refuses: number;
  readonly isAway: number;
}

export const POLITE: Manners = { losesAnswers: 0, refuses: 0, isAway: 0 };

/** A bank that pays; whether it knows keys and can be asked about them is the question. */
export class Bank {
  readonly knowsKeys: boolean;
  manners: Manners;
  /** Payments made, for each item. */
  readonly paid = new Map<string, number>();
  readonly #answers = new Map<string, 'paid' | 'refused'>();
  readonly #world: World;

  constructor(world: World, knowsKeys: boolean, manners: Manners) {
    this.#world = world;
    this.knowsKeys = knowsKeys;
    this.manners = manners;
  }

  /** @throws `UNREACHABLE` when nothing was sent, `NO_ANSWER` when nobody knows what became of it */
  pay(process: Process, item: string, key: string, signal: AbortSignal): Promise<'paid' | 'refused'> {
    if (this.#world.chance(this.manners.isAway))
      return Promise.reject(fault('UNREACHABLE', 'the bank is away'));
    return this.#call(process, `pays ${key}`, signal, () => {
      const known = this.knowsKeys ? this.#answers.get(key) : undefined;
      if (known) return known;
      const answer = this.#world.chance(this.manners.refuses) ? 'refused' : 'paid';
      this.#answers.set(key, answer);
      if (answer === 'paid') this.paid.set(item, (this.paid.get(item) ?? 0) + 1);
      return answer;
    });
  }

  /** @returns null when it has never seen the key */
  ask(process: Process, key: string, signal: AbortSignal): Promise<'paid' | 'refused' | null> {
    return this.#call(process, `asked about ${key}`, signal, () => this.#answers.get(key) ?? null);
  }

  #call<T>(process: Process, name: string, signal: AbortSignal, act: () => T): Promise<T> {
    const world = this.#world;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const noAnswer = () => reject(fault('NO_ANSWER', `nobody knows whether the bank has heard: ${name}`));
    if (signal.aborted) return Promise.reject(fault('UNREACHABLE', 'broken off before it was sent'));
    signal.addEventListener('abort', noAnswer, { once: true });
    // Once it is sent it arrives, whatever becomes of who sent it.
    world.after(world.latency(), null, name, () => {
      const answer = act();
      world.note(process, `bank ${name}: ${answer}`);
      if (world.chance(this.manners.losesAnswers)) return world.after(500, process, 'no answer', noAnswer);
      return world.after(world.latency(), process, 'bank answers', () => resolve(answer));
    });
    return promise;
  }
}
