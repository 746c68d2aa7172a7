import type { ResolveAnswer, ResolveErrorCode, ResolveRequest } from './mapper-connector.ts';
import { type ResolveItem, resolveItem, resolveItemReference } from './spar-wire.ts';

/** What came under one reference id: a readable item, or null for one that is not of the agreed form. */
type Received = ResolveItem | null;

/**
 * Puts a mapper's answers in order: one result per request, in the order of the requests, whatever was left out,
 * repeated, reordered, added or garbled on the way.
 *
 * @param requests with unique reference ids
 * @param items the elements of `resolve_response`, unchecked; those nobody asked for are dropped
 */
export function matchAnswers(
  requests: readonly ResolveRequest[],
  items: readonly unknown[],
): readonly ResolveAnswer[] {
  const received = new Map<string, Received[]>(requests.map((request) => [request.referenceId, []]));
  for (const item of items) {
    const reference = resolveItemReference.safeParse(item);
    if (reference.success)
      received.get(reference.data.reference_id)?.push(resolveItem.safeParse(item).data ?? null);
  }
  return requests.map((request) => answerFor(request, received.get(request.referenceId) ?? []));
}

function answerFor(request: ResolveRequest, received: readonly Received[]): ResolveAnswer {
  const [item] = received;
  if (item === undefined) return failed(request, 'FA_NOT_ANSWERED', 'The mapper left the beneficiary out.');
  if (item === null || received.includes(null)) {
    return failed(request, 'FA_BAD_ANSWER', "The mapper's answer is not of the agreed form.");
  }
  if (received.some((other) => !sameAnswer(item, other))) {
    return failed(request, 'FA_AMBIGUOUS', 'The mapper gave several different answers.');
  }
  if (item.id !== request.beneficiaryId) {
    return failed(request, 'FA_MISMATCHED', 'The mapper answered about another beneficiary.');
  }
  if (item.status === 'rjct') return rejected(request, item);
  const fa = item.fa ?? '';
  if (fa === '') return failed(request, 'FA_REFUSED', 'The mapper reports success but gives no address.');
  const { name, code } = item.account_provider_info ?? {};
  return { ...request, fa, providerName: name ?? null, providerCode: code ?? null, error: null };
}

function sameAnswer(item: ResolveItem, other: Received): boolean {
  return other !== null && other.id === item.id && other.status === item.status && other.fa === item.fa;
}

/** A refusal keeps the mapper's own reason code where that is fit to be one. */
function rejected(request: ResolveRequest, item: ResolveItem): ResolveAnswer {
  const given = item.status_reason_code ?? '';
  const code = /^[\w.:-]{1,100}$/.test(given) ? given : 'FA_REFUSED';
  return failed(request, code, 'The mapper has no address for the beneficiary.');
}

function failed(
  request: ResolveRequest,
  code: ResolveErrorCode | (string & {}),
  message: string,
): ResolveAnswer {
  return { ...request, fa: null, providerName: null, providerCode: null, error: { code, message } };
}
