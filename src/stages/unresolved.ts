import { codeOf, isFinal, messageOf, notBeforeOf } from '../runtime/errors.ts';
import type { Outcome } from '../runtime/stage.ts';

/** Unresolved disbursements that a message names at most. */
const NAMED_MAX = 5;

/** A disbursement that the outside knew nothing of, and why. */
export interface Unresolved {
  readonly disbursementId: string;
  readonly code: string;
}

/** What an attempt to resolve a batch left open. */
export interface LeftOpen {
  readonly batchId: string;
  /** Disbursements that were asked for. */
  readonly asked: number;
  readonly unresolved: readonly Unresolved[];
  /** What the outside itself failed with. */
  readonly faults: readonly unknown[];
}

/**
 * The outcome of an attempt that could not resolve everything: names the batch and the first few disbursements. The
 * outside's own fault explains more than the number it left open, so its code goes first, and decides whether another
 * attempt can help. Where nothing but an outage stood in the way the rest is postponed.
 *
 * @param code when the outside answered and knew nothing
 * @param lack what the disbursements are without, as in "have no address"
 */
export function unresolvedFault(
  code: string,
  lack: string,
  { batchId, asked, unresolved, faults }: LeftOpen,
): Extract<Outcome, { kind: 'failed' | 'refused' | 'postponed' }> {
  const named = unresolved
    .slice(0, NAMED_MAX)
    .map(({ disbursementId, code: why }) => `${disbursementId} (${why})`);
  const rest = unresolved.length - named.length;
  const list = named.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  const left = `${unresolved.length} of ${asked} disbursements of batch ${batchId} ${lack}: ${list}.`;
  const [fault] = faults;
  if (fault === undefined) return { kind: 'failed', code, message: left };
  const rejected = { code: codeOf(fault, code), message: `${messageOf(fault)} ${left}` };
  const until = outageUntil(faults);
  return until
    ? { kind: 'postponed', until, ...rejected }
    : { kind: 'failed', final: isFinal(fault), ...rejected };
}

/** Until when all is to wait if every fault is an outage; the first ones met it before it was known for one. */
function outageUntil(faults: readonly unknown[]): Date | null {
  const isOutage = (fault: unknown) => fault instanceof Error && 'notBefore' in fault;
  if (!faults.every(isOutage)) return null;
  const times = faults.flatMap((fault) => notBeforeOf(fault)?.getTime() ?? []);
  return times.length === 0 ? null : new Date(Math.max(...times));
}
