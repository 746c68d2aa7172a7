import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  type X509Certificate,
} from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { z } from 'zod';
import { ConnectorError } from '../../connector-error.ts';
import { readPkcs12 } from './pkcs12.ts';

/** Where the key is that signs requests. */
export interface SigningKeyFile {
  /** A PKCS#12 file, or a JWK as JSON. */
  readonly path: string;
  /** Of the PKCS#12 file, in ASCII; empty for none. */
  readonly password: string;
  /** What the other side knows the key by; empty to take it from the file. */
  readonly kid: string;
}

/** A private key that can sign. */
export interface SigningKey {
  readonly key: KeyObject;
  readonly alg: 'RS256' | 'ES256';
  readonly kid: string;
}

const PATH_SETTING = 'G2P_BRIDGE_CRYPTO_SIGNING_KEY_PATH';
const PASSWORD_SETTING = 'G2P_BRIDGE_CRYPTO_SIGNING_KEY_PASSWORD';
const FILE_BYTES_MAX = 1_048_576;
/** Shorter ones are refused by whoever verifies (RFC 7518, section 3.3). */
const RSA_BITS_MIN = 2_048;
/** What a DER-encoded file, such as PKCS#12, begins with. */
const DER_SEQUENCE = 0x30;

const jwkSchema = z.looseObject({ kty: z.string(), d: z.string(), kid: z.string().min(1).optional() });

/**
 * Reads the key that signs requests.
 *
 * Its kid is the one that is set; otherwise, of a PKCS#12 file, the SHA-256 thumbprint of the key's certificate (as the
 * Python system does it), of a JWK its `kid`; otherwise the key's own thumbprint (RFC 7638).
 *
 * @throws ConnectorError SIGNING_KEY_UNUSABLE in one line that names the setting and what is wrong
 */
export async function readSigningKey(file: SigningKeyFile): Promise<SigningKey> {
  const content = await readWhole(file.path);
  const { key, kid } =
    content[0] === DER_SEQUENCE ? await fromPkcs12(content, file) : fromJwk(content, file.path);
  const alg = algorithmOf(key);
  if (alg === null) {
    throw unusable(
      file.path,
      `holds a key that is neither RSA of at least ${RSA_BITS_MIN} bits nor EC on P-256`,
    );
  }
  return { key, alg, kid: file.kid || kid || (await thumbprint(key)) };
}

async function readWhole(path: string): Promise<Buffer> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(path);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(FILE_BYTES_MAX + 1));
    if (bytesRead <= FILE_BYTES_MAX) return buffer.subarray(0, bytesRead);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw unusable(path, `cannot be read${code}`);
  } finally {
    await handle?.close();
  }
  throw unusable(path, `is larger than ${FILE_BYTES_MAX} bytes`);
}

interface FoundKey {
  readonly key: KeyObject;
  readonly kid: string | undefined;
}

async function fromPkcs12(content: Buffer, { path, password }: SigningKeyFile): Promise<FoundKey> {
  const opened = await readPkcs12(content, password);
  if (opened === 'password') {
    const problem = `${PASSWORD_SETTING} does not open the file that ${PATH_SETTING} names, ${path}.`;
    throw new ConnectorError('SIGNING_KEY_UNUSABLE', oneLine(problem), false);
  }
  if (opened === 'content') throw unusable(path, 'is damaged or no PKCS#12 file that can be read');
  const [key, another] = opened.keys;
  if (key === undefined) throw unusable(path, 'holds no private key');
  if (another !== undefined) throw unusable(path, 'holds more than one private key');
  return { key, kid: opened.certificates.filter((one) => one.checkPrivateKey(key)).map(fingerprint)[0] };
}

/** SHA-256 over the certificate, as text. */
function fingerprint(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('base64url');
}

function fromJwk(content: Buffer, path: string): FoundKey {
  const json = parseJson(content);
  if (typeof json !== 'object' || json === null) throw unusable(path, 'is neither a PKCS#12 file nor a JWK');
  const jwk = jwkSchema.safeParse(json);
  if (!jwk.success) throw unusable(path, 'holds no private key (a JWK with the member d)');
  try {
    return { key: createPrivateKey({ key: jwk.data, format: 'jwk' }), kid: jwk.data.kid };
  } catch {
    throw unusable(path, 'holds a JWK that is incomplete or of an unknown kind');
  }
}

function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString());
  } catch {
    return undefined;
  }
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): SigningKey['alg'] | null {
  const { modulusLength = 0, namedCurve } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'rsa' && modulusLength >= RSA_BITS_MIN) return 'RS256';
  if (asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256';
  return null;
}

async function thumbprint(key: KeyObject): Promise<string> {
  return calculateJwkThumbprint(await exportJWK(createPublicKey(key)));
}

function unusable(path: string, problem: string): ConnectorError {
  return new ConnectorError('SIGNING_KEY_UNUSABLE', oneLine(`${PATH_SETTING}: ${path} ${problem}.`), false);
}

/** A path may hold anything but NUL; a message is one line. */
function oneLine(message: string): string {
  return message.replace(/\p{Cc}+/gu, ' ');
}
