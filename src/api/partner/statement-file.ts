import { LineReader } from '../../connectors/mt940/lines.ts';
import { lineBytesMaxDefault } from '../../connectors/mt940/parser.ts';
import type { Mt940Cut } from '../../connectors/mt940/types.ts';
import type { SpoolBudget } from './spool-budget.ts';

/** Decoded at once: little, so that what is made on the way is gone before the garbage collector takes it for lasting. */
const SLICE_BYTES = 8 * 1024;

const LF = 0x0a;

/** A part of the text of a statement. */
export interface StatementPiece {
  /** Which of the statements, from 0. */
  readonly statement: number;
  readonly text: string;
}

/** Text is kept in blocks of this size, so that keeping it leaves no garbage. */
const BLOCK_BYTES = 64 * 1024;

/**
 * The text of an uploaded file, kept in memory. What arrives is decoded line by line as the parser does (UTF-8 or
 * latin-1) and kept as UTF-8 with LF line ends, so line n of the file is line n here; the character U+0000, which some
 * file formats pad with and PostgreSQL cannot store, is left out.
 */
export class StatementFile {
  readonly #budget: SpoolBudget;
  /** Each filled with whole lines; the last one is being filled. */
  readonly #blocks: { readonly memory: Buffer; filled: number }[] = [];
  /** Of the text. */
  #bytes = 0;
  /** Of the memory, taken from the budget. */
  #heldBytes = 0;

  /** @param budget that the file counts against until {@link release} */
  constructor(budget: SpoolBudget) {
    this.#budget = budget;
  }

  /**
   * Keeps a file as it arrives, and gives on whole lines of it as they are complete.
   *
   * @throws Mt940Error MT940_LINE_TOO_LONG; HttpError 503 when uploads under way take all the memory they may
   */
  async *keep(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
    const lines = new LineReader('detect', lineBytesMaxDefault);
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += SLICE_BYTES)
        yield this.#keep(lines.push(chunk.subarray(at, at + SLICE_BYTES)));
    }
    yield this.#keep(lines.end());
  }

  /**
   * What has been kept, statement by statement, each in pieces of at most 64 KiB or the longest line.
   *
   * @param starts where the statements begin, in the order of the file, the first one at its start
   */
  *pieces(starts: readonly Mt940Cut[]): Generator<StatementPiece> {
    const ends = [...(starts.length > 1 ? this.#offsets(starts).slice(1) : []), this.#bytes];
    let statement = 0;
    let offset = 0;
    for (const { memory, filled } of this.#blocks) {
      const blockEnd = offset + filled;
      for (let at = 0; at < filled; ) {
        const end = ends[statement] ?? this.#bytes;
        const to = Math.min(end, blockEnd) - offset;
        yield { statement, text: memory.toString('utf8', at, to) };
        at = to;
        if (end <= blockEnd) statement += 1;
      }
      offset = blockEnd;
    }
  }

  /** Gives the memory back. */
  release(): void {
    this.#budget.give(this.#heldBytes);
    this.#heldBytes = 0;
    this.#blocks.length = 0;
  }

  /** Where places in the text are, in bytes from its start. */
  #offsets(cuts: readonly Mt940Cut[]): number[] {
    const offsets: number[] = [];
    let line = 1;
    let before = 0;
    for (const { memory, filled } of this.#blocks) {
      if (offsets.length === cuts.length) break;
      for (let at = 0; at < filled; line += 1) {
        const end = memory.indexOf(LF, at);
        for (let cut = cuts[offsets.length]; cut?.line === line; cut = cuts[offsets.length]) {
          const ahead = memory.toString('utf8', at, end).slice(0, cut.column);
          offsets.push(before + at + Buffer.byteLength(ahead));
        }
        at = end + 1;
      }
      before += filled;
    }
    return offsets;
  }

  #keep(lines: Iterable<string>): Buffer {
    let text = '';
    for (const line of lines) text += `${line.replaceAll('\0', '')}\n`;
    const bytes = Buffer.byteLength(text);
    const block = this.#blockWith(bytes);
    const from = block.filled;
    block.filled += block.memory.write(text, from, 'utf8');
    this.#bytes += bytes;
    return block.memory.subarray(from, block.filled);
  }

  #blockWith(bytes: number): { readonly memory: Buffer; filled: number } {
    const last = this.#blocks.at(-1);
    if (last && last.memory.length - last.filled >= bytes) return last;
    const size = Math.max(bytes, BLOCK_BYTES);
    this.#budget.take(size);
    this.#heldBytes += size;
    const block = { memory: Buffer.allocUnsafeSlow(size), filled: 0 };
    this.#blocks.push(block);
    return block;
  }
}
