import { createHash } from 'node:crypto';
import { normaliseDecimal } from '../../decimal.ts';
import { Mt940Error } from './error.ts';
import { parseMt940 } from './parser.ts';
import type {
  Mt940Balance,
  Mt940Cut,
  Mt940Entry,
  Mt940Event,
  Mt940Header,
  Mt940Options,
  Mt940Source,
} from './types.ts';

/** In front of the content, so that a digest of another making can never be mistaken for this one. */
const version = 'mt940 content 1\n';
const bufferCharacters = 65_536;
const statementsMaxDefault = 10_000;

/** A statement of a file: one message, or several that go on from each other. */
export interface Mt940StatementSummary {
  /** SHA-256 in hexadecimal of what the statement says, see canonicalDigest. */
  digest: string;
  /** Where its text begins; it ends where the next one's begins, or with the file. */
  start: Mt940Cut;
  /** Line of the first :20:, from 1. */
  line: number;
  reference: string;
  account: string;
  statementNumber: string;
  /** Of the first message. */
  sequenceNumber: string | null;
  currency: string;
  opening: Mt940Balance;
  closing: Mt940Balance;
  entries: number;
}

export interface Mt940Summary {
  /** At least one, in the order of the file. */
  statements: Mt940StatementSummary[];
  /** Of all statements. */
  entries: number;
}

export interface SummaryOptions extends Mt940Options {
  /** Default 10,000; the summary lists each. */
  statementsMax?: number;
}

export interface CanonicalDigest {
  add(event: Mt940Event): void;
  /** SHA-256 in hexadecimal; ends the digest. */
  finish(): string;
}

/**
 * A digest of what the events say: headers, entries, closing balances. Line ends and numbers, trailing
 * spaces, byte order mark, encoding, SWIFT blocks, ignored tags and needless zeros in amounts have no part in it, so
 * the same statement exported or transferred another way has the same digest.
 */
export function canonicalDigest(): CanonicalDigest {
  const hash = createHash('sha256');
  let buffer = version;
  return {
    add(event) {
      buffer += `${JSON.stringify(content(event))}\n`;
      if (buffer.length < bufferCharacters) return;
      hash.update(buffer);
      buffer = '';
    },
    finish: () => hash.update(buffer).digest('hex'),
  };
}

/**
 * Reads a whole file without keeping its entries: refuses it as parseMt940 does, and says what it holds. A message with
 * an intermediate opening balance goes on with the statement before it, when account and number are the same.
 *
 * @throws Mt940Error with code, line and tag
 */
export async function summariseMt940(
  source: Mt940Source,
  options: SummaryOptions = {},
): Promise<Mt940Summary> {
  const statementsMax = options.statementsMax ?? statementsMaxDefault;
  const statements: Mt940StatementSummary[] = [];
  let draft: StatementDraft | null = null;
  let start: Mt940Cut = { line: 1, column: 0 };
  for await (const event of parseMt940(source, options)) {
    if (event.type === 'statement' && !draft?.goesOnWith(event.header)) {
      if (draft) statements.push(draft.finish());
      if (statements.length === statementsMax) throw tooMany(event.header, statementsMax);
      draft = new StatementDraft(event.header, start);
    }
    draft?.add(event);
    if (event.type === 'end') start = event.end.next;
  }
  if (draft) statements.push(draft.finish());
  return { statements, entries: statements.reduce((sum, { entries }) => sum + entries, 0) };
}

function tooMany({ line }: Mt940Header, statementsMax: number): Mt940Error {
  const reason = `the file has more than ${statementsMax} statements.`;
  return new Mt940Error('MT940_TOO_MANY_STATEMENTS', { line, tag: '20' }, reason);
}

/** A statement whose messages are being read. */
class StatementDraft {
  readonly #header: Mt940Header;
  readonly #start: Mt940Cut;
  readonly #digest = canonicalDigest();
  #closing: Mt940Balance;
  #entries = 0;

  constructor(header: Mt940Header, start: Mt940Cut) {
    this.#header = header;
    this.#start = start;
    this.#closing = header.opening;
  }

  goesOnWith({ account, statementNumber, opening }: Mt940Header): boolean {
    const { account: mine, statementNumber: number } = this.#header;
    const isOpen = this.#closing.intermediate && opening.intermediate;
    return isOpen && account === mine && statementNumber === number;
  }

  add(event: Mt940Event): void {
    this.#digest.add(event);
    if (event.type === 'entry') this.#entries += 1;
    if (event.type === 'end') this.#closing = event.end.closing;
  }

  finish(): Mt940StatementSummary {
    const { line, reference, account, statementNumber, sequenceNumber, opening } = this.#header;
    return {
      digest: this.#digest.finish(),
      start: this.#start,
      line,
      reference,
      account,
      statementNumber,
      sequenceNumber,
      currency: opening.currency,
      opening,
      closing: this.#closing,
      entries: this.#entries,
    };
  }
}

function content(event: Mt940Event): unknown[] {
  if (event.type === 'entry') return entryContent(event.entry);
  if (event.type === 'end') return ['end', balanceContent(event.end.closing), event.end.information];
  const { header } = event;
  return [
    'statement',
    header.reference,
    header.account,
    header.relatedReference,
    header.statementNumber,
    header.sequenceNumber,
    balanceContent(header.opening),
  ];
}

function balanceContent(balance: Mt940Balance): unknown[] {
  const { mark, date, currency, amount, intermediate } = balance;
  return [mark, date, currency, normaliseDecimal(amount), intermediate];
}

function entryContent(entry: Mt940Entry): unknown[] {
  return [
    'entry',
    entry.valueDate,
    entry.entryDate,
    entry.mark,
    entry.fundsCode,
    normaliseDecimal(entry.amount),
    entry.transactionType,
    entry.customerReference,
    entry.bankReference,
    entry.supplementaryDetails,
    entry.narrative,
  ];
}
