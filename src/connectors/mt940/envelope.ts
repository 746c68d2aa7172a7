import { Mt940Error, shown } from './error.ts';

/** What stands around the messages of a file: SWIFT blocks and the first lines of bank exports. */

const dollar = 0x24;
const space = 0x20;

/**
 * Reads SWIFT blocks on one line: `{1:…}{2:…}{3:…}{4:`, or after the end of a message `{5:…}`, with the
 * padding of the DOS-PCC and RJE file formats between them. Only the message type in block 2 matters.
 * @returns the text behind `{4:`, or null when no text block opens on this line.
 * @throws Mt940Error MT940_BAD_ENVELOPE; MT940_NOT_MT940 when block 2 announces another message type
 */
export function readBlocks(text: string, line: number): string | null {
  let rest = afterPadding(text);
  while (rest !== '') {
    if (rest.startsWith('{4:')) return rest.slice(3);
    if (!/^\{[1-5S]:/.test(rest)) throw badEnvelope(rest, line);
    const type = /^\{2:[IO]([0-9]{3})/.exec(rest)?.[1];
    if (type !== undefined && type !== '940') {
      const reason = `the message is an MT${type}, not an MT940.`;
      throw new Mt940Error('MT940_NOT_MT940', { line, tag: null }, reason);
    }
    rest = afterPadding(rest.slice(blockLength(rest, line)));
  }
  return null;
}

/**
 * Where the blocks in front of a message begin on a line that may also hold those behind the message before.
 * @param text as readBlocks takes it; what that refuses has no such place.
 * @returns characters before the first of `{1:` to `{4:`, or null when there is none.
 */
export function headerStart(text: string): number | null {
  let at = text.length - afterPadding(text).length;
  while (at < text.length) {
    if (/^\{[1-4]:/.test(text.slice(at, at + 3))) return at;
    const length = closedLength(text.slice(at));
    if (length === null) return null;
    at += length;
    at += text.length - at - afterPadding(text.slice(at)).length;
  }
  return null;
}

/** True for a line that some Dutch exports put before `:20:`: a BIC, `940`, `940 00`, `0000 01<BIC>00001`. */
export function isPreamble(text: string): boolean {
  return /^940(?: [0-9]{2})?$/.test(text) || /^(?:0000 01)?[A-Z]{6}[A-Z0-9]{2,6}(?:[0-9]{5})?$/.test(text);
}

/**
 * The line without trailing spaces, and without the control characters that file formats around MT940 put
 * at the start and end of lines: SOH and ETX (DOS-PCC), NUL padding, Ctrl-Z at the end of the file.
 */
export function withoutPadding(line: string): string {
  let start = 0;
  while (line.charCodeAt(start) < space && start < line.length) start += 1;
  let end = line.length;
  while (end > start && line.charCodeAt(end - 1) <= space) end -= 1;
  return end - start === line.length ? line : line.slice(start, end);
}

/** Blocks may be parted by spaces, control characters and the `$` of RJE files. */
function afterPadding(text: string): string {
  let start = 0;
  while (text.charCodeAt(start) <= space || text.charCodeAt(start) === dollar) start += 1;
  return text.slice(start);
}

function blockLength(text: string, line: number): number {
  const length = closedLength(text);
  if (length === null) throw badEnvelope(text, line);
  return length;
}

/** Characters up to and including the brace that closes the block at the start of the text, if one does. */
function closedLength(text: string): number | null {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return null;
}

function badEnvelope(text: string, line: number): Mt940Error {
  const reason = `${shown(text)} is not a complete SWIFT block.`;
  return new Mt940Error('MT940_BAD_ENVELOPE', { line, tag: null }, reason);
}
