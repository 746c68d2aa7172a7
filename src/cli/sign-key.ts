import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { CliError, EXIT } from './failure.ts';
import { asObject, textIn } from './partner-messages.ts';

/** What requests are signed with, from the command line. */
export interface SignOptions {
  readonly signKey?: string;
  readonly signKid?: string;
}

/** Signs the body of a request. @returns the value of the header `Signature` */
export type Sign = (body: Buffer) => Promise<string>;

const FILE_BYTES_MAX = 64 * 1024;
const RSA_BITS_MIN = 2_048;

/** Adds `--sign-key` and `--sign-kid` to a command. */
export function addSignOptions(command: Command): Command {
  return command
    .option(
      '--sign-key <file>',
      'sign requests with this private key: a JWK, or PEM together with --sign-kid',
    )
    .option('--sign-kid <id>', 'id (kid) that the server knows the key by; needed unless the JWK has one');
}

/**
 * What signs the requests of a command.
 *
 * @returns null when no key was given
 * @throws CliError SIGN_KEY_UNUSABLE naming the file and what is wrong with it
 */
export async function readSign(options: SignOptions): Promise<Sign | null> {
  const { signKey: path, signKid } = options;
  if (path === undefined) {
    if (signKid !== undefined) throw unusable('--sign-kid needs --sign-key.');
    return null;
  }
  const { key, kid: ownKid } = await readKey(path);
  const alg = algorithmOf(key, path);
  const kid = signKid ?? ownKid;
  if (kid === null || kid === '') throw unusable(`The key in ${path} has no id; say it with --sign-kid.`);
  // Commands that sign nothing need not wait for what signs.
  const [{ FlattenedSign }, { canonicalJson }] = await Promise.all([
    import('jose'),
    import('../api/partner/signature/canonical-json.ts'),
  ]);
  return async (body) => {
    const jws = await new FlattenedSign(canonicalJson(body)).setProtectedHeader({ alg, kid }).sign(key);
    return `${jws.protected}..${jws.signature}`;
  };
}

async function readKey(path: string): Promise<{ readonly key: KeyObject; readonly kid: string | null }> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw unusable(`${path} cannot be read: ${error.message}.`);
  });
  if (bytes.length > FILE_BYTES_MAX) throw unusable(`${path} is too large for a key.`);
  const text = bytes.toString('utf8').trim();
  try {
    if (!text.startsWith('{')) return { key: createPrivateKey(text), kid: null };
    const jwk = asObject(JSON.parse(text)) ?? {};
    return { key: createPrivateKey({ key: jwk, format: 'jwk' }), kid: textIn(jwk, 'kid') };
  } catch {
    // What goes wrong may quote the file.
    throw unusable(`${path} holds no private key as JWK or PEM, or an encrypted one.`);
  }
}

function algorithmOf(key: KeyObject, path: string): 'RS256' | 'ES256' {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= RSA_BITS_MIN) return 'RS256';
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256';
  throw unusable(
    `The key in ${path} must be RSA of at least ${RSA_BITS_MIN} bits, or EC on the curve P-256.`,
  );
}

const unusable = (sentence: string): CliError => new CliError('SIGN_KEY_UNUSABLE', sentence, EXIT.usage);
