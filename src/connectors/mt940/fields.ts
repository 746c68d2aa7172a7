import { readDate, readEntryDate } from './dates.ts';
import { Mt940Error, type Mt940Place, shown } from './error.ts';
import type { BalanceMark, EntryMark, Mt940Balance } from './types.ts';

/** The content of single tags. Formats: SWIFT MT940 message specification, widened where banks differ. */

const amountDigitsMax = 30;
const referenceCharacters = 16;

/** What one :61: line holds. */
export interface StatementLine {
  valueDate: string;
  entryDate: string | null;
  mark: EntryMark;
  fundsCode: string | null;
  amount: string;
  transactionType: string;
  customerReference: string;
  bankReference: string | null;
  /** Text that a bank put behind the padded reference on the same line. */
  overflow: string | null;
}

/**
 * Reads an amount: `1234,56`, `12,` and `12`; a decimal point instead of the comma, as some banks write,
 * unless exactly three digits follow it, which could as well be thousands. The digits stay as written,
 * without leading zeros: `0012,50` is `12.50`.
 * @throws Mt940Error MT940_BAD_AMOUNT
 */
export function readAmount(text: string, place: Mt940Place): string {
  const parts = /^([0-9]+)(?:([,.])([0-9]*))?$/.exec(text);
  if (parts === null || text.length > amountDigitsMax) throw badAmount(text, place, 'is not an amount');
  const [, whole = '', separator, fraction = ''] = parts;
  if (separator === '.' && fraction.length === 3) {
    throw badAmount(text, place, 'may be read in two ways, with the point as decimal mark or of thousands');
  }
  const digits = whole.replace(/^0+(?=[0-9])/, '');
  return fraction === '' ? digits : `${digits}.${fraction}`;
}

/**
 * Reads a balance, 1!a6!n3!a15d: `C240131EUR1234,56`.
 * @param currencyDefault taken when the balance names none, as in some German closing balances; null when
 * it must name one.
 * @throws Mt940Error MT940_BAD_MARK, MT940_BAD_DATE, MT940_BAD_TAG, MT940_BAD_AMOUNT
 */
export function readBalance(
  text: string,
  place: Mt940Place,
  currencyDefault: string | null,
): Omit<Mt940Balance, 'intermediate'> {
  const mark = text.charAt(0);
  if (mark !== 'C' && mark !== 'D') {
    throw new Mt940Error('MT940_BAD_MARK', place, `the balance ${shown(text)} starts with neither C nor D.`);
  }
  const named = /^([0-9]*)([A-Z]{3})(.*)$/s.exec(text.slice(1));
  if (named !== null) {
    const [, digits = '', currency = '', amount = ''] = named;
    return balance(mark, digits, currency, amount, place);
  }
  const unnamed = /^([0-9]{6})([0-9][0-9.,]*)$/.exec(text.slice(1));
  if (currencyDefault === null || unnamed === null) {
    throw new Mt940Error('MT940_BAD_TAG', place, `the balance ${shown(text)} is not like C240131EUR1234,56.`);
  }
  const [, digits = '', amount = ''] = unnamed;
  return balance(mark, digits, currencyDefault, amount, place);
}

/**
 * Reads the first line of :61:, 6!n[4!n]2a[1!a]15d1!a3!c16x[//16x], with these liberties that banks take:
 * eight-digit value dates, four spaces for a missing entry date, a space before the amount, a type of one
 * letter and three spaces, references longer than 16 characters, and a reference padded to 16 with more
 * text behind it.
 * @throws Mt940Error MT940_BAD_DATE, MT940_BAD_MARK, MT940_BAD_AMOUNT, MT940_BAD_TAG
 */
