import { type EnvelopeEvent, type EnvelopeFacts, envelopeMachine } from '../../src/machines/envelope.ts';
import { type Effect, later, newEnvelope, START, seen, stageOf, step } from './records.ts';

/**
 * An envelope, the bank at which its money is blocked, and the workers between them. Amounts are whole numbers. The
 * books say what the partner, the bank and the workers have done; they are kept without a look at the envelope.
 */

/** Money that the bank has set apart. */
export interface Block {
  readonly reference: string;
  readonly amount: number;
  readonly key: number;
  /** How often the bank was told to give it back. */
  freed: number;
}

/** How an attempt ends; `lost`: the bank has done it, and its answer did not come back. */
export const ENDS = [
  'succeeded',
  'refused',
  'failed',
  'lost',
  'unsent',
  'final',
  'postponed',
  'stale',
] as const;
export type End = (typeof ENDS)[number];

const REGIONS = ['funds_available', 'funds_blocked', 'funds_released'] as const;
type Region = (typeof REGIONS)[number];

/** A worker read the amount, or which block it is about, when it took the job. */
interface Job {
  readonly region: Region;
  readonly id: string;
  readonly amount: number;
  readonly reference: string | null;
  key: number | null;
}

export interface Totals {
  readonly count: number;
  readonly quantity: number;
}

export class Treasury {
  envelope;
  declared: Totals;
  received: Totals = { count: 0, quantity: 0 };
  dueFrom = START;
  cancelled = false;
  readyBatches = 0;
  /** The block that is to pay, by the answers that came; the one that is to go back, until the bank has said so. */
  current: Block | null = null;
  goingBack: Block | null = null;
  /** A block was asked for, and the answer is not there. */
  inTheDark = false;
  readonly blocks: Block[] = [];
  /** What the bank had blocked last, whenever a batch was permitted to be paid. */
  readonly permissions: { readonly block: Block | undefined; readonly declared: number }[] = [];
  at = START;
  #jobs: Job[] = [];
  #numbers = 0;

  constructor(declared: Totals) {
    this.declared = declared;
    this.envelope = newEnvelope({
      number_of_disbursements: declared.count,
      total_disbursement_quantity: String(declared.quantity),
      funds_due_from: START,
    });
    this.send({ type: 'created', at: START });
  }

  get facts(): EnvelopeFacts {
    return seen(this.envelope).context.facts as unknown as EnvelopeFacts;
  }

  state(region: string): string {
    return seen(this.envelope).value[region] ?? '';
  }

  /** Sends an event; tells whether it changed the envelope. */
  send(event: EnvelopeEvent): boolean {
    const { snapshot, effects } = step(envelopeMachine, this.envelope, event);
    const taken = snapshot !== this.envelope;
    this.envelope = snapshot;
    if (effects.some(isPermission))
      this.permissions.push({ block: this.blocks.at(-1), declared: this.declared.quantity });
    return taken;
  }

  tick(): Date {
    this.at = later(this.at);
    return this.at;
  }

  /** The next thing that happens to a region: it is handed to a worker, or the worker goes on, or a person helps. */
  advance(region: Region, end: End): boolean {
    const job = this.#jobs.find((one) => one.region === region);
    if (job) {
      this.#goOn(job, end);
      return true;
    }
    const { dueAt, jobId } = stageOf(this.envelope, region);
    if (this.state(region) === 'ERROR') return this.#help(region, end);
    if (dueAt === null || jobId !== null) return false;
    this.#numbers += 1;
    const id = `job-${this.#numbers}`;
    const reference = this.facts.funds_released_reference_number;
    const amount = Number(this.facts.total_disbursement_quantity);
    if (!this.send({ type: `${region}.dispatch`, at: this.tick(), job: id })) return false;
    this.#jobs.push({ region, id, reference, amount, key: null });
    return true;
  }

