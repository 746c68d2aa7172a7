import { flattenedVerify } from 'jose';
import { signatureInvalid } from './invalid.ts';
import type { PartnerKey, SignatureAlgorithm } from './partner-key.ts';

/** Longest value of the header `Signature`; certificates that some signers put into it fit. */
const SIGNATURE_CHARS_MAX = 8_192;
const KID_CHARS_MAX = 255;
const BASE64URL = /^[A-Za-z0-9_-]+$/;
const FORM = 'base64url(header)..base64url(signature)';

/** A detached JWS (RFC 7515, appendix F) whose header has been read and whose signature has not been checked. */
export interface DetachedJws {
  /** The header as it was sent. */
  readonly header: string;
  readonly signature: string;
  readonly alg: SignatureAlgorithm;
  /** Which key; null when the signer does not say. */
  readonly kid: string | null;
}

/**
 * Reads the header `Signature` of a request. Keys, certificates and addresses of keys that it may carry are not looked
 * at: whose key counts is not the sender's to say.
 *
 * @param text its value; several headers of that name come as one with commas
 * @param algorithms those that are accepted
 * @throws Refusal saying what is wrong
 */
export function readDetachedJws(
  text: string | undefined,
  algorithms: readonly SignatureAlgorithm[],
): DetachedJws {
  if (text === undefined || text === '') {
    throw signatureInvalid('The request is not signed: it has no header Signature.');
  }
  if (text.length > SIGNATURE_CHARS_MAX) {
    throw signatureInvalid(`The header Signature must have at most ${SIGNATURE_CHARS_MAX} characters.`);
  }
  const [header = '', payload, signature = '', ...rest] = text.trim().split('.');
  const isWhole = BASE64URL.test(header) && BASE64URL.test(signature) && rest.length === 0;
  if (!isWhole || payload !== '') {
    throw signatureInvalid(`The header Signature must be one detached JWS: ${FORM}.`);
  }
  return { header, signature, ...readHeader(header, algorithms) };
}

function readHeader(
  encoded: string,
  algorithms: readonly SignatureAlgorithm[],
): Pick<DetachedJws, 'alg' | 'kid'> {
  const header = decode(encoded);
  if (header === null) throw signatureInvalid('The header of the JWS is not a JSON object.');
  const alg = algorithms.find((allowed) => allowed === header.alg);
  if (alg === undefined) {
    throw signatureInvalid(`The algorithm of the signature must be ${algorithms.join(' or ')}.`);
  }
  // An extension that must be understood is not; above all none by which the payload would be signed in another form.
  if (header.crit !== undefined || (header.b64 !== undefined && header.b64 !== true)) {
    throw signatureInvalid('The header of the JWS asks for an extension (crit, b64), which is not taken.');
  }
  const { kid } = header;
  // There are libraries that write a member they have nothing for.
  if (kid === undefined || kid === null || kid === '') return { alg, kid: null };
  if (typeof kid !== 'string' || kid.length > KID_CHARS_MAX || /[\p{Cc}\p{Cs}]/u.test(kid)) {
    throw signatureInvalid(`The kid of the signature must be text of at most ${KID_CHARS_MAX} characters.`);
  }
  return { alg, kid };
}

function decode(encoded: string): Readonly<Record<string, unknown>> | null {
  try {
    const bytes = Buffer.from(encoded, 'base64url');
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    const isObject = typeof header === 'object' && header !== null && !Array.isArray(header);
    return isObject ? (header as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Whether a key made the signature over this payload. @param payload canonical bytes */
export async function isSignedBy(
  jws: DetachedJws,
  payload: Uint8Array,
  key: Pick<PartnerKey, 'key'>,
): Promise<boolean> {
  const whole = {
    protected: jws.header,
    payload: Buffer.from(payload).toString('base64url'),
    signature: jws.signature,
  };
  try {
    await flattenedVerify(whole, key.key, { algorithms: [jws.alg] });
    return true;
  } catch {
    return false;
  }
}
