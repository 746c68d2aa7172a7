import type { Screen } from '../../src/cli/ui.ts';

/**
 * A terminal that understands what a live view writes: text, line feeds, carriage returns, cursor up, erase below,
 * colours. It is tall enough never to scroll, and wraps lines at its width as real ones do.
 */
export class Terminal implements Screen {
  readonly isTTY = true;
  columns: number;
  readonly rows: number;
  readonly #lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows = 24) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    for (const [token] of text.matchAll(/\p{Cc}\[\d*[A-Za-z]|\r|\n|\P{Cc}/gu)) this.#take(token);
  }

  /** What is to be seen, without empty lines at the end. */
  text(): string[] {
    const lines = this.#lines.map((cells) => cells.join('').trimEnd());
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  #take(token: string): void {
    if (token === '\n') this.#moveTo(this.#row + 1, 0);
    else if (token === '\r') this.#column = 0;
    else if (token.startsWith('\u001b[')) this.#control(token);
    else this.#put(token);
  }

  #control(token: string): void {
    const count = Number(/\d+/.exec(token)?.[0] ?? 1);
    if (token.endsWith('A')) this.#moveTo(Math.max(0, this.#row - count), this.#column);
    else if (token.endsWith('J')) {
      this.#lines.length = this.#row + 1;
      this.#lines[this.#row]?.splice(this.#column);
    } else if (!token.endsWith('m')) throw new Error(`The terminal does not know ${JSON.stringify(token)}.`);
  }

  #put(character: string): void {
    if (this.#column >= this.columns) this.#moveTo(this.#row + 1, 0);
    const line = this.#lines[this.#row] ?? [];
    while (line.length < this.#column) line.push(' ');
    line[this.#column] = character;
    this.#column += 1;
  }

  #moveTo(row: number, column: number): void {
    while (this.#lines.length <= row) this.#lines.push([]);
    this.#row = row;
    this.#column = column;
  }
}

/** A stream that is no terminal and keeps what is written. */
export class Log implements Screen {
  text = '';

  write(text: string): void {
    this.text += text;
  }
}
