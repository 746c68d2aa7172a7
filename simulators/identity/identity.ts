import type { Client } from './clients.ts';
import type { Codes } from './codes.ts';
import type { KeyRing } from './keys.ts';
import type { TokenRules } from './rules.ts';
import type { User } from './users.ts';

/** What the identity server's paths work with. */
export interface Identity {
  keys: KeyRing;
  clients: readonly Client[];
  /** Who can sign in. */
  users: readonly User[];
  codes: Codes;
  /** The issuer's URL, without a slash at the end; known once the server listens. */
  issuer: () => string;
  /** How long a token is good for, in seconds. */
  tokenSeconds: number;
  /** How the answers of `/token` depart from what is right. */
  rules: TokenRules;
}
