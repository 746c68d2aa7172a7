import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Timeline, TimelineEntry } from './contract.ts';

/** Of more entries the oldest are left out; a timeline is printed, so it must be readable. */
const SHOWN_MAX = 10_000;

/** A timeline in a file; memory holds nothing but counts. */
export class FileTimeline implements Timeline {
  readonly file: string;
  readonly #counts = new Map<string, number>();
  readonly #stream: WriteStream;

  constructor(file: string) {
    this.file = file;
    // What cannot be written must not disturb the run that it tells of.
    this.#stream = createWriteStream(file, { flags: 'a' }).on('error', () => {});
  }

  note(kind: string, about: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.#counts.set(kind, this.count(kind) + 1);
    if (this.#stream.writable)
      this.#stream.write(`${JSON.stringify({ at: new Date(), kind, about, details })}\n`);
  }

  /** How often something of a kind was noted. */
  count(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** How often each kind was noted. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  async around(moment: Date, beforeMs: number, afterMs: number): Promise<readonly TimelineEntry[]> {
    await this.#written();
    const from = moment.getTime() - beforeMs;
    const to = moment.getTime() + afterMs;
    const entries: TimelineEntry[] = [];
    for await (const line of createInterface({ input: createReadStream(this.file) })) {
      const entry: TimelineEntry & { at: unknown } = JSON.parse(line);
      const at = new Date(entry.at);
      if (at.getTime() < from || at.getTime() > to) continue;
      entries.push({ ...entry, at });
      if (entries.length > SHOWN_MAX) entries.shift();
    }
    return entries;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#stream.end(() => resolve()));
  }

  #written(): Promise<void> {
    if (!this.#stream.writable) return Promise.resolve();
    return new Promise((resolve) => this.#stream.write('', () => resolve()));
  }
}
