import { BATCH_REGIONS, type BatchRegion, type BenefitType, batchMachine } from '../../src/machines/batch.ts';
import { type EnvelopeEvent, type EnvelopeRegion, envelopeMachine } from '../../src/machines/envelope.ts';
import type { Tell } from '../../src/machines/stage.ts';
import { type Effect, later, newBatch, newEnvelope, run, START, seen, stageOf, step } from './records.ts';

/**
 * An envelope and its batches with the post between them, as durable messages work: sent with the transition that
 * causes them, handled one at a time, each actor's in the order they were sent, and otherwise whenever it suits.
 */

interface Letter {
  /** A batch, the envelope, or null while it is still to be copied for every batch. */
  readonly to: number | 'envelope' | null;
  readonly event: { readonly type: string; readonly at: Date };
}

/** How a piece of work ends. */
export type End = 'succeeded' | 'refused' | 'failed' | 'final';

const PAYMENT = 'sponsor_bank_dispatch';

export class Town {
  envelope = newEnvelope();
  readonly batches: ReturnType<typeof newBatch>[] = [];
  /** Permissions to pay as the envelope sent them: to one batch, by its number, or to all. */
  readonly permissions: (number | 'all')[] = [];
  /** Batches whose question the envelope has taken before and after the funds were blocked. */
  readonly asked = { before: [] as number[], after: [] as number[] };
  /** Batches whose payment was handed to a worker. */
  readonly paying = new Set<number>();
  #post: Letter[] = [];
  #at = START;
  #jobs = 0;

  /** All batches have been received, and the day has come. */
  constructor(batches: number, benefitType: BenefitType) {
    const declared = { number_of_disbursements: batches, total_disbursement_quantity: String(batches) };
    this.envelope = run(
      envelopeMachine,
      newEnvelope({ ...declared, benefit_type: benefitType, funds_due_from: START }),
      [
        { type: 'created', at: START },
        ...Array.from(
          { length: batches },
          () => ({ type: 'batch_received', at: START, count: 1, quantity: '1' }) as const,
        ),
      ],
    ).snapshot;
    for (let n = 0; n < batches; n += 1) {
      const record = newBatch(benefitType, 3, `batch-${n}`);
      this.batches.push(step(batchMachine, record, { type: 'received', at: START }).snapshot);
    }
  }

  get isCancelled(): boolean {
    return seen(this.envelope).value.cancellation === 'Cancelled';
  }

  state(batch: number, region: BatchRegion = PAYMENT): string {
    return seen(this.batches[batch]).value[region] ?? '';
  }

  /** Whether a batch may be, is being or has been paid. */
  isPermitted(batch: number): boolean {
    const waits = this.state(batch) === 'PENDING' && stageOf(this.batches[batch], PAYMENT).dueAt === null;
    return !waits && this.state(batch) !== 'NOT_APPLICABLE';
  }

  /** A person cancels; tells whether the envelope accepted, in which case its batches know at the same moment. */
  cancel(): boolean {
    const before = this.envelope;
    const at = this.#tick();
    this.#tellEnvelope({ type: 'cancel', at });
    if (this.envelope === before) return false;
    for (const n of this.batches.keys()) this.#tellBatch(n, { type: 'cancel', at });
    return true;
  }

  /** The next thing that happens to a batch's own work; false when there is none. */
  advanceBatch(n: number, end: End): boolean {
    const batch = this.batches[n];
    if (!batch) return false;
    for (const region of BATCH_REGIONS) {
      const event = this.#work(batch, region, end, ['PENDING'], 'PROCESSING');
      if (!event) continue;
      if (region === PAYMENT && event.type.endsWith('.dispatch')) this.paying.add(n);
      this.#tellBatch(n, event);
      return true;
    }
    return false;
  }

