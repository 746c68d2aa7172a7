import { LineReader } from '../../connectors/mt940/lines.ts';
import { lineBytesMaxDefault } from '../../connectors/mt940/parser.ts';
import type { SpoolBudget } from './spool-budget.ts';

/** Size of the pieces that a statement is kept and stored in. */
const PIECE_CHARS = 1024 * 1024;

/**
 * The text of an uploaded file, in pieces of whole lines. What arrives is decoded line by line as the parser does (UTF-8
 * or latin-1) and kept as UTF-8 with LF line ends, so line n of the file is line n here; the character U+0000, which
 * some file formats pad with and PostgreSQL cannot store, is left out.
 */
export class StatementFile {
  readonly pieces: Buffer[] = [];
  readonly #budget: SpoolBudget;
  #bytes = 0;

  /** @param budget that the pieces count against until {@link release} */
  constructor(budget: SpoolBudget) {
    this.#budget = budget;
  }

  /**
   * Keeps a file as it arrives, and gives each piece on.
   *
   * @throws Mt940Error MT940_LINE_TOO_LONG; HttpError 503 when uploads under way take all the memory they may
   */
  async *keep(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
    const lines = new LineReader('detect', lineBytesMaxDefault);
    let text = '';
    for await (const chunk of chunks) {
      for (const line of lines.push(chunk)) {
        text += `${line.replaceAll('\0', '')}\n`;
        if (text.length < PIECE_CHARS) continue;
        yield this.#keep(text);
        text = '';
      }
    }
    for (const line of lines.end()) text += `${line.replaceAll('\0', '')}\n`;
    if (text !== '') yield this.#keep(text);
  }

  /** Gives the memory back. */
  release(): void {
    this.#budget.give(this.#bytes);
    this.#bytes = 0;
    this.pieces.length = 0;
  }

  #keep(text: string): Buffer {
    const piece = Buffer.from(text, 'utf8');
    this.#budget.take(piece.length);
    this.#bytes += piece.length;
    this.pieces.push(piece);
    return piece;
  }
}
