import { ProblemError } from './problem.ts';
import { line, moment } from './wire/common.ts';

/** What a place in a list is made of: the values that the list is ordered by; a moment is ISO 8601 in UTC. */
export type CursorShape = readonly ('text' | 'number' | 'moment')[];

/** The values of a shape, in its order. */
export type CursorValues<S extends CursorShape> = {
  readonly [K in keyof S]: S[K] extends 'number' ? number : string;
};

/** Says where a page ended, as text that callers hand back unread. */
export function encodeCursor(values: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/**
 * Reads what {@link encodeCursor} wrote.
 *
 * @param text as it was handed back; left out: the first page is asked for
 * @param shape of the values that the list is ordered by
 * @returns null for the first page
 * @throws ProblemError CURSOR_INVALID
 */
export function decodeCursor<const S extends CursorShape>(
  text: string | undefined,
  shape: S,
): CursorValues<S> | null {
  if (text === undefined) return null;
  const values = parsed(text);
  const fits =
    Array.isArray(values) &&
    values.length === shape.length &&
    values.every((value, n) => CHECKS[shape[n] ?? 'text'](value));
  if (fits) return values as unknown as CursorValues<S>;
  throw new ProblemError(
    400,
    'CURSOR_INVALID',
    'The cursor is none of this list; hand back what the page before gave as next_cursor.',
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}

/** What the database takes for each. */
const CHECKS: Readonly<Record<CursorShape[number], (value: unknown) => boolean>> = {
  number: (value) => Number.isSafeInteger(value),
  text: (value) => line(1_000).safeParse(value).success,
  moment: (value) => moment.safeParse(value).success,
};
