import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A key pair of a partner, made for a test. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: 'RS256' | 'ES256';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As it stands in a JWKS. */
  readonly jwk: Record<string, unknown>;
  /** As the partner management service publishes it. */
  readonly published: Record<string, unknown>;
}

/** Makes a key. @param bits of an RSA key */
export function makeKey(kid: string, alg: 'RS256' | 'ES256' = 'RS256', bits = 2_048): SigningKey {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: bits })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  return {
    kid,
    alg,
    privateKey,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
    published: { partner_id: 'P', kid, algorithm: alg, public_key: pem, not_before: null, not_after: null },
  };
}

/** What a signature can have wrong. */
export interface SignatureChanges {
  readonly header?: Record<string, unknown>;
  /** Signs with HMAC and this secret. */
  readonly secret?: string | Buffer;
  /** What is signed in place of the canonical body. */
  readonly payload?: string;
}

/** The header `Signature` for a body. Made without any code of the system, so that the two agree only if both are right. */
export function signDetached(body: string, key: SigningKey, changes: SignatureChanges = {}): string {
  const header = base64url(JSON.stringify({ alg: key.alg, kid: key.kid, ...changes.header }));
  const input = `${header}.${base64url(changes.payload ?? sortedJson(JSON.parse(body)))}`;
  if (changes.secret !== undefined) {
    return `${header}..${createHmac('sha256', changes.secret).update(input).digest('base64url')}`;
  }
  const signer =
    key.alg === 'ES256' ? { key: key.privateKey, dsaEncoding: 'ieee-p1363' as const } : key.privateKey;
  return `${header}..${sign('sha256', Buffer.from(input), signer).toString('base64url')}`;
}

export const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/** JSON with the members of every object in the order of the UTF-8 bytes of their names; numbers as JavaScript has them. */
export function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const names = Object.keys(value).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const members = names.map((name) => `${JSON.stringify(name)}:${sortedJson((value as never)[name])}`);
  return `{${members.join(',')}}`;
}
