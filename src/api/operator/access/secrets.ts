import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

/** A secret that nobody can guess: 256 bits of chance, in characters that need no quoting anywhere. */
export const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');

/**
 * What is kept of a secret: its SHA-256, hexadecimal. Secrets are looked up by it, so how long a look-up takes says
 * nothing about any secret; as they are made of chance alone, they need neither salt nor a slow hash.
 */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
