import type { Mt940Structured, Mt940Subfield } from './types.ts';

const lineCharacters = 65;
const separators = '?~<>^/|@+&';
const opening = new RegExp(`^ *([0-9]{3})([${separators.replace(/[\^/?|+]/g, '\\$&')}])[0-9]{2}`);

/**
 * Takes a structured :86: apart: three digits of transaction code, then parts that each start with a
 * separator and two digits, `166?00GUTSCHRIFT?20EREF+7?32A SMITH`. The separator is any of `?~<>^/|@+&`;
 * the one after the code holds for the whole. Parts run on over line ends, which fall anywhere. A plain
 * `?20…` without code is read too. Layout of codes: DFÜ agreement of the German banks, annex 3, field 86.
 * @param lines as in the file, with trailing spaces, which may be part of a word gap
 * @returns null when the text is not built so.
 */
export function readSubfields(lines: readonly string[]): Mt940Structured | null {
  const from = lines.findIndex((line) => opening.test(line));
  if (from === -1) {
    if (!/^\?[0-9]{2}/.test(lines[0] ?? '')) return null;
    return { transactionCode: null, subfields: split(joined(lines, 0), '?') };
  }
  const [, transactionCode = '', separator = ''] = opening.exec(lines[from] ?? '') ?? [];
  const text = joined(lines, from).trimStart().slice(transactionCode.length);
  const subfields = split(text, separator);
  // One other separator with two digits is more likely a date or a house number than a structure.
  return separator !== '?' && subfields.length < 2 ? null : { transactionCode, subfields };
}

/** Padding beyond the 65 characters of a line is never content. */
function joined(lines: readonly string[], from: number): string {
  return lines
    .slice(from)
    .map((line) => (line.length > lineCharacters ? line.trimEnd() : line))
    .join('');
}

function split(text: string, separator: string): Mt940Subfield[] {
  const subfields: Mt940Subfield[] = [];
  for (let at = 0; at < text.length; ) {
    let next = at + 3;
    while (next < text.length && !startsSubfield(text, next, separator)) next += 1;
    subfields.push({ code: text.slice(at + 1, at + 3), text: text.slice(at + 3, next).trimEnd() });
    at = next;
  }
  return subfields;
}

function startsSubfield(text: string, at: number, separator: string): boolean {
  return text[at] === separator && isDigit(text, at + 1) && isDigit(text, at + 2);
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}