  /** Lets everything that is left happen, all well. */
  settle(): void {
    while (REGIONS.some((region) => this.advance(region, 'succeeded')));
  }

  #help(region: Region, end: End): boolean {
    const at = this.tick();
    if (region !== 'funds_released' || end !== 'final') return this.send({ type: `${region}.retry`, at });
    // The bank was telephoned.
    this.#free(this.facts.funds_released_reference_number);
    this.goingBack = null;
    const released = this.send({ type: 'funds_released.release', at });
    this.#nextGoesBack();
    return released;
  }

  #goOn(job: Job, end: End): void {
    const owns = stageOf(this.envelope, job.region).jobId === job.id;
    if (job.region === 'funds_blocked' && job.key === null) {
      const { submission } = stageOf(this.envelope, 'funds_blocked');
      const taken = owns && this.send({ type: 'funds_blocked.submitting', at: this.tick(), job: job.id });
      // Told that nobody waits for it, a worker sends nothing.
      if (!taken) this.#drop(job);
      else this.#asks(job, submission);
      return;
    }
    this.#drop(job);
    // Nobody misses a worker whose work was given to another one.
    if (!owns && end === 'stale') return;
    if (job.region === 'funds_available') this.#result(job, end, {});
    else if (job.region === 'funds_blocked') this.#block(job, end);
    else this.#release(job, end, owns);
  }

  #asks(job: Job, key: number): void {
    job.key = key;
    this.inTheDark = true;
  }

  #drop(job: Job): void {
    this.#jobs = this.#jobs.filter((one) => one !== job);
  }

  #block({ region, id, amount, key }: Job, end: End): void {
    const known = this.blocks.find((block) => block.key === key);
    const made = known ?? { reference: `BLOCK-${key}`, amount, key: key ?? 0, freed: 0 };
    const job = { region, id };
    if (!known && ['refused', 'unsent', 'failed', 'final', 'postponed', 'stale'].includes(end)) {
      this.#result(job, end, {});
      // Only these two say that the bank has blocked nothing; a failure may be anything.
      if (end === 'refused' || end === 'unsent') this.inTheDark = false;
      return;
    }
    if (!known) this.blocks.push(made);
    if (made.amount !== amount) throw new Error('Two amounts were sent under one key.');
    if (end === 'lost' || end === 'stale' || end === 'postponed') {
      this.#result(job, end, {});
      return;
    }
    this.current = made;
    this.inTheDark = false;
    this.#result(job, 'succeeded', { reference: made.reference });
    if (this.cancelled) this.#nextGoesBack();
  }

  #release({ region, id, reference }: Job, end: End, owns: boolean): void {
    if (end === 'succeeded' || end === 'lost') this.#free(reference);
    if (end === 'succeeded' && owns) this.goingBack = null;
    this.#result({ region, id }, end, {});
    this.#nextGoesBack();
  }

  /** After a cancellation everything goes back, one at a time. */
  #nextGoesBack(): void {
    if (!this.cancelled || this.goingBack !== null) return;
    if (this.current && this.current.freed === 0) this.goingBack = this.current;
  }

  #free(reference: string | null): void {
    const block = this.blocks.find((one) => one.reference === reference);
    if (!block) throw new Error(`The bank knows no block ${reference}.`);
    block.freed += 1;
  }

  #result({ region, id }: Pick<Job, 'region' | 'id'>, end: End, more: object): void {
    const at = this.tick();
    const kind = { lost: 'failed', unsent: 'failed', final: 'failed' }[end as string] ?? end;
    const fault = { code: 'FAULT', retryAt: at, final: end === 'final', unsent: end === 'unsent' };
    this.send({ type: `${region}.${kind}`, at, job: id, ...fault, ...more } as unknown as EnvelopeEvent);
  }
}

const isPermission = ({ params }: Effect): boolean =>
  (params as { readonly event?: { readonly type: string } }).event?.type === 'sponsor_bank_dispatch.due';
