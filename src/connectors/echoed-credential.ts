const MASK = '********';

/** What is shorter is no credential worth hiding, and might stand in an answer by chance. */
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
 * quoted in messages, logs and the journal.
 */
export function withoutCredential(text: string, credential: string | null): string {
  return credential === null ? text : text.replaceAll(credential, MASK);
}
