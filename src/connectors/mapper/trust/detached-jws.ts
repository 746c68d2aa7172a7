import { decodeProtectedHeader } from 'jose';

/** Algorithms that need a private key to sign with; `none` and HMAC are not among them. */
const ASYMMETRIC = /^(?:RS|PS|ES)(?:256|384|512)$|^(?:EdDSA|Ed25519)$/;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * Takes a JWS that somebody else made of a body, with or without the body in it.
 *
 * Whether the signature is right only the holder of the public key can tell; that it is one, made with a private key
 * and of this body as far as it says so, can be seen here.
 *
 * @param jws compact serialization
 * @param body what was to be signed
 * @returns the JWS without the body, or the rest of a sentence that begins with "its signature"
 */
export function detachedJws(jws: string, body: string): { value: string } | { problem: string } {
  const parts = jws.split('.');
  const [header = '', payload = '', signature = ''] = parts;
  if (parts.length !== 3 || !BASE64URL.test(header) || !BASE64URL.test(signature)) {
    return { problem: 'is not a JWS' };
  }
  if (payload !== '' && payload !== Buffer.from(body).toString('base64url')) {
    return { problem: 'is that of another text' };
  }
  const { alg, b64, crit } = readHeader(jws);
  if (typeof alg !== 'string' || !ASYMMETRIC.test(alg)) return { problem: 'was not made with a private key' };
  // Such a signature is over the text itself instead of its base64url form, which SPAR does not expect.
  if (b64 !== undefined || crit !== undefined)
    return { problem: 'uses extensions that were not agreed upon' };
  return { value: `${header}..${signature}` };
}

function readHeader(jws: string): { alg?: unknown; b64?: unknown; crit?: unknown } {
  try {
    return decodeProtectedHeader(jws);
  } catch {
    return {};
  }
}
