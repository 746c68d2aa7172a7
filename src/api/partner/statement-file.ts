import { LineReader } from '../../connectors/mt940/lines.ts';
import { lineBytesMaxDefault } from '../../connectors/mt940/parser.ts';
import type { SpoolBudget } from './spool-budget.ts';

/** Size of the pieces that a statement is stored in. */
const PIECE_BYTES = 1024 * 1024;

/**
 * The text of an uploaded file, kept in memory. What arrives is decoded line by line as the parser does (UTF-8 or
 * latin-1) and kept as UTF-8 with LF line ends, so line n of the file is line n here; the character U+0000, which some
 * file formats pad with and PostgreSQL cannot store, is left out.
 */
export class StatementFile {
  readonly #budget: SpoolBudget;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

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
    for await (const chunk of chunks) yield this.#keep(lines.push(chunk));
    yield this.#keep(lines.end());
  }

  /** What has been kept, in pieces of whole lines and about a megabyte each. */
  *pieces(): Generator<string> {
    let piece: Buffer[] = [];
    let bytes = 0;
    for (const chunk of this.#chunks) {
      piece.push(chunk);
      bytes += chunk.length;
      if (bytes < PIECE_BYTES) continue;
      yield Buffer.concat(piece).toString('utf8');
      piece = [];
      bytes = 0;
    }
    if (bytes > 0) yield Buffer.concat(piece).toString('utf8');
  }

  /** Gives the memory back. */
  release(): void {
    this.#budget.give(this.#bytes);
    this.#bytes = 0;
    this.#chunks.length = 0;
  }

  #keep(lines: Iterable<string>): Buffer {
    let text = '';
    for (const line of lines) text += `${line.replaceAll('\0', '')}\n`;
    const chunk = Buffer.from(text, 'utf8');
    this.#budget.take(chunk.length);
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    return chunk;
  }
}
