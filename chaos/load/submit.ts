import type { DisbursementPayload } from '../../src/cli/partner-messages.ts';
import { asObject } from '../../src/cli/partner-messages.ts';
import type { Submitted, Violation } from '../contract.ts';
import type { Decision, Partner } from './partner.ts';
import type { PlannedBatch, PlannedEnvelope } from './plan.ts';

/** The API refused what it must take. */
export class RefusedError extends Error {
  readonly violation: Violation;

  constructor(envelopeId: string, path: string, { code, message }: Decision) {
    super(`Envelope ${envelopeId}: ${path} was refused, ${code}: ${message}`);
    this.violation = {
      invariant: 'The API takes what is right, however often it is sent.',
      found: this.message,
      at: new Date(),
    };
  }
}

type Cancellation = Submitted['cancellation'];

/**
 * Submits one envelope to its end, each request until it is answered.
 *
 * @param onDisbursements told how many have been acknowledged by each request
 * @returns what was acknowledged
 * @throws RefusedError; what the partner throws
 */
export async function submitEnvelope(
  partner: Partner,
  plan: PlannedEnvelope,
  onDisbursements: (count: number) => void,
): Promise<Submitted> {
  const { envelope, program, batches } = plan;
  const acknowledged = new Map<string, { readonly beneficiary: string; readonly quantity: string }>();
  const cancelled = new Set<string>();
  let cancellation: Cancellation = 'no';
  let requests = 0;

  const must = async (path: string, body: Parameters<Partner['decide']>[1]): Promise<void> => {
    const times = plan.repeats(requests++) ? 2 : 1;
    for (let n = 0; n < times; n += 1) {
      const decision = await partner.decide(path, body);
      if (!decision.accepted) throw new RefusedError(envelope.id, path, decision);
    }
  };
  const send = async ({ id, disbursements }: PlannedBatch): Promise<void> => {
    await must('/create_disbursements', {
      request_payload: disbursements,
      disbursement_batch_control_id: id,
    });
    for (const one of disbursements) {
      acknowledged.set(one.disbursement_id, {
        beneficiary: one.beneficiary_id,
        quantity: one.disbursement_quantity,
      });
    }
    onDisbursements(disbursements.length);
  };
  const cancelEnvelopeAfter = async (sent: number): Promise<void> => {
    const planned = plan.cancellation;
    if (planned.kind !== 'envelope' || planned.afterBatches !== sent) return;
    cancellation = await cancelEnvelope(partner, envelope.id);
  };

  await must('/create_disbursement_envelopes', { request_payload: [envelope] });
  await cancelEnvelopeAfter(0);
  for (const [n, batch] of batches.entries()) {
    if (cancellation !== 'no') break;
    await send(batch);
    if (n === 0 && plan.cancellation.kind === 'some') {
      for (const id of await cancelSome(partner, plan.cancellation.ids)) cancelled.add(id);
      const instead = replacements(batch, cancelled);
      if (instead) await send(instead);
    }
    await cancelEnvelopeAfter(n + 1);
  }
  return {
    envelopeId: envelope.id,
    program,
    cycle: envelope.cycle_code_mnemonic,
    disbursements: acknowledged,
    cancelled,
    cancellation,
  };
}

async function cancelEnvelope(partner: Partner, id: string): Promise<Cancellation> {
  const decision = await partner.decide('/cancel_disbursement_envelope', { request_payload: [{ id }] });
  if (decision.accepted) return 'yes';
  // The payment was faster. An earlier try that nobody answered may be under way still, and find the envelope differently.
  if (decision.code !== 'DISBURSEMENT_ENVELOPE_SCHEDULE_DATE_REACHED') {
    throw new RefusedError(id, '/cancel_disbursement_envelope', decision);
  }
  return decision.unansweredBefore ? 'perhaps' : 'no';
}

/** @returns those that were cancelled; the others have gone too far */
async function cancelSome(partner: Partner, ids: readonly string[]): Promise<readonly string[]> {
  const decision = await partner.decide('/cancel_disbursements', {
    request_payload: ids.map((disbursement_id) => ({ disbursement_id })),
  });
  const items = Array.isArray(decision.payload) ? decision.payload : [];
  return items.flatMap((item: unknown) => {
    const { disbursement_id: id, cancellation_status: status } = asObject(item) ?? {};
    return status === 'CANCELLED' && typeof id === 'string' ? [id] : [];
  });
}

/** The same quantities to the same people, as a batch of their own, so that the envelope becomes complete. */
function replacements(
  { id, disbursements }: PlannedBatch,
  cancelled: ReadonlySet<string>,
): PlannedBatch | null {
  const again: readonly DisbursementPayload[] = disbursements
    .filter((one) => cancelled.has(one.disbursement_id))
    .map((one) => ({ ...one, disbursement_id: `${one.disbursement_id}-again` }));
  return again.length === 0 ? null : { id: `${id}-again`, disbursements: again };
}
