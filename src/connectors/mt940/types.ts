/** What an MT940 file says, piece by piece in file order. Amounts are exact decimal strings, never negative. */

/** C: in the account holder's favour. D: overdrawn. */
export type BalanceMark = 'C' | 'D';

/** C credit, D debit, RC reversal of a credit (takes money out), RD reversal of a debit (brings it back). */
export type EntryMark = 'C' | 'D' | 'RC' | 'RD';

export interface Mt940Balance {
  mark: BalanceMark;
  /** YYYY-MM-DD */
  date: string;
  currency: string;
  amount: string;
  /** True for :60M: and :62M:, where one statement goes on over several messages. */
  intermediate: boolean;
}

export interface Mt940Header {
  /** Line of :20:, from 1. */
  line: number;
  /** :20: */
  reference: string;
  /** :25: or the first line of :25P:, as written. */
  account: string;
  /** :21: */
  relatedReference: string | null;
  /** :28C:, digits as written. */
  statementNumber: string;
  /** What follows the slash in :28C:. */
  sequenceNumber: string | null;
  opening: Mt940Balance;
}

/** One numbered part of a structured :86:, for example code `20` of `?20INVOICE 7`. */
export interface Mt940Subfield {
  code: string;
  text: string;
}

export interface Mt940Structured {
  /** The three digits in front (Geschäftsvorfallcode), where the bank writes them. */
  transactionCode: string | null;
  subfields: Mt940Subfield[];
}

export interface Mt940Entry {
  /** Line of :61:, from 1. */
  line: number;
  /** Place within the message, from 1. */
  sequence: number;
  /** YYYY-MM-DD */
  valueDate: string;
  /** YYYY-MM-DD */
  entryDate: string | null;
  mark: EntryMark;
  /** The letter after the mark: the third letter of the currency, or in old dialects an availability. */
  fundsCode: string | null;
  amount: string;
  /** For example NTRF. */
  transactionType: string;
  /** Before `//`; empty when the bank wrote none. Some banks exceed the 16 characters of the standard. */
  customerReference: string;
  /** After `//`. */
  bankReference: string | null;
  /** The line or lines between :61: and :86:, joined by line feeds. */
  supplementaryDetails: string | null;
  /** The lines of :86: as the file has them; an empty line in the middle is an empty string. */
  narrative: string[];
  /** The numbered parts of :86:, where it has such. */
  structured: Mt940Structured | null;
}

export interface Mt940End {
  /** Line of :62F: or :62M:, from 1. */
  line: number;
  closing: Mt940Balance;
  entries: number;
  /** Lines of an :86: that belongs to the statement and not to an entry. */
  information: string[];
  /** Where what follows the message begins: its SWIFT blocks or first tag, if there is more. */
  next: Mt940Cut;
}

/** A place between two characters of a file. */
export interface Mt940Cut {
  /** From 1. */
  line: number;
  /** Characters of this line that stand before the place. */
  column: number;
}

/**
 * A message begins with `statement`, has any number of `entry` and ends with `end`. A statement that the
 * bank spread over several messages is several such groups whose balances are marked intermediate.
 */
export type Mt940Event =
  | { type: 'statement'; header: Mt940Header }
  | { type: 'entry'; entry: Mt940Entry }
  | { type: 'end'; end: Mt940End };

export type Mt940Encoding = 'utf-8' | 'latin-1';

/** Bytes or text, cut anywhere. */
export type Mt940Source = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

export interface Mt940Options {
  /** Forces the encoding of bytes. Left out, each line is UTF-8 when it is valid as such, else latin-1. */
  encoding?: Mt940Encoding;
  /** Default true: opening + entries = closing, and each intermediate opening is the closing before it. */
  checkBalances?: boolean;
  /** Default 2,000. */
  lineBytesMax?: number;
  /** Lines of :86: (and of supplementary details) per entry. Default 100. */
  narrativeLinesMax?: number;
  /**
   * Default false. True for a piece of a file that was read whole before, cut at `Mt940End.next`: what only the other
   * pieces can have, such as the end of a SWIFT block around several messages, is not asked for.
   */
  isPart?: boolean;
}
