import { BalanceCheck } from './balances.ts';
import { EntryDraft } from './entry.ts';
import { headerStart, isPreamble, readBlocks, withoutPadding } from './envelope.ts';
import { Mt940Error, type Mt940ErrorCode, shown } from './error.ts';
import { readBalance } from './fields.ts';
import { HeaderDraft } from './header.ts';
import { TextLines } from './text-lines.ts';
import type { Mt940Balance, Mt940Cut, Mt940Event, Mt940Header } from './types.ts';

export interface MessageRules {
  checkBalances: boolean;
  narrativeLinesMax: number;
  /** See Mt940Options. */
  isPart: boolean;
}

/** Tags that say nothing we need: times, floor limits, available balances, sums, bank-proprietary text. */
const ignoredTags = new Set(['13', '13C', '13D', '34F', '64', '65', '90C', '90D', '940', 'NS']);

/**
 * Where a file can be. `outside`: before a message. `header`: from :20: until the opening balance.
 * `entries`: until the closing balance. `closed`: after it, until the end of the message.
 */
type State = 'outside' | 'header' | 'entries' | 'closed';

/** Makes events out of lines: the grammar of a message, one line at a time. */
export class MessageReader {
  private readonly rules: MessageRules;
  private readonly balances = new BalanceCheck();
  private readonly events: Mt940Event[] = [];
  private state: State = 'outside';
  private line = 0;
  /** The tag that a line without one continues. */
  private tag: string | null = null;
  private draft = new HeaderDraft(0);
  private header: Mt940Header | null = null;
  private entry: EntryDraft | null = null;
  private entries = 0;
  private closing: { balance: Mt940Balance; line: number } | null = null;
  private information: TextLines;
  /** A SWIFT text block `{4:` is open and wants its `-}`. */
  private blockOpen = false;
  private begun: boolean;

  constructor(rules: MessageRules) {
    this.rules = rules;
    this.information = new TextLines(rules.narrativeLinesMax);
    this.begun = rules.isPart;
  }

  /** The next event, if a line has made one. */
  take(): Mt940Event | undefined {
    return this.events.shift();
  }

  /** @throws Mt940Error */
  accept(line: string, number: number): void {
    this.line = number;
    const text = withoutPadding(line);
    const first = text.charAt(0);
    if (text === '') this.acceptBlank();
    else if (first === ':' && this.acceptTag(line, text)) return;
    else if (first === '-' && this.acceptTerminator(line, text)) return;
    else if (first === '{' || first === '$') this.acceptBraces(line, text);
    else this.acceptText(line, text);
  }

  /**
   * Says that the file ends here, after line `number`.
   * @throws Mt940Error MT940_TRUNCATED inside a message, MT940_NOT_MT940 when there was none
   */
  end(number: number): void {
    this.line = Math.max(number, 1);
    if (this.state === 'header' || this.state === 'entries') {
      this.refuse('MT940_TRUNCATED', 'the file ends before the closing balance :62F:.');
    }
    if (this.blockOpen && !this.rules.isPart)
      this.refuse('MT940_TRUNCATED', 'the file ends before the -} of a SWIFT message.');
    this.finish();
    if (!this.begun) this.refuse('MT940_NOT_MT940', 'the file holds no statement.', null);
  }

  /** Empty lines are nothing, except inside a narrative, where line n must stay line n. */
  private acceptBlank(): void {
    if (this.tag === '86') this.addNarrative('');
  }

  /**
   * False when the line is text that happens to start with a colon, as where a bank cut a narrative at 65
   * characters; a tag that lost its second colon is not taken for one.
   */
  private acceptTag(line: string, text: string): boolean {
    const tag = /^:([0-9]{2}[A-Z]?|940|[A-Z]{2}[A-Z0-9]?):/.exec(text)?.[1];
    if (tag === undefined) {
      if (this.tag === '86' && !/^:(?:13|2[0158]|6[01245]|86)/.test(text)) return false;
      this.refuse(this.begun ? 'MT940_BAD_TAG' : 'MT940_NOT_MT940', `${shown(text)} is not a tag.`, null);
    }
    this.tag = tag;
    const start = tag.length + 2;
    const content = text.slice(start).trim();
    if (tag === '20') this.begin(content);
    else if (tag === '61') this.acceptEntry(content);
    else if (tag === '86') this.acceptNarrative(line.slice(line.indexOf(':') + start));
    else if (tag === '60F' || tag === '60M') this.acceptOpening(content, tag);
    else if (tag === '62F' || tag === '62M') this.acceptClosing(content, tag);
    else if (HeaderDraft.has(tag)) this.acceptHeader(content, tag);
    else this.acceptIgnored(tag);
    return true;
  }

