import { readStatementLine, type StatementLine } from './fields.ts';
import { readSubfields } from './subfields.ts';
import { TextLines } from './text-lines.ts';
import type { Mt940Entry } from './types.ts';

/** One :61: with the lines that follow it, collected until the next entry or the closing balance. */
export class EntryDraft {
  private readonly line: number;
  private readonly fields: StatementLine;
  private readonly supplementary: TextLines;
  private readonly narrative: TextLines;

  /** @throws Mt940Error as readStatementLine */
  constructor(text: string, line: number, linesMax: number) {
    this.line = line;
    this.supplementary = new TextLines(linesMax);
    this.narrative = new TextLines(linesMax);
    this.fields = readStatementLine(text, { line, tag: '61' });
    if (this.fields.overflow !== null) this.addSupplementary(this.fields.overflow, line);
  }

  /** A line between :61: and :86:. @throws Mt940Error MT940_TOO_MANY_LINES */
  addSupplementary(text: string, line: number): void {
    this.supplementary.add(text, { line, tag: '61' });
  }

  /** A line of :86:, with its trailing spaces. @throws Mt940Error MT940_TOO_MANY_LINES */
  addNarrative(text: string, line: number): void {
    this.narrative.add(text, { line, tag: '86' });
  }

  finish(sequence: number): Mt940Entry {
    const { overflow: _, ...fields } = this.fields;
    const supplementary = this.supplementary.trimmed();
    return {
      line: this.line,
      sequence,
      ...fields,
      supplementaryDetails: supplementary.length === 0 ? null : supplementary.join('\n'),
      narrative: this.narrative.trimmed(),
      structured: readSubfields(this.narrative.raw()),
    };
  }
}
