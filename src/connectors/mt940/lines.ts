import { isUtf8 } from 'node:buffer';
import { Mt940Error } from './error.ts';
import type { Mt940Encoding } from './types.ts';

const lf = 0x0a;
const cr = 0x0d;

/**
 * Turns chunks that are cut anywhere into lines, holding at most one line. Lines end in LF, CR LF, CR alone
 * (old Macintosh exports) or CR CR LF (files that went through a text-mode transfer twice). A byte order
 * mark at the start is dropped.
 */
export class LineReader {
  /** Number of the line last given, from 1. */
  number = 0;
  private readonly lineBytesMax: number;
  private encoding: Mt940Encoding | 'detect';
  private carried: Buffer[] = [];
  private carriedBytes = 0;
  private nonAscii = false;
  /** Carriage returns seen after `held` and not yet known to belong to a CR LF. */
  private returns = 0;
  private held = '';
  private trailingSurrogate = '';

  constructor(encoding: Mt940Encoding | 'detect', lineBytesMax: number) {
    this.encoding = encoding;
    this.lineBytesMax = lineBytesMax;
  }

  /**
   * Yields the lines that this chunk completes, without their line ends.
   * @throws Mt940Error MT940_LINE_TOO_LONG, MT940_BAD_ENCODING
   */
  *push(chunk: Uint8Array | string): Generator<string, void, undefined> {
    const bytes = this.toBytes(chunk);
    const length = bytes.length;
    let start = 0;
    for (let at = 0; at < length; at += 1) {
      const byte = bytes[at] as number;
      if (this.returns > 0) {
        if (byte === cr) {
          this.returns += 1;
          continue;
        }
        if (byte === lf) this.returns = 1;
        yield* this.release();
        start = byte === lf ? at + 1 : at;
        if (byte === lf) continue;
      }
      if (byte === lf) {
        yield this.line(bytes, start, at);
        start = at + 1;
      } else if (byte === cr) {
        this.held = this.line(bytes, start, at);
        this.returns = 1;
      } else if (byte >= 0x80) {
        this.nonAscii = true;
      }
    }
    if (this.returns === 0) this.carry(bytes, start);
  }

  /** Yields what the last chunk left without a line end. */
  *end(): Generator<string, void, undefined> {
    if (this.returns > 0) yield* this.release();
    if (this.carriedBytes > 0) yield this.line(Buffer.alloc(0), 0, 0);
  }

  /** The held line, then one empty line for each further carriage return. */
  private *release(): Generator<string, void, undefined> {
    const blanks = this.returns - 1;
    this.returns = 0;
    yield this.held;
    for (let count = 0; count < blanks; count += 1) {
      this.number += 1;
      yield '';
    }
  }

  /** Text is UTF-8 from here on; the first half of a character that the cut split waits for the second. */
  private toBytes(chunk: Uint8Array | string): Buffer {
    if (typeof chunk !== 'string') return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.encoding = 'utf-8';
    let text = this.trailingSurrogate + chunk;
    const last = text.charCodeAt(text.length - 1);
    this.trailingSurrogate = last >= 0xd800 && last <= 0xdbff ? text.slice(-1) : '';
    if (this.trailingSurrogate !== '') text = text.slice(0, -1);
    return Buffer.from(text, 'utf8');
  }

  /** Copies, since the owner of a chunk may reuse its memory. */
  private carry(bytes: Buffer, start: number): void {
    if (start >= bytes.length) return;
    this.carried.push(Buffer.from(bytes.subarray(start)));
    this.carriedBytes += bytes.length - start;
    if (this.carriedBytes > this.lineBytesMax) this.refuseLength();
  }

  private line(bytes: Buffer, start: number, end: number): string {
    if (this.carriedBytes + end - start > this.lineBytesMax) this.refuseLength();
    this.number += 1;
    const nonAscii = this.nonAscii;
    this.nonAscii = false;
    if (this.carriedBytes === 0) {
      return nonAscii ? this.decode(bytes.subarray(start, end)) : bytes.toString('latin1', start, end);
    }
    const whole = Buffer.concat([...this.carried, bytes.subarray(start, end)]);
    this.carried = [];
    this.carriedBytes = 0;
    return nonAscii ? this.decode(whole) : whole.toString('latin1');
  }

  /** By line and not by file: banks cut long UTF-8 lines inside a character, which spoils one line only. */
  private decode(line: Buffer): string {
    const marked = this.number === 1 && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf;
    const bytes = marked ? line.subarray(3) : line;
    if (this.encoding === 'latin-1') return bytes.toString('latin1');
    if (isUtf8(bytes)) return bytes.toString('utf8');
    if (this.encoding === 'detect') return bytes.toString('latin1');
    const place = { line: this.number, tag: null };
    throw new Mt940Error('MT940_BAD_ENCODING', place, 'the line is not valid UTF-8.');
  }

  private refuseLength(): never {
    const place = { line: this.number + 1, tag: null };
    throw new Mt940Error('MT940_LINE_TOO_LONG', place, `the line has more than ${this.lineBytesMax} bytes.`);
  }
}
