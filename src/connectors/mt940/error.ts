export type Mt940ErrorCode =
  /** The file is something else, or another kind of SWIFT message, or holds no statement. */
  | 'MT940_NOT_MT940'
  /** SWIFT blocks `{1:…}` that do not close. */
  | 'MT940_BAD_ENVELOPE'
  /** Bytes that are not in the encoding that was asked for. */
  | 'MT940_BAD_ENCODING'
  | 'MT940_LINE_TOO_LONG'
  | 'MT940_TOO_MANY_LINES'
  | 'MT940_TOO_MANY_STATEMENTS'
  /** A tag that must come before this one, or before the end of the message, is not there. */
  | 'MT940_MISSING_TAG'
  /** A tag that MT940 does not know, or not at this place. */
  | 'MT940_UNEXPECTED_TAG'
  /** Text where only a tag can be. */
  | 'MT940_UNEXPECTED_TEXT'
  /** The content of a tag has not the form that the tag has. */
  | 'MT940_BAD_TAG'
  | 'MT940_BAD_AMOUNT'
  | 'MT940_BAD_DATE'
  | 'MT940_BAD_MARK'
  | 'MT940_CURRENCY_MISMATCH'
  | 'MT940_BALANCE_MISMATCH'
  /** The file ends inside a message. */
  | 'MT940_TRUNCATED';

/** Where in the file: a line, from 1, and the tag without colons, when there is one. */
export interface Mt940Place {
  line: number;
  tag: string | null;
}

/** Why a file is refused. `code` is stable; `message` is a sentence for people and names line and tag. */
export class Mt940Error extends Error {
  readonly code: Mt940ErrorCode;
  readonly line: number;
  readonly tag: string | null;

  constructor(code: Mt940ErrorCode, place: Mt940Place, sentence: string) {
    super(`Line ${place.line}${place.tag === null ? '' : ` (:${place.tag}:)`}: ${sentence}`);
    this.name = 'Mt940Error';
    this.code = code;
    this.line = place.line;
    this.tag = place.tag;
  }
}

/** Quotes a piece of the file for a message: short, and without control characters. */
export function shown(text: string): string {
  const plain = text.replaceAll(/\p{Cc}/gu, '·');
  return plain.length > 40 ? `"${plain.slice(0, 40)}…"` : `"${plain}"`;
}
