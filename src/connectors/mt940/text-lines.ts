import { Mt940Error } from './error.ts';

/**
 * The lines of one field that may have many. Empty lines count only when text follows them, so line n stays
 * line n while blank lines at the end of a field, or of the file, are nothing.
 */
export class TextLines {
  private readonly linesMax: number;
  private readonly lines: string[] = [];
  private blanks = 0;

  constructor(linesMax: number) {
    this.linesMax = linesMax;
  }

  /**
   * @param place of the line, for the refusal
   * @throws Mt940Error MT940_TOO_MANY_LINES
   */
  add(text: string, place: { line: number; tag: string }): void {
    if (text.trim() === '') {
      this.blanks += 1;
      return;
    }
    if (this.lines.length + this.blanks >= this.linesMax) {
      throw new Mt940Error('MT940_TOO_MANY_LINES', place, `the field has more than ${this.linesMax} lines.`);
    }
    for (; this.blanks > 0; this.blanks -= 1) this.lines.push('');
    this.lines.push(text);
  }

  /** As in the file, trailing spaces included. */
  raw(): readonly string[] {
    return this.lines;
  }

  /** Without trailing spaces. */
  trimmed(): string[] {
    return this.lines.map((line) => line.trimEnd());
  }
}
