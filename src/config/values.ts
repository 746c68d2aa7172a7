import { isIP } from 'node:net';
import { z } from 'zod';
import { compileFaStrategy, type FaStrategy, type FaType } from '../connectors/mapper/fa-strategy.ts';

/** How the text of a setting becomes its value; the message of an issue finishes the sentence "<name> must be …". */
export type ValueType<T> = z.ZodType<T, string>;

/** Longest text of a value, so that no setting can fill the memory or a log line. */
const TEXT_CHARS_MAX = 100_000;

/** The words for yes and no that pydantic, the settings library of the Python system, reads. */
const FLAG_WORDS = new Map<string, boolean>([
  ...['1', 'true', 't', 'yes', 'y', 'on'].map((word) => [word, true] as const),
  ...['0', 'false', 'f', 'no', 'n', 'off'].map((word) => [word, false] as const),
]);

/** A whole number between `min` and `max`, both included. */
export function whole(min: number, max: number): ValueType<number> {
  return value(`a whole number from ${min} to ${max}`, (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return number >= min && number <= max ? number : undefined;
  });
}

/** Yes or no, in the words that the Python system accepts, in any case. */
export const flag: ValueType<boolean> = value('true or false', (text) => FLAG_WORDS.get(text.toLowerCase()));

/** One of the given words, exactly. */
export function oneOf<const W extends string>(...words: readonly W[]): ValueType<W> {
  return value(`one of ${words.join(', ')}`, (text) => words.find((word) => word === text));
}

/** Any text on one line; may be empty. */
export const text: ValueType<string> = value('text on one line', (given) =>
  hasControlCharacters(given) ? undefined : given,
);

/** Text of printable ASCII; may be empty. */
export const asciiText: ValueType<string> = value('text of ASCII characters', (given) =>
  /^[\x20-\x7e]*$/.test(given) ? given : undefined,
);

/** Text on one line with at least one character. */
export const someText: ValueType<string> = value('text on one line, not empty', (given) =>
  given === '' || hasControlCharacters(given) ? undefined : given,
);

/** A comma-separated list; empty text is the empty list. */
export const list: ValueType<readonly string[]> = value('a list separated by commas', (given) => {
  if (hasControlCharacters(given)) return undefined;
  const items = given.split(',').map((item) => item.trim());
  return items.filter((item) => item !== '');
});

/** At least one of the given words, separated by commas, each in its own spelling. */
export function someOf<const W extends string>(...words: readonly W[]): ValueType<readonly W[]> {
  return value(`a list of ${words.join(', ')}`, (given) => {
    const items = given.split(',').map((item) => words.find((word) => word === item.trim()));
    const known = items.filter((item) => item !== undefined);
    return known.length === items.length ? [...new Set(known)] : undefined;
  });
}

/** IP addresses and networks (`10.0.0.0/8`), separated by commas; empty text is the empty list. */
export const networks: ValueType<readonly string[]> = value(
  'a list of IP addresses and networks such as 10.0.0.0/8',
  (given) => {
    const items = given.split(',').map((item) => item.trim());
    const named = items.filter((item) => item !== '');
    return named.every(isNetwork) ? named : undefined;
  },
);

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const bitsMax = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (bitsMax < 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax);
}

/** A path that is put before every path of the API: empty, or `/like/this`. */
export const rootPath: ValueType<string> = value('empty or a path such as /g2p-bridge', (given) =>
  /^(\/[A-Za-z0-9._~-]+)*\/?$/.test(given) ? given.replace(/\/$/, '') : undefined,
);

/** The base URL of an HTTP service, without a trailing slash. Credentials have no place in it: they end up in logs. */
export const httpUrl: ValueType<string> = value('an http:// or https:// URL without credentials', (given) => {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return undefined;
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined;
  return url.href.replace(/\/+$/, '');
});

/** Origins of web pages (`https://bridge.example`), separated by commas; empty text is the empty list. */
export const origins: ValueType<readonly string[]> = value(
  'a list of origins such as https://bridge.example',
  (given) => {
    const items = given.split(',').map((item) => item.trim());
    const named = items.filter((item) => item !== '');
    return named.every((item) => httpUrl.safeParse(item).success && new URL(item).pathname === '/')
      ? named.map((item) => new URL(item).origin)
      : undefined;
  },
);

/** The name of an OpenID provider: a URL, kept as it is written, since tokens must name it so to the last slash. */
export const issuerUrl: ValueType<string> = value(
  'an http:// or https:// URL without credentials',
  (given) => (httpUrl.safeParse(given).success ? given : undefined),
);

/**
 * The URL of a PostgreSQL database. SQLAlchemy's way of naming a driver (`postgresql+asyncpg://`) is accepted, since
 * the Python system has it, and left out.
 */
export const postgresUrl: ValueType<string> = value(
  "a postgresql:// URL of one server, with what is special in a URL percent-encoded in the user's name and password",
  (given) => {
    const match = /^postgres(?:ql)?(?:\+[a-z0-9_]+)?:\/\/([^\s]+)$/.exec(given);
    const url = `postgresql://${match?.[1]}`;
    return match && URL.canParse(url) ? url : undefined;
  },
);

/** The given kind of value, or null when the text is empty. */
export function optional<T>(type: ValueType<T>): ValueType<T | null> {
  return z.string().transform((given, context) => {
    if (given.trim() === '') return null;
    const parsed = type.safeParse(given);
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: parsed.error.issues[0]?.message ?? 'something else' });
    return z.NEVER;
  });
}

/** JSON text that fits `schema`; an issue says where in the text it does not. */
export function json<T>(schema: z.ZodType<T>): ValueType<T> {
  return z.string().transform((given, context) => {
    const content = parseJson(given);
    const parsed = schema.safeParse(content);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
    const reason = issue?.code === 'invalid_key' ? issue.issues[0]?.message : issue?.message;
    const problem = content === undefined ? 'JSON' : `JSON of the documented form${where}: ${reason}`;
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  });
}

/**
 * The pattern that takes apart addresses of one type; what cannot be matched in linear time is refused.
 *
 * @param faType the type of address whose parts the pattern must name
 */
export function faStrategy(faType: FaType): ValueType<FaStrategy> {
  return z.string().transform((given, context) => {
    const compiled = compileFaStrategy(faType, given);
    if ('strategy' in compiled) return compiled.strategy;
    context.addIssue({ code: 'custom', message: `a usable regular expression: ${compiled.problem}` });
    return z.NEVER;
  });
}

function value<T>(expected: string, parse: (text: string) => T | undefined): ValueType<T> {
  return z.string().transform((given, context) => {
    const parsed = given.length > TEXT_CHARS_MAX ? undefined : parse(given.trim());
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

function hasControlCharacters(given: string): boolean {
  return /\p{Cc}/u.test(given);
}

/** JSON.parse that answers `undefined`, which no schema of ours accepts, instead of throwing. */
function parseJson(given: string): unknown {
  if (given.length > TEXT_CHARS_MAX) return undefined;
  try {
    return JSON.parse(given);
  } catch {
    return undefined;
  }
}
