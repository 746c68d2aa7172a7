const SHOWN_CHARACTERS_MAX = 500;
const QUOTED_CHARACTERS_MAX = 40;

/**
 * Text from outside on one line: control characters, which could end a line or steer a terminal, become spaces, and
 * what is too long is cut.
 *
 * @param charactersMax length of the result at most, in characters
 */
export function oneLine(text: string, charactersMax = SHOWN_CHARACTERS_MAX): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > charactersMax ? `${line.slice(0, charactersMax - 1)}…` : line;
}

/** A value from outside, to be named in a sentence: in quotes, short, on one line. */
export function quoted(text: string): string {
  return `"${oneLine(text, QUOTED_CHARACTERS_MAX)}"`;
}
