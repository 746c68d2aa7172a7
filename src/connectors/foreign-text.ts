/** Longest text of another system that is kept in a message, in UTF-16 units. */
const FOREIGN_CHARS_MAX = 300;

/** How much of a text is looked at to find what must be hidden, before it is cut. */
const READ_CHARS_MAX = 10_000;

/**
 * Makes text of another system fit for one line of a log and for a text column: control characters become spaces,
 * broken surrogates are replaced, what is too long is cut.
 *
 * @param text whatever the other side sent as its explanation
 * @param hidden account numbers and the like that the other side may repeat and a log must not
 * @returns one line without a full stop at its end; "no reason given" when nothing readable is left
 */
export function oneLine(text: string | null | undefined, hidden: Iterable<string> = []): string {
  let line = (text ?? '').slice(0, READ_CHARS_MAX);
  for (const secret of hidden) if (secret !== '') line = line.replaceAll(secret, '…');
  const clean = line
    .toWellFormed()
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return clean.slice(0, FOREIGN_CHARS_MAX).toWellFormed().replace(/\.$/, '') || 'no reason given';
}
