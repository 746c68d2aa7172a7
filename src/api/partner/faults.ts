import { REQUEST_VALIDATION_ERROR, Refusal } from './message.ts';

/** A rule of the wire that an item of a request breaks. */
export interface Fault {
  /** Code on the wire. */
  readonly code: string;
  /** The rest of a sentence that begins with the item's name. */
  readonly why: string;
}

/**
 * The refusal of a list of which some items break rules: the code and the sentence of the first one, and every item
 * with its codes in `response_error_codes` (empty where nothing is wrong with it).
 *
 * @param what name of an item, and the id that tells which
 * @param payload the items on the wire, in the order of the request
 * @param faults the rules that each breaks, in the same order
 * @returns null when no item breaks a rule
 */
export function refusalOf(
  what: (index: number) => string,
  payload: readonly object[],
  faults: readonly (readonly Fault[])[],
): Refusal | null {
  const index = faults.findIndex((some) => some.length > 0);
  const first = faults[index]?.[0];
  if (!first) return null;
  return new Refusal(first.code, `${what(index)}: ${first.why}.`, {
    payload: payload.map((item, at) => ({
      ...item,
      response_error_codes: (faults[at] ?? []).map(({ code }) => code),
    })),
  });
}

/** Names an item of a list by its place and, where it has one, its id: `Envelope 2 of 3 (E-7)`. */
export const nameIn =
  (what: string, ids: readonly (string | null | undefined)[]) =>
  (index: number): string => {
    const id = ids[index];
    return `${what} ${index + 1} of ${ids.length}${id ? ` (${id})` : ''}`;
  };

/** @throws Refusal REQUEST_VALIDATION_ERROR when a request is about nothing */
export function requireItems(payload: readonly unknown[]): void {
  if (payload.length > 0) return;
  throw new Refusal(REQUEST_VALIDATION_ERROR, 'request_body.request_payload: must have at least one item.');
}

/** For every value of a list, how often the list has it. */
export function occurrences(
  values: readonly (string | null | undefined)[],
): (value: string | null | undefined) => number {
  const counts = new Map<string, number>();
  for (const value of values) if (typeof value === 'string') counts.set(value, (counts.get(value) ?? 0) + 1);
  return (value) => (typeof value === 'string' ? (counts.get(value) ?? 0) : 0);
}

/** PostgreSQL's word for a key that is there already. */
export const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '23505';
