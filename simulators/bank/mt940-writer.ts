/**
 * Writes MT940 customer statements, the way a bank's back office exports them: one message without SWIFT
 * blocks, CRLF lines, `-` at the end. Field formats are those of the SWIFT MT940 message specification
 * (:20: 16x, :25: 35x, :28C: 5n/5n, :60F: and :62F: 1!a6!n3!a15d,
 * :61: 6!n[4!n]2a15d1!a3!c16x[//16x] with 34x on the next line, :86: 6*65x).
 */

/** C: in the account holder's favour. D: the account is overdrawn. */
export type BalanceMark = 'C' | 'D';

export interface StatementBalance {
  mark: BalanceMark;
  /** YYYY-MM-DD, 1980 to 2079: the wire has two-digit years. */
  date: string;
  /** Unsigned exact decimal, for example `1200.50`. */
  amount: string;
}

export interface StatementEntry {
  /** YYYY-MM-DD. */
  valueDate: string;
  /** YYYY-MM-DD, within 180 days of the value date: the wire has no year for it. */
  entryDate?: string;
  /** D debit, C credit, RD reversal of a debit, RC reversal of a credit. */
  mark: 'D' | 'C' | 'RD' | 'RC';
  /** Unsigned exact decimal, written with the decimals it has. */
  amount: string;
  /** For example `NTRF`. */
  transactionType: string;
  /** Cut to 16 characters; empty is written `NONREF`. */
  customerReference: string;
  bankReference?: string;
  supplementaryDetails?: string;
  /** At most six lines, each cut to 65 characters so that line n stays line n. */
  narrative: readonly string[];
}

export interface StatementHead {
  reference: string;
  account: string;
  statementNumber: string;
  sequenceNumber: string;
  currency: string;
  opening: StatementBalance;
  closing: StatementBalance;
}

export interface Statement extends StatementHead {
  entries: Iterable<StatementEntry>;
}

export interface StreamedStatement extends StatementHead {
  entries: AsyncIterable<StatementEntry> | Iterable<StatementEntry>;
}

/** A value that MT940 has no way to carry. `code` never changes; `field` names the part of the statement. */
export class Mt940WriteError extends Error {
  readonly code = 'MT940_NOT_REPRESENTABLE';
  readonly field: string;

  constructor(field: string, reason: string) {
    super(`The statement cannot be written as MT940: ${field} ${reason}.`);
    this.name = 'Mt940WriteError';
    this.field = field;
  }
}

const eol = '\r\n';
const referenceCharactersMax = 16;
const accountCharactersMax = 35;
const amountCharactersMax = 15;
const supplementaryCharactersMax = 34;
const narrativeCharactersMax = 65;
const narrativeLinesMax = 6;
const entryDateDistanceDaysMax = 180;
const chunkCharacters = 16_384;
const dayMs = 86_400_000;

/**
 * Yields the statement as text chunks of about 16,000 characters.
 * @throws Mt940WriteError while iterating, at the first value that MT940 cannot carry.
 */
export function* writeMt940(statement: Statement): Generator<string, void, undefined> {
  let chunk = headerText(statement);
  let number = 0;
  for (const entry of statement.entries) {
    number += 1;
    chunk += entryText(entry, number);
    if (chunk.length >= chunkCharacters) {
      yield chunk;
      chunk = '';
    }
  }
  yield chunk + closingText(statement);
}

/**
 * The same for entries that arrive over time, for example from a database cursor. Holds one chunk.
 * @throws Mt940WriteError while iterating, at the first value that MT940 cannot carry.
 */
export async function* streamMt940(statement: StreamedStatement): AsyncGenerator<string, void, undefined> {
  let chunk = headerText(statement);
  let number = 0;
  for await (const entry of statement.entries) {
    number += 1;
    chunk += entryText(entry, number);
    if (chunk.length >= chunkCharacters) {
      yield chunk;
      chunk = '';
    }
  }
  yield chunk + closingText(statement);
}

