import { createHash } from 'node:crypto';
import { normaliseDecimal } from '../../decimal.ts';
import { Mt940Error } from './error.ts';
import { parseMt940 } from './parser.ts';
import type {
  Mt940Balance,
  Mt940End,
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

export interface Mt940StatementSummary {
  /** Line of :20:, from 1. */
  line: number;
  reference: string;
  account: string;
  statementNumber: string;
  sequenceNumber: string | null;
  currency: string;
  opening: Mt940Balance;
  closing: Mt940Balance;
  entries: number;
}

export interface Mt940Summary {
  /** SHA-256 in hexadecimal of what the file says, see canonicalDigest. */
  digest: string;
  statements: Mt940StatementSummary[];
  /** Of all statements. */
  entries: number;
}

export interface SummaryOptions extends Mt940Options {
  /** Default 10,000 messages; the summary lists each. */
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
 * Reads a whole file without keeping its entries: refuses it as parseMt940 does, and says what it holds.
 * @throws Mt940Error with code, line and tag
 */
export async function summariseMt940(
  source: Mt940Source,
  options: SummaryOptions = {},
): Promise<Mt940Summary> {
  const statementsMax = options.statementsMax ?? statementsMaxDefault;
  const digest = canonicalDigest();
  const statements: Mt940StatementSummary[] = [];
  let header: Mt940Header | null = null;
  let entries = 0;
  for await (const event of parseMt940(source, options)) {
    digest.add(event);
    if (event.type === 'statement') {
      header = event.header;
      if (statements.length < statementsMax) continue;
      const place = { line: header.line, tag: '20' };
      const reason = `the file has more than ${statementsMax} statements.`;
      throw new Mt940Error('MT940_TOO_MANY_STATEMENTS', place, reason);
    }
    if (event.type === 'entry') entries += 1;
    else if (header !== null) statements.push(summary(header, event.end));
  }
  return { digest: digest.finish(), statements, entries };
}

function summary(header: Mt940Header, end: Mt940End): Mt940StatementSummary {
  return {
    line: header.line,
    reference: header.reference,
    account: header.account,
    statementNumber: header.statementNumber,
    sequenceNumber: header.sequenceNumber,
    currency: header.opening.currency,
    opening: header.opening,
    closing: end.closing,
    entries: end.entries,
  };
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