  /** :20: also ends the message before, since many banks write no terminator. */
  private begin(reference: string): void {
    if (this.state === 'header') this.refuse('MT940_UNEXPECTED_TAG', 'the message has this tag already.');
    if (this.state === 'entries') this.refuseMissing('62F', 'the message before has no closing balance');
    this.finish();
    this.begun = true;
    this.state = 'header';
    this.tag = '20';
    this.draft = new HeaderDraft(this.line);
    this.draft.set('20', reference, this.line);
  }

  private acceptHeader(content: string, tag: string): void {
    if (this.state === 'outside') this.refuseMissing('20', 'a message starts with its reference');
    if (this.state !== 'header') this.refuse('MT940_UNEXPECTED_TAG', 'this tag belongs before :60F:.');
    this.draft.set(tag, content, this.line);
  }

  private acceptOpening(content: string, tag: '60F' | '60M'): void {
    if (this.state === 'outside') this.refuseMissing('20', 'a message starts with its reference');
    if (this.state !== 'header') this.refuse('MT940_UNEXPECTED_TAG', 'the message has an opening balance.');
    const read = readBalance(content, { line: this.line, tag }, null);
    const header = this.draft.finish({ ...read, intermediate: tag === '60M' }, this.line);
    if (this.rules.checkBalances) this.balances.open(header.account, header.opening, this.line);
    this.header = header;
    this.entries = 0;
    this.information = new TextLines(this.rules.narrativeLinesMax);
    this.state = 'entries';
    this.events.push({ type: 'statement', header });
  }

  private acceptEntry(content: string): void {
    if (this.state === 'outside') this.refuseMissing('20', 'an entry stands outside a message');
    if (this.state === 'header') this.refuseMissing('60F', 'an entry stands before the opening balance');
    if (this.state === 'closed') this.refuse('MT940_UNEXPECTED_TAG', 'an entry follows the closing balance.');
    this.finishEntry();
    this.entry = new EntryDraft(content, this.line, this.rules.narrativeLinesMax);
  }

  /** Several :86: of one entry, as some Dutch and Polish banks write, are one narrative. */
  private acceptNarrative(text: string): void {
    if (this.state === 'outside') this.refuseMissing('20', 'a narrative stands outside a message');
    if (this.state === 'header') this.refuseMissing('60F', 'a narrative stands before the opening balance');
    this.addNarrative(text);
  }

  private acceptClosing(content: string, tag: '62F' | '62M'): void {
    if (this.state === 'outside') this.refuseMissing('20', 'a closing balance stands outside a message');
    if (this.header === null) this.refuseMissing('60F', 'the message has no opening balance');
    if (this.state === 'closed') this.refuse('MT940_UNEXPECTED_TAG', 'the message has a closing balance.');
    this.finishEntry();
    const opened = this.header.opening.currency;
    const place = { line: this.line, tag };
    const balance = { ...readBalance(content, place, opened), intermediate: tag === '62M' };
    if (balance.currency !== opened) {
      const reason = `the closing balance is in ${balance.currency}, the opening balance in ${opened}.`;
      throw new Mt940Error('MT940_CURRENCY_MISMATCH', place, reason);
    }
    if (this.rules.checkBalances) this.balances.close(balance, this.entries, this.line);
    this.closing = { balance, line: this.line };
    this.state = 'closed';
  }

  private acceptIgnored(tag: string): void {
    if (!ignoredTags.has(tag)) this.refuse('MT940_UNEXPECTED_TAG', 'MT940 has no such tag.');
    if (this.state === 'outside' && tag !== '940') this.refuseMissing('20', 'a tag stands outside a message');
  }