/**
 * Makes any text fit one line of :86: (or, with `charactersMax` 34, the supplementary details): line
 * breaks and control characters become spaces, the line is cut, and a first character that would read as
 * a tag, a terminator or a SWIFT block becomes a full stop.
 */
export function toNarrativeLine(text: string, charactersMax: number = narrativeCharactersMax): string {
  const plain = text.toWellFormed().replaceAll(/\p{Cc}/gu, ' ');
  return cut(plain.replace(/^[:{-]/, '.'), charactersMax);
}

/**
 * Makes any text fit a customer or bank reference of :61:: at most 16 characters, no `//`, no slash or
 * space at either end. Nothing left gives `NONREF`.
 */
export function toReference(text: string): string {
  const plain = text
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll(/\/{2,}/g, '/')
    .replace(/^[ /]+/, '');
  return cut(plain, referenceCharactersMax).replace(/[ /]+$/, '') || 'NONREF';
}

function headerText(head: StatementHead): string {
  if (!/^[A-Z]{3}$/.test(head.currency)) {
    throw new Mt940WriteError('currency', `"${head.currency}" is not three capital letters`);
  }
  const number = serialNumber('statementNumber', head.statementNumber);
  const sequence = serialNumber('sequenceNumber', head.sequenceNumber);
  return (
    `:20:${oneLine('reference', head.reference, referenceCharactersMax)}${eol}` +
    `:25:${oneLine('account', head.account, accountCharactersMax)}${eol}` +
    `:28C:${number}/${sequence}${eol}` +
    `:60F:${balanceText('opening', head.opening, head.currency)}${eol}`
  );
}

function closingText(head: StatementHead): string {
  return `:62F:${balanceText('closing', head.closing, head.currency)}${eol}-${eol}`;
}

function balanceText(field: string, balance: StatementBalance, currency: string): string {
  if (balance.mark !== 'C' && balance.mark !== 'D') {
    throw new Mt940WriteError(`${field}.mark`, `"${String(balance.mark)}" is neither C nor D`);
  }
  const date = dateText(`${field}.date`, balance.date);
  return `${balance.mark}${date}${currency}${amountText(`${field}.amount`, balance.amount)}`;
}

function entryText(entry: StatementEntry, number: number): string {
  const field = `entry ${number}`;
  if (!['D', 'C', 'RD', 'RC'].includes(entry.mark)) {
    throw new Mt940WriteError(`${field} mark`, `"${String(entry.mark)}" is none of D, C, RD, RC`);
  }
  if (!/^(S[0-9]{3}|[NF][A-Z0-9]{3})$/.test(entry.transactionType)) {
    throw new Mt940WriteError(`${field} transactionType`, `"${entry.transactionType}" is not like NTRF`);
  }
  const valueDate = dateText(`${field} valueDate`, entry.valueDate);
  const amount = amountText(`${field} amount`, entry.amount);
  let text = `:61:${valueDate}${entryDateText(field, entry)}${entry.mark}${amount}${entry.transactionType}`;
  text += customerReferenceText(field, entry.customerReference);
  if (entry.bankReference) {
    text += `//${oneLine(`${field} bankReference`, entry.bankReference, referenceCharactersMax)}`;
  }
  text += eol;
  if (entry.supplementaryDetails) {
    const details = oneLine(
      `${field} supplementaryDetails`,
      entry.supplementaryDetails,
      supplementaryCharactersMax,
    );
    text += requireLineStart(`${field} supplementaryDetails`, details) + eol;
  }
  return text + narrativeText(field, entry.narrative);
}

/** :61: separates the two references with `//`, so the first may neither hold one nor end in a slash. */
function customerReferenceText(field: string, reference: string): string {
  const name = `${field} customerReference`;
  const text = cut(requirePrintable(name, reference), referenceCharactersMax).replace(/[ /]+$/, '');
  if (text.includes('//') || text.trimStart() !== text) {
    throw new Mt940WriteError(name, `"${reference}" holds // or starts with a space`);
  }
  return text === '' ? 'NONREF' : text;
}

/**
 * Empty lines in the middle are kept, empty ones at the end are left out: a reader that counts lines, as
 * those that take the payment's identity from the fifth line do, finds each where it was put.
 */
function narrativeText(field: string, narrative: readonly string[]): string {
  const lines = narrative.map((line, index) => {
    const name = `${field} narrative line ${index + 1}`;
    const text = cut(requirePrintable(name, line), narrativeCharactersMax);
    return index === 0 ? text : requireLineStart(name, text);
  });
  while (lines.at(-1) === '') lines.pop();
  if (lines.length > narrativeLinesMax) {
    throw new Mt940WriteError(`${field} narrative`, `has ${lines.length} lines, more than 6`);
  }
  return lines.length === 0 ? '' : `:86:${lines.join(eol)}${eol}`;
}

function amountText(field: string, amount: string): string {
  const parts = /^([0-9]+)(?:\.([0-9]+))?$/.exec(amount);
  if (parts === null) throw new Mt940WriteError(field, `"${amount}" is not an unsigned decimal`);
  const [, whole = '', fraction = ''] = parts;
  const text = `${whole.replace(/^0+(?=[0-9])/, '')},${fraction}`;
  if (text.length > amountCharactersMax) {
    throw new Mt940WriteError(field, `"${amount}" has more than 14 digits`);
  }
  return text;
}

function dateText(field: string, date: string): string {
  const timeMs = dateMs(date);
  const year = Number(date.slice(0, 4));
  if (timeMs === null || year < 1980 || year > 2079) {
    throw new Mt940WriteError(field, `"${date}" is not a date from 1980-01-01 to 2079-12-31`);
  }
  return date.slice(2).replaceAll('-', '');
}

/** Only month and day are written; a reader takes the year that brings it nearest to the value date. */
function entryDateText(field: string, entry: StatementEntry): string {
  if (entry.entryDate === undefined) return '';
  const text = dateText(`${field} entryDate`, entry.entryDate).slice(2);
  const distanceMs = Math.abs((dateMs(entry.entryDate) ?? 0) - (dateMs(entry.valueDate) ?? 0));
  if (distanceMs > entryDateDistanceDaysMax * dayMs) {
    throw new Mt940WriteError(
      `${field} entryDate`,
      `${entry.entryDate} is over 180 days from the value date`,
    );
  }
  return text;
}

/** Midnight UTC of a calendar date, or null when the text is not one (2023-02-29 is not). */
function dateMs(date: string): number | null {
  const parts = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(date);
  if (parts === null) return null;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  if (month < 1 || month > 12 || day < 1) return null;
  if (day > 28 && day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return null;
  return Date.UTC(year, month - 1, day);
}

function serialNumber(field: string, text: string): string {
  if (!/^[0-9]{1,5}$/.test(text)) throw new Mt940WriteError(field, `"${text}" is not one to five digits`);
  return text;
}

function oneLine(field: string, text: string, charactersMax: number): string {
  requirePrintable(field, text);
  if (text === '' || text.trim() !== text) {
    throw new Mt940WriteError(field, `"${text}" is empty or has spaces around it`);
  }
  const characters = [...text].length;
  if (characters > charactersMax) {
    throw new Mt940WriteError(field, `has ${characters} characters, more than ${charactersMax}`);
  }
  return text;
}

function requirePrintable(field: string, text: string): string {
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) {
    throw new Mt940WriteError(field, 'holds a line break, a control character or half a character');
  }
  return text;
}

/** A line of its own may not look like a tag, the end of the message, or a SWIFT block. */
function requireLineStart(field: string, text: string): string {
  if (/^[:{-]/.test(text)) throw new Mt940WriteError(field, `starts with "${text.charAt(0)}"`);
  return text;
}

/** Cuts by characters, not UTF-16 units, and leaves no trailing space. */
function cut(text: string, charactersMax: number): string {
  const short = text.length <= charactersMax ? text : [...text].slice(0, charactersMax).join('');
  return short.trimEnd();
}
