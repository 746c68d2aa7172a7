import { setTimeout as delay } from 'node:timers/promises';
import { asObject, countIn, type JsonObject } from '../../src/cli/partner-messages.ts';
import { isCash } from '../../src/machines/benefit-type.ts';
import type { Load, Submitted, Violation, World } from '../contract.ts';
import { createPartner, type Partner } from './partner.ts';
import { planEnvelope } from './plan.ts';
import { RefusedError, submitEnvelope } from './submit.ts';

/** How hard the world is loaded. */
export interface LoadOptions {
  /** The same seed submits the same envelopes, as far as their number goes. */
  readonly seed: number;
  /** Envelopes that are under way at the same time. */
  readonly envelopesAtOnce?: number;
  /** Most disbursements of one envelope; sizes are chosen up to it. */
  readonly disbursementsPerEnvelope?: number;
  /** Ends by itself after so many envelopes. */
  readonly envelopesMax?: number;
}

const ENVELOPES_AT_ONCE = 6;
const DISBURSEMENTS_PER_ENVELOPE = 150;
/**
 * The next envelope is begun when one has come through, or after so long: the work that waits is bounded, and an outage does
 * not end the load.
 */
const HELD_MAX_MS = 15_000;
const LOOK_MS = 250;
/** A load that is refused so often proves nothing more. */
const VIOLATIONS_MAX = 20;

/**
 * Begins to submit envelopes of all programs in turn, and goes on through all faults until stopped. What comes of time-outs
 * and lost answers is left to the API: the same request is made until it is answered.
 */
export function startLoad(world: World, options: LoadOptions): Load {
  const atOnce = options.envelopesAtOnce ?? ENVELOPES_AT_ONCE;
  const plans = {
    seed: options.seed,
    disbursementsMax: options.disbursementsPerEnvelope ?? DISBURSEMENTS_PER_ENVELOPE,
  };
  const partner = createPartner(world.apiUrl, atOnce, (path, why, times) =>
    world.timeline.note('repeated', path, { why, times }),
  );
  const halt = new AbortController();
  const submitted: Submitted[] = [];
  const violations: Violation[] = [];
  const progress = { envelopes: 0, disbursements: 0 };
  let next = 0;

  const submitOne = async (n: number): Promise<void> => {
    const plan = planEnvelope(world, plans, n);
    const { id } = plan.envelope;
    try {
      const done = await submitEnvelope(partner, plan, (count) => {
        progress.disbursements += count;
      });
      submitted.push(done);
      progress.envelopes += 1;
      world.timeline.note('submitted', id, {
        benefit_type: done.program.benefitType,
        disbursements: done.disbursements.size,
        cancelled: done.cancelled.size,
        cancellation: done.cancellation,
      });
      if (done.cancellation === 'no') await seeThrough(partner, done, halt.signal);
    } catch (error) {
      violations.push(violationOf(id, error));
      world.timeline.note('refused', id, { why: String(error) });
      if (violations.length >= VIOLATIONS_MAX) halt.abort();
    }
  };
  const work = async (): Promise<void> => {
    while (!halt.signal.aborted && next < (options.envelopesMax ?? Number.POSITIVE_INFINITY)) {
      await submitOne(next++);
    }
  };
  const working = Promise.all(Array.from({ length: atOnce }, work));
  return {
    progress,
    violations,
    async stop() {
      halt.abort();
      await working;
      await partner.close();
      return submitted;
    },
  };
}

function violationOf(envelopeId: string, error: unknown): Violation {
  if (error instanceof RefusedError) return error.violation;
  const found = `Envelope ${envelopeId}: ${error instanceof Error ? error.message : String(error)}`;
  return { invariant: 'The API answers in the end.', found, at: new Date() };
}

/** Waits until an envelope has come through, for a while. */
async function seeThrough(partner: Partner, envelope: Submitted, signal: AbortSignal): Promise<void> {
  const until = performance.now() + HELD_MAX_MS;
  while (!signal.aborted && performance.now() < until) {
    const status = await partner.ask('/get_disbursement_envelope_status', {
      request_payload: envelope.envelopeId,
      pagination_request: { current_page: 1, page_size: 1 },
    });
    const payload = asObject(asObject(status?.response_body)?.response_payload);
    if (payload !== null && isThrough(envelope, payload)) return;
    await delay(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

function isThrough({ program, disbursements, cancelled }: Submitted, status: JsonObject): boolean {
  const column = isCash(program.benefitType)
    ? 'number_of_disbursements_reconciled'
    : 'no_of_beneficiaries_notified';
  return (countIn(status, column) ?? 0) >= disbursements.size - cancelled.size;
}
