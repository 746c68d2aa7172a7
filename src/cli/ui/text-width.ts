import { stripVTControlCharacters } from 'node:util';

const ELLIPSIS = '…';
// Escape sequences of colours, which take no room on the screen.
const SGR = /\p{Cc}\[[0-9;]*m/uy;
const RESET = '\u001b[0m';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const PRINTABLE_ASCII = /^[ -~]*$/;
const NO_WIDTH = /^[\p{Mark}\p{Control}\p{Format}]/u;
const TWO_COLUMNS =
  /^[\p{Extended_Pictographic}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;

/** How many columns of a terminal a text takes; colours count for nothing, East Asian characters for two. */
export function textWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (PRINTABLE_ASCII.test(plain)) return plain.length;
  let width = 0;
  for (const { segment } of graphemes.segment(plain)) width += graphemeWidth(segment);
  return width;
}

/** The text cut to a width in columns, with an ellipsis in place of what is missing; colours stay and are ended. */
export function truncate(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width <= 0) return '';
  let used = 0;
  let kept = '';
  let coloured = false;
  for (let at = 0; at < text.length; ) {
    SGR.lastIndex = at;
    const sgr = SGR.exec(text)?.[0];
    const piece = sgr ?? firstGrapheme(text.slice(at));
    if (sgr === undefined) used += graphemeWidth(piece);
    else coloured = true;
    if (used > width - 1) break;
    kept += piece;
    at += piece.length;
  }
  return kept + ELLIPSIS + (coloured ? RESET : '');
}

/** The text filled with spaces to a width in columns, on the right or, aligned right, on the left. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'left' ? text + spaces : spaces + text;
}

function firstGrapheme(text: string): string {
  // A grapheme is rarely longer than a few code units; segmenting the whole rest each time would be quadratic.
  for (const { segment } of graphemes.segment(text.slice(0, 32))) return segment;
  return text;
}

function graphemeWidth(grapheme: string): number {
  if (NO_WIDTH.test(grapheme)) return 0;
  return TWO_COLUMNS.test(grapheme) && !/^[0-9#*©®™]/.test(grapheme) ? 2 : 1;
}
