import type { PartnerKeys } from './partner-key.ts';

/** Where the public keys of partners come from. */
export interface KeySource {
  /**
   * The keys of a partner; none when nobody knows it.
   *
   * @param partner `PARTNER_` and the mnemonic, see `partnerOf`
   * @param kid the key that is wanted, null when any will do
   * @throws KeysUnavailableError when it cannot be said what keys there are
   */
  keysOf(partner: string, kid: string | null): Promise<PartnerKeys>;
  /** Waits for requests under way and closes connections. */
  close(): Promise<void>;
}

/** Nobody can say now what keys a partner has. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
  readonly code = 'PARTNER_KEYS_UNAVAILABLE';
}

/** Takes what operators should know. */
export type Warn = (fields: Readonly<Record<string, unknown>>, sentence: string) => void;

/** What a mnemonic must be to be looked up: on one line, and no longer than the wire allows. */
const MNEMONIC = /^[^\p{Cc}\p{Cs}]{1,255}$/u;

/**
 * The name that a sender's keys are kept under: `PARTNER_` and its mnemonic in capitals, hyphens made underscores, as
 * the partners' systems are registered.
 *
 * @returns null when the mnemonic can be nobody's
 */
export function partnerOf(senderAppMnemonic: string | null): string | null {
  if (senderAppMnemonic === null || !MNEMONIC.test(senderAppMnemonic)) return null;
  return `PARTNER_${senderAppMnemonic.replaceAll('-', '_').toUpperCase()}`;
}
