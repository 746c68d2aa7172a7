import { z } from 'zod';
import { normaliseDecimal } from '../../decimal.ts';
import { sourceOf } from '../json.ts';

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
/** Zeros that say nothing are no digits. */
const QUANTITY = new RegExp(
  `^-?0*\\d{1,${QUANTITY_WHOLE_DIGITS_MAX}}(?:\\.\\d{1,${QUANTITY_FRACTION_DIGITS_MAX}}0*)?$`,
);

const INTEGER_MAX = 2_147_483_647;

const needed = (rule: string) => ({
  error: (issue: { readonly input: unknown }) => (issue.input === undefined ? 'is required' : rule),
});

// Rules are patterns rather than functions where they can be, so that the published schemas have them too. The limit of
// the length comes first and ends the check: a pattern that is tried on millions of characters overflows its stack.

/** PostgreSQL stores neither the character U+0000 nor half a surrogate pair. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is the character that is refused
const STORABLE = /^[^\u0000\p{Cs}]*$/u;

/** Line breaks in a narrative would shift the lines by which a payment is found again on the bank's statement. */
const ONE_LINE = /^[^\p{Cc}\p{Cs}]*$/u;

/** Says something: the opposite of {@link isBlank}. */
const FILLED = /\S/;

/** Text on one line of at most `charsMax` UTF-16 code units; may be empty, so that rules with codes of their own decide. */
export const line = (charsMax: number) =>
  z
    .string(needed('must be text'))
    .max(charsMax, { error: `must have at most ${charsMax} characters`, abort: true })
    .regex(ONE_LINE, { error: 'must be valid Unicode without control characters or line breaks' });

/** Text of any number of lines. */
export const paragraph = (charsMax: number) =>
  z
    .string(needed('must be text'))
    .max(charsMax, { error: `must have at most ${charsMax} characters`, abort: true })
    .regex(STORABLE, { error: 'must be valid Unicode without the character U+0000' });

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
export const filledIdentifier = identifier.regex(FILLED, { error: 'must not be empty' });

/** An id of an envelope, batch or disbursement that must be there. */
export const filledReference = reference.regex(FILLED, { error: 'must not be empty' });

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

const MOMENT =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:[Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** A moment in ISO 8601; with or without offset, since both are sent. */
export const moment = z
  .string(needed('must be a date and time in ISO 8601'))
  .max(40, { error: 'must be a date and time in ISO 8601', abort: true })
  .regex(MOMENT, { error: 'must be a date and time in ISO 8601' })
  .refine((text) => day.safeParse(MOMENT.exec(text)?.[1]).success, {
    error: 'must be a date and time in ISO 8601',
  });

/**
 * An exact quantity or amount: a JSON number or a decimal string of at most 20 digits before and 6 after the point,
 * without exponent where it has more than 15 digits. May be negative, so that a rule with a code of its own decides.
 * The result is a canonical decimal string.
 */
export const quantity = z
  .unknown()
  .transform((given, context): string => {
    const text = quantityText(given);
    if (text !== null && text.length <= QUANTITY_CHARS_MAX && QUANTITY.test(text))
      return normaliseDecimal(text);
    const rule =
      'must be a decimal number of at most ' +
      `${QUANTITY_WHOLE_DIGITS_MAX} digits before and ${QUANTITY_FRACTION_DIGITS_MAX} after the point`;
    context.addIssue({ code: 'custom', message: given === undefined ? 'is required' : rule });
    return z.NEVER;
  })
  .meta({
    anyOf: [
      {
        type: 'number',
        exclusiveMinimum: -(10 ** QUANTITY_WHOLE_DIGITS_MAX),
        exclusiveMaximum: 10 ** QUANTITY_WHOLE_DIGITS_MAX,
      },
      { type: 'string', pattern: QUANTITY.source, maxLength: QUANTITY_CHARS_MAX },
    ],
    description:
      `An exact decimal of at most ${QUANTITY_WHOLE_DIGITS_MAX} digits before and ` +
      `${QUANTITY_FRACTION_DIGITS_MAX} after the point. A number of more than 15 digits is kept as it is written.`,
  });

function quantityText(given: unknown): string | null {
  if (typeof given === 'string') return given;
  return typeof given === 'number' ? String(given) : sourceOf(given);
}

/** What {@link listOf} made: which items, and how many at most. */
export const lists = new WeakMap<z.ZodType, { readonly item: z.ZodType; readonly itemsMax: number }>();

/**
 * A list that is checked item by item up to the first bad one, so that a long list of rubbish costs no more than a
 * good one.
 *
 * @param itemsMax items at most
 */
export function listOf<T>(item: z.ZodType<T>, itemsMax: number): z.ZodType<T[]> {
  const list = z.unknown().transform((list, context): T[] => {
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
  lists.set(list, { item, itemsMax });
  return list;
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
