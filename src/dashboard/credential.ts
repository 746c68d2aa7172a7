/**
 * What a signed-in operator's requests carry. Kept for this tab only, gone when it is closed; never in a URL.
 */
export interface Credential {
  readonly bearer: string;
  /** When it ends, ms since the epoch; null: unknown. */
  readonly expiresAt: number | null;
}

const KEY = 'g2p-bridge.credential';
let current: Credential | null = read();
const listeners = new Set<() => void>();

function read(): Credential | null {
  try {
    const kept: unknown = JSON.parse(window.sessionStorage.getItem(KEY) ?? 'null');
    if (typeof kept !== 'object' || kept === null) return null;
    const { bearer, expiresAt } = kept as Partial<Credential>;
    if (typeof bearer !== 'string') return null;
    return { bearer, expiresAt: typeof expiresAt === 'number' ? expiresAt : null };
  } catch {
    return null;
  }
}

export const currentCredential = (): Credential | null => current;

/** Keeps a credential, or forgets the one there is. */
export function keepCredential(credential: Credential | null): void {
  current = credential;
  if (credential === null) window.sessionStorage.removeItem(KEY);
  else window.sessionStorage.setItem(KEY, JSON.stringify(credential));
  for (const tell of listeners) tell();
}

/** Tells whenever the credential is another, until the returned function is called. */
export function onCredential(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}
