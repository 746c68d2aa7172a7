import { createHash, randomBytes } from 'node:crypto';
import type { Answer } from '../shared/routes.ts';
import { oauthError } from './clients.ts';
import type { User } from './users.ts';

const codesMax = 1_000;
const livesMs = 60_000;

/** What a person has agreed to by signing in: tokens about them for a client, which asked for them so. */
export interface Consent {
  user: User;
  clientId: string;
  redirectUri: string;
  scope: string | null;
  nonce: string | null;
  /** RFC 7636, method S256. */
  challenge: string;
}

/** The codes that browsers carry back to clients. Each gives tokens once, within a minute. */
export class Codes {
  readonly #given = new Map<string, { consent: Consent; expiresAt: number }>();

  issue(consent: Consent): string {
    const [oldest] = this.#given.keys();
    if (this.#given.size >= codesMax && oldest !== undefined) this.#given.delete(oldest);
    const code = randomBytes(32).toString('base64url');
    this.#given.set(code, { consent, expiresAt: Date.now() + livesMs });
    return code;
  }

  /**
   * Takes the code of a request of the authorization code grant (RFC 6749 section 4.1.3, RFC 7636 section 4.5). It is
   * used up, whatever comes of it.
   *
   * @returns what the person agreed to, or the answer that refuses
   */
  redeem(form: Record<string, string>): { consent: Consent } | { answer: Answer } {
    const given = this.#given.get(form.code ?? '');
    this.#given.delete(form.code ?? '');
    if (given === undefined || given.expiresAt <= Date.now()) {
      return refused('The code is unknown, has been used or has expired.');
    }
    const { consent } = given;
    if (form.client_id !== consent.clientId) return refused('The code is of another client.');
    if (form.redirect_uri !== consent.redirectUri) return refused('The redirect_uri is another.');
    const hash = createHash('sha256')
      .update(form.code_verifier ?? '')
      .digest('base64url');
    if (hash !== consent.challenge) return refused('The code_verifier does not fit the code_challenge.');
    return { consent };
  }
}

function refused(description: string): { answer: Answer } {
  return { answer: oauthError(400, 'invalid_grant', description) };
}