  /** The next thing that happens to the envelope's funds; false when there is none. */
  advanceFunds(end: End): boolean {
    const regions: readonly (readonly [EnvelopeRegion, readonly string[]])[] = [
      ['funds_available', ['PENDING_CHECK', 'FUNDS_NOT_AVAILABLE']],
      ['funds_blocked', ['PENDING_CHECK', 'FUNDS_BLOCK_FAILURE']],
      ['funds_released', ['PENDING']],
    ];
    for (const [region, waiting] of regions) {
      const working = region === 'funds_released' ? 'PROCESSING' : 'CHECK_IN_PROGRESS';
      const event = this.#work(this.envelope, region, end, waiting, working);
      if (!event) continue;
      this.#tellEnvelope(event as EnvelopeEvent);
      return true;
    }
    return false;
  }

  /** Delivers the next letter to an actor, or copies the next circular (null); false when there is none. */
  deliver(to: number | 'envelope' | null): boolean {
    const next = this.#post.findIndex((letter) => letter.to === to);
    const [letter] = next === -1 ? [] : this.#post.splice(next, 1);
    if (!letter) return false;
    const event = { ...letter.event, at: this.#tick() };
    if (to === null) this.#post.push(...this.batches.map((_, n) => ({ to: n, event: letter.event })));
    else if (to === 'envelope') this.#tellEnvelope(event as EnvelopeEvent);
    else this.#tellBatch(to, event);
    return true;
  }

  /** Lets everything that is left happen, all well; no tick is needed but for "not enough funds". */
  settle(): void {
    const post = ['envelope', null, ...this.batches.keys()] as const;
    for (let moved = true; moved; ) {
      moved = post.some((to) => this.deliver(to));
      moved ||= [...this.batches.keys()].some((n) => this.advanceBatch(n, 'succeeded'));
      moved ||= this.advanceFunds('succeeded');
    }
  }

  #tick(): Date {
    this.#at = later(this.#at);
    return this.#at;
  }

  #work(snapshot: unknown, region: string, end: End, waiting: readonly string[], working: string) {
    const state = seen(snapshot).value[region] ?? '';
    const { dueAt, jobId } = stageOf(snapshot, region);
    const at = this.#tick();
    this.#jobs += 1;
    if (waiting.includes(state) && dueAt !== null)
      return { type: `${region}.dispatch`, at, job: `job-${this.#jobs}` };
    if (state === 'ERROR') return { type: `${region}.retry`, at };
    if (state !== working) return null;
    const type = end === 'final' ? 'failed' : end;
    return {
      type: `${region}.${type}`,
      at,
      job: jobId,
      code: 'C',
      retryAt: at,
      reference: 'B',
      notify: false,
      final: end === 'final',
    };
  }

  #tellBatch(n: number, event: Letter['event']): void {
    const batch = this.batches[n];
    if (!batch) return;
    const { snapshot, effects } = step(batchMachine, batch, event as never);
    this.batches[n] = snapshot;
    this.#collect(effects);
  }

  #tellEnvelope(event: EnvelopeEvent): void {
    const blocked = seen(this.envelope).value.funds_blocked === 'FUNDS_BLOCK_SUCCESS';
    if (event.type === 'batch_ready') this.asked[blocked ? 'after' : 'before'].push(numberOf(event.batch));
    const { snapshot, effects } = step(envelopeMachine, this.envelope, event);
    this.envelope = snapshot;
    this.#collect(effects);
  }

  #collect(effects: readonly Effect[]): void {
    for (const { type, params } of effects) {
      if (type !== 'tell') continue;
      const { to, id, event } = params as Tell;
      // Notifications are another story.
      if (to === 'geo') continue;
      const addressee = to === 'envelope' ? 'envelope' : id === undefined ? null : numberOf(id);
      if (event.type === `${PAYMENT}.due`)
        this.permissions.push(addressee === null ? 'all' : Number(addressee));
      this.#post.push({ to: addressee, event });
    }
  }
}

const numberOf = (batch: string): number => Number(batch.replace('batch-', ''));
