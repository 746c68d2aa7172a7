import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { z } from 'zod';

/** An algorithm that requests can be signed with. Neither `none` nor HMAC can ever be one. */
export type SignatureAlgorithm = 'RS256' | 'ES256';

/** Bits of an RSA key: fewer can be broken, more take too long to check. */
const RSA_BITS_MIN = 2_048;
const RSA_BITS_MAX = 16_384;

/** Keys that a partner can have; far more than any rotation needs. */
const KEYS_MAX = 100;

/** A public key that a partner's requests may be signed with. */
export interface PartnerKey {
  /** Null when the key has no name; it is then tried for every signature of the partner. */
  readonly kid: string | null;
  readonly alg: SignatureAlgorithm;
  readonly key: KeyObject;
  /** From when on and until when it counts, milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A key that is published and cannot be used. */
export interface UnusableKey {
  readonly kid: string | null;
  /** The rest of a sentence that begins with the key. */
  readonly why: string;
}

/** What is published of a partner. */
export interface PartnerKeys {
  readonly keys: readonly PartnerKey[];
  readonly unusable: readonly UnusableKey[];
}

/** Of whom nothing is published. */
export const NO_KEYS: PartnerKeys = { keys: [], unusable: [] };

const text = z.string().nullish();

/** A key as RFC 7517 has it, or as the partner management service does: PEM of a key or certificate, and its dates. */
const publishedKey = z.looseObject({
  kid: text,
  alg: text,
  algorithm: text,
  use: text,
  key_ops: z.array(z.string()).nullish(),
  public_key: text,
  not_before: text,
  not_after: text,
});

const published = z.object({ keys: z.array(publishedKey).max(KEYS_MAX) });

type PublishedKey = z.infer<typeof publishedKey>;

/**
 * The keys of one partner from a JWKS or from the answer of the partner management service
 * (`{ "keys": [{ "kid", "algorithm", "public_key": PEM, "not_before", "not_after" }] }`).
 *
 * @returns null when it is neither, or has more than 100 keys
 */
export function readPartnerKeys(document: unknown): PartnerKeys | null {
  const parsed = published.safeParse(document);
  if (!parsed.success) return null;
  const keys: PartnerKey[] = [];
  const unusable: UnusableKey[] = [];
  for (const one of parsed.data.keys) {
    const read = readKey(one);
    if ('why' in read) unusable.push(read);
    else keys.push(read);
  }
  return { keys, unusable };
}

function readKey(one: PublishedKey): PartnerKey | UnusableKey {
  const kid = one.kid ?? null;
  const key = publicKeyOf(one);
  if (key === null) return { kid, why: 'is no public key' };
  const alg = algorithmOf(key);
  if (typeof alg !== 'string') return { kid, ...alg };
  const declared = one.alg ?? one.algorithm ?? alg;
  if (declared !== alg) return { kid, why: `is not for ${alg}` };
  if ((one.use ?? 'sig') !== 'sig' || (one.key_ops && !one.key_ops.includes('verify'))) {
    return { kid, why: 'is not for signatures' };
  }
  const notBeforeMs = momentMs(one.not_before, Number.NEGATIVE_INFINITY);
  const notAfterMs = momentMs(one.not_after, Number.POSITIVE_INFINITY);
  if (Number.isNaN(notBeforeMs) || Number.isNaN(notAfterMs)) return { kid, why: 'has dates that are none' };
  return { kid, alg, key, notBeforeMs, notAfterMs };
}

function publicKeyOf(one: PublishedKey): KeyObject | null {
  // Whoever publishes a private key has lost it.
  if (one.d !== undefined || one.public_key?.includes('PRIVATE KEY')) return null;
  try {
    if (typeof one.public_key !== 'string') return createPublicKey({ key: one, format: 'jwk' });
    if (one.public_key.includes('BEGIN CERTIFICATE')) return new X509Certificate(one.public_key).publicKey;
    return createPublicKey(one.public_key);
  } catch {
    return null;
  }
}

function algorithmOf(key: KeyObject): SignatureAlgorithm | { readonly why: string } {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256';
  if (key.asymmetricKeyType !== 'rsa' || modulusLength === undefined) {
    return { why: 'is neither an RSA key nor one of the curve P-256' };
  }
  if (modulusLength < RSA_BITS_MIN) return { why: `has fewer than ${RSA_BITS_MIN} bits` };
  return modulusLength > RSA_BITS_MAX ? { why: `has more than ${RSA_BITS_MAX} bits` } : 'RS256';
}

/** Moments without offset are in UTC, as the partner management service writes them. */
function momentMs(given: string | null | undefined, otherwise: number): number {
  if (given === null || given === undefined) return otherwise;
  return Date.parse(/(?:[Zz]|[+-]\d{2}:?\d{2})$/.test(given) ? given : `${given}Z`);
}
