import { open } from 'node:fs/promises';
import type { KeySource, Warn } from './key-source.ts';
import { NO_KEYS, type PartnerKeys, readPartnerKeys } from './partner-key.ts';

const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** A file of keys cannot be used. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  readonly code = 'PARTNER_KEY_FILE_UNUSABLE';
}

/** What a file said, and by what it is noticed that it says something else now. */
interface Version {
  readonly stamp: string;
  readonly partners: ReadonlyMap<string, PartnerKeys>;
}

/**
 * Keys of partners from a file: a JSON object of JWKS by partner, `{ "PARTNER_PBMS": { "keys": [ … ] } }`. It is read
 * again when it has changed; when it cannot be used then, the keys it had before stay in use.
 */
export class KeyFile implements KeySource {
  readonly #path: string;
  readonly #warn: Warn;
  #version: Version;
  /** What was last found wrong, so that it is said once. */
  #problem = '';

  private constructor(path: string, version: Version, warn: Warn) {
    this.#path = path;
    this.#version = version;
    this.#warn = warn;
  }

  /** Reads the file. @throws KeyFileError when it cannot be used; the message goes on after the name of the file */
  static async open(path: string, warn: Warn): Promise<KeyFile> {
    return new KeyFile(path, await readFile(path, null), warn);
  }

  async keysOf(partner: string): Promise<PartnerKeys> {
    try {
      this.#version = await readFile(this.#path, this.#version);
      this.#problem = '';
    } catch (error) {
      if (!(error instanceof KeyFileError)) throw error;
      if (error.message !== this.#problem) {
        this.#warn({ code: error.code }, `${this.#path} ${error.message}; the keys it had stay in use.`);
      }
      this.#problem = error.message;
    }
    return this.#version.partners.get(partner) ?? NO_KEYS;
  }

  async close(): Promise<void> {}
}

/** @param known what was read before; answered again when the file has not changed */
async function readFile(path: string, known: Version | null): Promise<Version> {
  const file = await open(path).catch((error: Error) => {
    throw new KeyFileError(`cannot be read: ${error.message}`);
  });
  try {
    const { ino, mtimeNs, size } = await file.stat({ bigint: true });
    const stamp = `${ino} ${mtimeNs} ${size}`;
    if (known?.stamp === stamp) return known;
    if (size > FILE_BYTES_MAX) throw new KeyFileError(`has more than ${FILE_BYTES_MAX} bytes`);
    return { stamp, partners: readPartners(await file.readFile('utf8')) };
  } catch (error) {
    if (error instanceof KeyFileError || !(error instanceof Error)) throw error;
    throw new KeyFileError(`cannot be read: ${error.message}`);
  } finally {
    await file.close();
  }
}

function readPartners(text: string): ReadonlyMap<string, PartnerKeys> {
  const document = jsonOf(text);
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new KeyFileError('is not a JSON object of JWKS by partner');
  }
  const partners = new Map<string, PartnerKeys>();
  for (const [partner, jwks] of Object.entries(document)) {
    if (!partner.startsWith('PARTNER_')) {
      throw new KeyFileError(
        `has keys of ${JSON.stringify(partner)}; partners are called PARTNER_ and their mnemonic`,
      );
    }
    const keys = readPartnerKeys(jwks);
    if (keys === null)
      throw new KeyFileError(`has no JWKS of at most 100 keys for ${JSON.stringify(partner)}`);
    const [unusable] = keys.unusable;
    if (unusable) {
      const name = unusable.kid === null ? 'a key' : `the key ${JSON.stringify(unusable.kid)}`;
      throw new KeyFileError(`has ${name} of ${JSON.stringify(partner)} that ${unusable.why}`);
    }
    partners.set(partner, keys);
  }
  return partners;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new KeyFileError('is not JSON');
  }
}