  /** `-`, `-}` with SWIFT blocks behind it, or `-XXX`. False when the line is text that starts with a dash. */
  private acceptTerminator(line: string, text: string): boolean {
    if (text !== '-' && text !== '-XXX' && !text.startsWith('-}')) return false;
    if (this.state === 'header') this.refuseMissing('60F', 'the message ends without a balance');
    if (this.state === 'entries') this.refuseMissing('62F', 'the message ends without a closing balance');
    if (!this.begun) this.refuse('MT940_NOT_MT940', 'the file does not start with a statement.', null);
    const header = text.startsWith('-}') ? headerStart(text.slice(2)) : null;
    if (header === null) this.finish({ line: this.line + 1, column: 0 });
    else this.finish({ line: this.line, column: line.indexOf('-}') + 2 + header });
    this.blockOpen = false;
    if (text.startsWith('-}')) this.acceptBlocks(text.slice(2));
    return true;
  }

  /** SWIFT blocks stand anywhere on lines of their own; the `$` between RJE messages only between messages. */
  private acceptBraces(line: string, text: string): void {
    const between = this.state === 'outside' || this.state === 'closed';
    if (/^\$?\{[1-5S]:/.test(text) || (between && text === '$')) this.acceptBlocks(text);
    else this.acceptText(line, text);
  }

  private acceptBlocks(text: string): void {
    if (this.state === 'header') this.refuseMissing('60F', 'the message ends without a balance');
    if (this.state === 'entries') this.refuseMissing('62F', 'the message ends without a closing balance');
    this.finish();
    const content = readBlocks(text, this.line);
    if (content === null) return;
    this.blockOpen = true;
    if (content === '') return;
    if (!content.startsWith(':')) this.refuse('MT940_UNEXPECTED_TEXT', `${shown(content)} is no tag.`, null);
    this.accept(content, this.line);
  }

  /** A line that is neither tag nor end continues the field before it, where that field may have more. */
  private acceptText(line: string, text: string): void {
    if (this.tag === '86') this.addNarrative(line);
    else if (this.tag === '61' && this.entry !== null) this.entry.addSupplementary(text, this.line);
    else if (this.tag !== null && (ignoredTags.has(this.tag) || this.tag === '25P')) return;
    else if (this.state === 'outside' || this.state === 'closed') this.acceptPreamble(text);
    else this.refuse('MT940_UNEXPECTED_TEXT', `${shown(text)} follows a field of one line.`);
  }

  private acceptPreamble(text: string): void {
    if (isPreamble(text)) this.finish();
    else if (this.begun) this.refuse('MT940_UNEXPECTED_TEXT', `${shown(text)} is neither a tag nor an end.`);
    else this.refuse('MT940_NOT_MT940', `the file starts with ${shown(text)}, not with a statement.`, null);
  }

  /** Before the closing balance :86: belongs to the entry, after it (or before any entry) to the statement. */
  private addNarrative(text: string): void {
    if (this.entry !== null) this.entry.addNarrative(text, this.line);
    else this.information.add(text, { line: this.line, tag: '86' });
  }

  private finishEntry(): void {
    if (this.entry === null) return;
    this.entries += 1;
    const entry = this.entry.finish(this.entries);
    this.entry = null;
    if (this.rules.checkBalances) this.balances.add(entry.mark, entry.amount);
    this.events.push({ type: 'entry', entry });
  }

  /**
   * Ends the message, if there is one; its closing balance has been read.
   * @param next where what follows begins: with the line that shows that the message has ended, unless told otherwise
   */
  private finish(next: Mt940Cut = { line: this.line, column: 0 }): void {
    this.tag = null;
    this.state = 'outside';
    if (this.closing === null) return;
    const { balance, line } = this.closing;
    const information = this.information.trimmed();
    const end = { line, closing: balance, entries: this.entries, information, next };
    this.events.push({ type: 'end', end });
    this.closing = null;
    this.header = null;
  }

  private refuse(code: Mt940ErrorCode, sentence: string, tag: string | null = this.tag): never {
    throw new Mt940Error(code, { line: this.line, tag }, sentence);
  }

  private refuseMissing(tag: string, reason: string): never {
    throw new Mt940Error('MT940_MISSING_TAG', { line: this.line, tag }, `${reason}; :${tag}: is missing.`);
  }
}
