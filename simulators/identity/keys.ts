import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  SignJWT,
  UnsecuredJWT,
} from 'jose';

/** How a token can be signed; `HS256` uses the published key as its secret, as a forger would. */
export const algorithms = ['RS256', 'ES256', 'HS256', 'none'] as const;

export type Algorithm = (typeof algorithms)[number];

/** What a token is signed with. */
export interface Signing {
  alg: Algorithm;
  /** `unknown`: a key that was never published. */
  key: 'current' | 'unknown';
  /** The key id that the token names; left out: the key's own; null: none. */
  kid?: string | null | undefined;
}

interface Pair {
  alg: 'RS256' | 'ES256';
  kid: string;
  privateKey: CryptoKey;
  publicKey: CryptoKey;
  jwk: JWK;
}

/** One key of each kind; they come and go together. */
type Generation = readonly Pair[];

const keptGenerationsMax = 20;

/** The keys of the identity server. They live in memory: a restart makes new ones. */
export class KeyRing {
  #current: Generation;
  #kept: readonly Generation[] = [];
  #unknown: Generation | null = null;

  private constructor(current: Generation) {
    this.#current = current;
  }

  static async create(): Promise<KeyRing> {
    return new KeyRing(await generation());
  }

  /** The published keys, those that sign now first. */
  jwks(): { keys: JWK[] } {
    return { keys: [this.#current, ...this.#kept].flatMap((pairs) => pairs.map(({ jwk }) => jwk)) };
  }

  /** Makes new keys to sign with. The old ones are no longer published, unless they are to be kept. */
  async rotate(keep: boolean): Promise<void> {
    const next = await generation();
    this.#kept = keep ? [this.#current, ...this.#kept].slice(0, keptGenerationsMax) : [];
    this.#current = next;
  }

  /** Makes a JWT of the claims, as they are. */
  async sign(claims: Record<string, unknown>, { alg, key, kid }: Signing): Promise<string> {
    if (alg === 'none') return new UnsecuredJWT(claims).encode();
    const pair = await this.#pair(key, alg === 'ES256' ? 'ES256' : 'RS256');
    const named = kid === undefined ? pair.kid : kid;
    const secret =
      alg === 'HS256' ? new TextEncoder().encode(await exportSPKI(pair.publicKey)) : pair.privateKey;
    return new SignJWT(claims)
      .setProtectedHeader({ alg, typ: 'JWT', ...(named !== null && { kid: named }) })
      .sign(secret);
  }

  async #pair(key: Signing['key'], alg: Pair['alg']): Promise<Pair> {
    this.#unknown = key === 'unknown' ? (this.#unknown ?? (await generation())) : this.#unknown;
    const pair = (key === 'unknown' ? this.#unknown : this.#current)?.find((one) => one.alg === alg);
    if (pair === undefined) throw new Error(`There is no key for ${alg}.`);
    return pair;
  }
}

async function generation(): Promise<Generation> {
  return Promise.all((['RS256', 'ES256'] as const).map(pairOf));
}

async function pairOf(alg: Pair['alg']): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { alg, kid, privateKey, publicKey, jwk: { ...jwk, kid, alg, use: 'sig' } };
}