export function readStatementLine(text: string, place: Mt940Place): StatementLine {
  const parts = /^([0-9]*)(?: {4})?([A-Za-z]*) ?([0-9.,]*)(.*)$/s.exec(text);
  const [, dates = '', letters = '', amount = '', rest = ''] = parts ?? [];
  const valueDate = readValueDate(dates, text, place);
  const entryDate = entryDateOf(dates, valueDate, place);
  const { mark, fundsCode } = readMark(letters, text, place);
  const exact = readAmount(amount, place);
  const typed = /^([A-Z](?:[A-Z0-9]{3}| {3}))(.*)$/s.exec(rest);
  if (typed === null) {
    throw new Mt940Error('MT940_BAD_TAG', place, `${shown(rest)} has no transaction type such as NTRF.`);
  }
  const [, type = '', references = ''] = typed;
  return {
    valueDate,
    entryDate,
    mark,
    fundsCode,
    amount: exact,
    transactionType: type.trimEnd(),
    ...readReferences(references),
  };
}

/**
 * Reads :28C:, 5n[/5n], also with more digits or with a third part, which is left out.
 * @throws Mt940Error MT940_BAD_TAG
 */
export function readStatementNumber(
  text: string,
  place: Mt940Place,
): { statementNumber: string; sequenceNumber: string | null } {
  const parts = /^([0-9]{1,16})(?:\/([0-9]{1,16})(?:\/[A-Z0-9]*)?)?$/.exec(text);
  if (parts === null) {
    throw new Mt940Error('MT940_BAD_TAG', place, `the statement number ${shown(text)} is not like 12/1.`);
  }
  return { statementNumber: parts[1] ?? '', sequenceNumber: parts[2] ?? null };
}

function badAmount(text: string, place: Mt940Place, reason: string): Mt940Error {
  return new Mt940Error('MT940_BAD_AMOUNT', place, `${shown(text)} ${reason}.`);
}

function balance(
  mark: BalanceMark,
  digits: string,
  currency: string,
  amount: string,
  place: Mt940Place,
): Omit<Mt940Balance, 'intermediate'> {
  const date = readDate(digits);
  if (date === null) {
    throw new Mt940Error('MT940_BAD_DATE', place, `the date ${shown(digits)} of the balance is not a date.`);
  }
  return { mark, date, currency, amount: readAmount(amount, place) };
}

/** The digits in front of the mark: YYMMDD or YYYYMMDD, then possibly MMDD. */
function readValueDate(dates: string, text: string, place: Mt940Place): string {
  const length = dates.length;
  const wanted = length === 6 || length === 10 ? 6 : length === 8 || length === 12 ? 8 : 0;
  const date = wanted === 0 ? null : readDate(dates.slice(0, wanted));
  if (date !== null) return date;
  throw new Mt940Error('MT940_BAD_DATE', place, `${shown(text)} does not start with a value date.`);
}

function entryDateOf(dates: string, valueDate: string, place: Mt940Place): string | null {
  if (dates.length < 10) return null;
  const monthDay = dates.slice(-4);
  const date = readEntryDate(monthDay, valueDate);
  if (date !== null) return date;
  const reason = `the entry date ${shown(monthDay)} is not a date near the value date ${valueDate}.`;
  throw new Mt940Error('MT940_BAD_DATE', place, reason);
}

/**
 * An R in front is a reversal and must be followed by C or D; R alone is no mark. An R behind is a funds
 * code, as in `CR` for a credit in EUR. So `RC` and `CR` are opposites.
 */
function readMark(
  letters: string,
  text: string,
  place: Mt940Place,
): { mark: EntryMark; fundsCode: string | null } {
  const parts = /^(R?[CD])([A-Z]?)$/.exec(letters);
  if (parts === null) {
    const reason = `${shown(letters === '' ? text : letters)} is none of the marks D, C, RD, RC.`;
    throw new Mt940Error('MT940_BAD_MARK', place, reason);
  }
  return { mark: parts[1] as EntryMark, fundsCode: parts[2] || null };
}

function readReferences(
  text: string,
): Pick<StatementLine, 'customerReference' | 'bankReference' | 'overflow'> {
  const slashes = text.indexOf('//');
  const customer = slashes === -1 ? text : text.slice(0, slashes);
  const bank = slashes === -1 ? '' : text.slice(slashes + 2).trim();
  const padded = customer.length > referenceCharacters && customer.slice(14, 16) === '  ';
  return {
    customerReference: (padded ? customer.slice(0, referenceCharacters) : customer).trim(),
    bankReference: bank === '' ? null : bank,
    overflow: padded ? customer.slice(referenceCharacters).trim() : null,
  };
}
