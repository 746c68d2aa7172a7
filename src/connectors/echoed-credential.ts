const MASK = '********';

/** What is shorter can be guessed (RFC 6749, 10.10, forbids such tokens), and might stand in an answer by chance. */
const CREDENTIAL_CHARS_MIN = 8;

/**
 * The credential that a request carries in its header `Authorization`, without the name of its scheme; null when there is
 * none.
 */
export function credentialIn(headers: Readonly<Record<string, string>>): string | null {
  const [, value] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization') ?? [];
  const credential = value?.replace(/^\S+ +/, '').trim() ?? '';
  return credential.length < CREDENTIAL_CHARS_MIN ? null : credential;
}

/**
 * Hides a request's credential in the answer: a server, or a proxy before it, may repeat what it was sent, and answers are
 * quoted in messages, logs and the journal. Found also where JSON writes some of its characters in another way.
 */
export function withoutCredential(text: string, credential: string | null): string {
  if (credential === null) return text;
  const plain = text.replaceAll(credential, MASK);
  return plain.includes('\\') ? plain.replaceAll(asJsonMayWriteIt(credential), MASK) : plain;
}

/** Any character may be written as its number (`\u003d`), and a slash after a backslash. */
function asJsonMayWriteIt(credential: string): RegExp {
  const characters = Array.from({ length: credential.length }, (_, n) => {
    const number = credential.charCodeAt(n).toString(16).padStart(4, '0');
    const digits = number.replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
    const escaped = '"\\/'.includes(credential.charAt(n)) ? '\\\\?' : '';
    return `(?:${escaped}\\u${number}|\\\\u${digits})`;
  });
  return new RegExp(characters.join(''), 'g');
}
