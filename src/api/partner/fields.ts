import { z } from 'zod';
import { normaliseDecimal } from '../../decimal.ts';
import { ExactNumber } from '../json.ts';

/** Longest identifier and mnemonic; every one of them can be a key of an index. */
export const ID_CHARS_MAX = 255;
/** Longest name of a person. */
export const NAME_CHARS_MAX = 500;
/** Longest narrative and description. */
export const DESCRIPTION_CHARS_MAX = 2_000;

/** Digits of a quantity before and after the point; beyond any currency and any unit of weight. */
const QUANTITY_WHOLE_DIGITS_MAX = 20;
const QUANTITY_FRACTION_DIGITS_MAX = 6;
const QUANTITY_CHARS_MAX = 60;
const QUANTITY = /^-?\d+(?:\.\d+)?$/;

const INTEGER_MAX = 2_147_483_647;

const needed = (rule: string) => ({
  error: (issue: { readonly input: unknown }) => (issue.input === undefined ? 'is required' : rule),
});

/** PostgreSQL stores neither the character U+0000 nor half a surrogate pair. */
const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

/** Line breaks in a narrative would shift the lines by which a payment is found again on the bank's statement. */
const isOneLine = (text: string): boolean => isStorable(text) && !/\p{Cc}/u.test(text);

/** Text on one line of at most `charsMax` UTF-16 code units; may be empty, so that rules with codes of their own decide. */
export const line = (charsMax: number) =>
  z
    .string(needed('must be text'))
    .max(charsMax, { error: `must have at most ${charsMax} characters` })
    .refine(isOneLine, { error: 'must be valid Unicode without control characters or line breaks' });

/** Text of any number of lines. */
export const paragraph = (charsMax: number) =>
  z
    .string(needed('must be text'))
    .max(charsMax, { error: `must have at most ${charsMax} characters` })
    .refine(isStorable, { error: 'must be valid Unicode without the character U+0000' });

/** An identifier or mnemonic. */
export const identifier = line(ID_CHARS_MAX);

/**
 * Longest id of an envelope, batch or disbursement. They become idempotency keys and lines of bank statements, which
 * take visible ASCII only and hold 65 characters.
 */
export const REFERENCE_CHARS_MAX = 64;

/** An id of an envelope, batch or disbursement; may be empty, so that rules with codes of their own decide. */
export const reference = line(REFERENCE_CHARS_MAX).regex(/^(?:\s*|[A-Za-z0-9][\x21-\x7e]*)$/, {
  error: 'must begin with a letter or digit and have only visible ASCII characters, without spaces',
});

/** An identifier or mnemonic that must say something. */
export const filledIdentifier = identifier.refine((text) => !isBlank(text), { error: 'must not be empty' });

/** An id of an envelope, batch or disbursement that must be there. */
export const filledReference = reference.refine((text) => !isBlank(text), { error: 'must not be empty' });

/** Whether a text says nothing. */
export const isBlank = (text: string | null | undefined): boolean =>
  text === null || text === undefined || text.trim() === '';

/** Whether a canonical quantity is not there or less than zero. */
export const isMissingOrNegative = (canonical: string | null | undefined): boolean =>
  (canonical ?? '-').startsWith('-');

/** A whole number that fits PostgreSQL's `integer`; may be negative, so that rules with codes of their own decide. */
export const count = z
  .int(needed(`must be a whole number of at most ${INTEGER_MAX}`))
  .max(INTEGER_MAX, { error: `must be at most ${INTEGER_MAX}` })
  .min(-INTEGER_MAX, { error: `must be at least -${INTEGER_MAX}` });

/** A number that identifies something in another system: whole, and exact as a double (at most 2^53 - 1). */
export const numericId = z.int(needed('must be a whole number of at most 9007199254740991'));

/** A day of the calendar, YYYY-MM-DD. */
export const day = z.iso.date(needed('must be a day of the calendar, YYYY-MM-DD'));

/** A moment in ISO 8601; with or without offset, since both are sent. */
export const moment = z
  .string(needed('must be a date and time in ISO 8601'))
  .max(40, { error: 'must be a date and time in ISO 8601' })
  .refine(isMoment, { error: 'must be a date and time in ISO 8601' });

const MOMENT =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:[Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/;

function isMoment(text: string): boolean {
  const date = MOMENT.exec(text)?.[1];
  return date !== undefined && day.safeParse(date).success;
}

/**
 * An exact quantity or amount: a JSON number or a decimal string of at most 20 digits before and 6 after the point,
 * without exponent where it has more than 15 digits. May be negative, so that a rule with a code of its own decides.
 * The result is a canonical decimal string.
 */
export const quantity = z.unknown().transform((given, context): string => {
  const text = quantityText(given);
  const canonical =
    text !== null && text.length <= QUANTITY_CHARS_MAX && QUANTITY.test(text) ? normaliseDecimal(text) : null;
  if (canonical !== null && hasFewDigits(canonical)) return canonical;
  const rule =
    'must be a decimal number of at most ' +
    `${QUANTITY_WHOLE_DIGITS_MAX} digits before and ${QUANTITY_FRACTION_DIGITS_MAX} after the point`;
  context.addIssue({ code: 'custom', message: given === undefined ? 'is required' : rule });
  return z.NEVER;
});

function quantityText(given: unknown): string | null {
  if (typeof given === 'string') return given;
  if (given instanceof ExactNumber) return given.source;
  return typeof given === 'number' ? String(given) : null;
}

function hasFewDigits(canonical: string): boolean {
  const [whole = '', fraction = ''] = canonical.replace('-', '').split('.');
  return whole.length <= QUANTITY_WHOLE_DIGITS_MAX && fraction.length <= QUANTITY_FRACTION_DIGITS_MAX;
}

/**
 * A list that is checked item by item up to the first bad one, so that a long list of rubbish costs no more than a
 * good one.
 *
 * @param itemsMax items at most
 */
export function listOf<T>(item: z.ZodType<T>, itemsMax: number): z.ZodType<T[]> {
  return z.unknown().transform((list, context): T[] => {
    if (!Array.isArray(list) || list.length > itemsMax) {
      const rule = list === undefined ? 'is required' : `must be a list of at most ${itemsMax} items`;
      context.addIssue({ code: 'custom', message: rule });
      return z.NEVER;
    }
    const values: T[] = [];
    for (const [index, member] of list.entries()) {
      const parsed = item.safeParse(member);
      if (!parsed.success) {
        const { path, message } = firstIssue(parsed.error);
        context.addIssue({ code: 'custom', message, path: [index, ...path] });
        return z.NEVER;
      }
      values.push(parsed.data);
    }
    return values;
  });
}

/** An object with at least the given members; others are ignored, since senders are newer than we are. */
export const record = <S extends z.ZodRawShape>(shape: S) => z.object(shape, needed('must be an object'));

/** The first thing that is wrong: where, and which rule it breaks. */
export function firstIssue(error: z.ZodError): {
  readonly path: readonly PropertyKey[];
  readonly message: string;
} {
  const issue = error.issues[0];
  return issue ? { path: issue.path, message: issue.message } : { path: [], message: 'is not valid' };
}

/** A path as a person reads it: `request_body.request_payload[3].beneficiary_id`. */
export function fieldName(path: readonly PropertyKey[]): string {
  const name = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return name.replace(/^\./, '') || 'body';
}
