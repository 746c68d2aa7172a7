import { RuntimeError } from './errors.ts';
import type { Session } from './session.ts';

interface Waiting {
  resolve(session: Session): void;
  reject(error: unknown): void;
}

/** Sessions of one kind: opened when needed, used again, thrown away when their connection breaks. */
export class Sessions {
  readonly #openSession: () => Promise<Session>;
  readonly #max: number;
  readonly #idle: Session[] = [];
  readonly #waiting: Waiting[] = [];
  #count = 0;
  #closed = false;

  /**
   * @param max sessions at most; who comes when all are taken waits for its turn
   */
  constructor(openSession: () => Promise<Session>, max: number) {
    this.#openSession = openSession;
    this.#max = max;
  }

  /** @throws the driver's error when the database cannot be reached; RuntimeError `STOPPED` after `close` */
  async take(): Promise<Session> {
    if (this.#closed) throw new RuntimeError('STOPPED', 'The actor system has stopped.');
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (!idle.lost) return idle;
      this.#count -= 1;
    }
    if (this.#count < this.#max) return this.#open();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Takes a session back. One whose transaction may still be open must be closed before. */
  giveBack(session: Session): void {
    if (session.lost || this.#closed) {
      this.#count -= 1;
      void session.close();
      this.#serveAnother();
      return;
    }
    const next = this.#waiting.shift();
    if (next) next.resolve(session);
    else this.#idle.push(session);
  }

  /** Closes what is idle now, and what is in use when it is given back. */
  async close(): Promise<void> {
    this.#closed = true;
    const stopped = new RuntimeError('STOPPED', 'The actor system has stopped.');
    for (const { reject } of this.#waiting.splice(0)) reject(stopped);
    const idle = this.#idle.splice(0);
    this.#count -= idle.length;
    await Promise.all(idle.map((session) => session.close()));
  }

  async #open(): Promise<Session> {
    this.#count += 1;
    try {
      return await this.#openSession();
    } catch (error) {
      this.#count -= 1;
      this.#serveAnother();
      throw error;
    }
  }

  /** There is room for one session more. */
  #serveAnother(): void {
    const next = this.#waiting.shift();
    if (next) this.#open().then(next.resolve, next.reject);
  }
}
