import { Mt940Error } from './error.ts';
import { readStatementNumber } from './fields.ts';
import type { Mt940Balance, Mt940Header } from './types.ts';

/** The fields that one header slot may come from, by tag. */
const slots: Readonly<Record<string, 'reference' | 'related' | 'account' | 'number'>> = {
  '20': 'reference',
  '21': 'related',
  '25': 'account',
  '25P': 'account',
  '28': 'number',
  '28C': 'number',
};

/** The tags of a message from :20: to the opening balance; banks differ in their order. */
export class HeaderDraft {
  private readonly line: number;
  private readonly values = new Map<string, { text: string; line: number; tag: string }>();

  constructor(line: number) {
    this.line = line;
  }

  static has(tag: string): boolean {
    return Object.hasOwn(slots, tag);
  }

  /** @throws Mt940Error MT940_BAD_TAG when empty, MT940_UNEXPECTED_TAG when there already */
  set(tag: string, text: string, line: number): void {
    const slot = slots[tag] ?? tag;
    const place = { line, tag };
    if (text === '') throw new Mt940Error('MT940_BAD_TAG', place, 'the field is empty.');
    if (this.values.has(slot)) {
      throw new Mt940Error('MT940_UNEXPECTED_TAG', place, 'the message has this field already.');
    }
    this.values.set(slot, { text, line, tag });
  }

  /** @throws Mt940Error MT940_MISSING_TAG, MT940_BAD_TAG */
  finish(opening: Mt940Balance, line: number): Mt940Header {
    const number = this.values.get('number');
    if (number === undefined) throw missing('28C', 'statement number', line);
    return {
      line: this.line,
      reference: this.required('reference', '20', line),
      account: this.required('account', '25', line),
      relatedReference: this.values.get('related')?.text ?? null,
      ...readStatementNumber(number.text, number),
      opening,
    };
  }

  private required(slot: string, tag: string, line: number): string {
    const value = this.values.get(slot);
    if (value === undefined) throw missing(tag, slot, line);
    return value.text;
  }
}

function missing(tag: string, what: string, line: number): Mt940Error {
  const reason = `the opening balance follows without the ${what}; :${tag}: is missing.`;
  return new Mt940Error('MT940_MISSING_TAG', { line, tag }, reason);
}
