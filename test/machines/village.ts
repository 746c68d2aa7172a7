import type { AnyStateMachine } from 'xstate';
import { type BatchEvent, batchMachine } from '../../src/machines/batch.ts';
import { beneficiaryMachine } from '../../src/machines/beneficiary.ts';
import { geoMachine } from '../../src/machines/geo.ts';
import type { Tell } from '../../src/machines/stage.ts';
import { later, newBatch, newBeneficiary, newGeo, run, START, seen, stageOf, step } from './records.ts';

/**
 * A batch whose agencies are being allocated, its geo records and their beneficiaries, with the post between them: a
 * letter to all children is copied for each of them, and everybody's letters come in the order they were sent.
 */

interface Resident {
  readonly machine: AnyStateMachine;
  readonly parent: string | null;
  snapshot: unknown;
}

interface Letter {
  readonly to: string;
  readonly event: Tell['event'];
}

/** How an attempt to tell somebody ends. */
export type End = 'succeeded' | 'failed' | 'refused' | 'stale' | 'final';

const ALLOCATION: BatchEvent[] = [
  { type: 'received', at: START },
  ...(['geo_resolution', 'warehouse_allocation'] as const).flatMap((region): BatchEvent[] => [
    { type: `${region}.dispatch`, at: START, job: 'j' },
    { type: `${region}.succeeded`, at: START, job: 'j' },
  ]),
  { type: 'agency_allocation.dispatch', at: START, job: 'agencies' },
];

export class Village {
  readonly #residents = new Map<string, Resident>();
  /** Letters to all children of somebody, as they were sent. */
  readonly circulars: Letter[] = [];
  /** Who was handed to a worker (`<id> <region>`), and whose first attempt has ended, in order. */
  readonly began: string[] = [];
  readonly ended: string[] = [];
  cancelled = false;
  readonly #post: Letter[] = [];
  #copied = 0;
  #at = START;

  constructor(geos: number, beneficiaries: number) {
    const batch = run(batchMachine, newBatch('COMMODITY'), ALLOCATION).snapshot;
    this.#residents.set('batch-1', { machine: batchMachine, parent: null, snapshot: batch });
    for (let g = 0; g < geos; g += 1) {
      const geo = { machine: geoMachine, parent: 'batch-1', snapshot: newGeo(2, `geo-${g}`) };
      this.#residents.set(`geo-${g}`, geo);
      for (let b = 0; b < beneficiaries; b += 1) {
        const id = `beneficiary-${g}-${b}`;
        const snapshot = newBeneficiary(2, id);
        this.#residents.set(id, { machine: beneficiaryMachine, parent: `geo-${g}`, snapshot });
      }
    }
  }

  /** Everybody who is to be told. */
  get ids(): string[] {
    return [...this.#residents.keys()].filter((id) => id !== 'batch-1');
  }

  parentOf(id: string): string | null {
    return this.#resident(id).parent;
  }

  states(id: string): string[] {
    return Object.values(seen(this.#resident(id).snapshot).value);
  }

  /** The agencies are found. */
  allocate(notify: boolean): void {
    this.#send('batch-1', { type: 'agency_allocation.succeeded', at: this.#tick(), job: 'agencies', notify });
  }

  /** The envelope is cancelled: the batch knows at once, the others by the post. */
  cancel(): void {
    this.cancelled = true;
    this.#send('batch-1', { type: 'cancel', at: this.#tick() });
  }

  /** Copies the next circular; false when there is none. */
  copy(): boolean {
    const circular = this.circulars[this.#copied];
    if (!circular) return false;
    this.#copied += 1;
    const children = this.ids.filter((id) => this.parentOf(id) === circular.to);
    this.#post.push(...children.map((to) => ({ to, event: circular.event })));
    return true;
  }

  /** Delivers somebody's next letter; false when there is none. */
  deliver(id: string): boolean {
    const next = this.#post.findIndex(({ to }) => to === id);
    const [letter] = next === -1 ? [] : this.#post.splice(next, 1);
    if (!letter) return false;
    this.#send(id, letter.event);
    return true;
  }

  /** The next thing that happens to the work for somebody: a worker takes it, or it ends; false when there is none. */
  advance(id: string, end: End): boolean {
    const { snapshot } = this.#resident(id);
    for (const [region, state] of Object.entries(seen(snapshot).value)) {
      const { dueAt, jobId } = stageOf(snapshot, region);
      const name = `${id} ${region}`;
      const at = this.#tick();
      if (state === 'PENDING' && dueAt !== null && dueAt <= at) {
        this.began.push(name);
        this.#send(id, { type: `${region}.dispatch`, at, job: `job-${at.getTime()}` });
        return true;
      }
      if (state !== 'PROCESSING') continue;
      if (this.cancelled) {
        // The worker looks before it tells anybody.
        const off = { code: 'ENVELOPE_CANCELLED', retryAt: at, final: true };
        this.#send(id, { type: `${region}.failed`, at, job: jobId, ...off });
        return true;
      }
      const kind = end === 'final' ? 'failed' : end;
      const fault = { code: 'NOTIFIER_DOWN', retryAt: at, final: end === 'final' };
      if (!this.ended.includes(name)) this.ended.push(name);
      this.#send(id, { type: `${region}.${kind}`, at, job: jobId, ...fault });
      return true;
    }
    return false;
  }

  /** An operator has whatever was given up for somebody tried again. */
  retry(id: string): void {
    for (const [region, state] of Object.entries(seen(this.#resident(id).snapshot).value)) {
      if (state === 'ERROR') this.#send(id, { type: `${region}.retry`, at: this.#tick() });
    }
  }

  /** Lets everything that is left happen, all well, but for what was given up. */
  settle(): void {
    for (let moved = true; moved; ) {
      moved = this.copy();
      moved ||= this.ids.some((id) => this.deliver(id));
      moved ||= this.ids.some((id) => this.advance(id, 'succeeded'));
    }
  }

  #tick(): Date {
    this.#at = later(this.#at);
    return this.#at;
  }

  #resident(id: string): Resident {
    const resident = this.#residents.get(id);
    if (!resident) throw new Error(`Nobody is called ${id}.`);
    return resident;
  }

  #send(id: string, event: object): void {
    const resident = this.#resident(id);
    const { snapshot, effects } = step(resident.machine, resident.snapshot as never, event as never);
    resident.snapshot = snapshot;
    for (const { type, params } of effects) {
      if (type !== 'tell') continue;
      const { childrenOf, event: told } = params as Tell;
      if (childrenOf !== id) throw new Error(`${id} writes to others than its children.`);
      this.circulars.push({ to: childrenOf, event: told });
    }
  }
}
