import type { AccessOnWire } from '../../api/operator/wire/access.ts';
import type { Credential } from '../credential.ts';

type Provider = NonNullable<AccessOnWire['oidc']>;

/** What is kept while the browser is at the provider. */
interface UnderWay {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Where in the app to go back to. */
  readonly hash: string;
}

const KEY = 'g2p-bridge.sign-in';

/** Why signing in did not work; its message is for people. */
export class SignInError extends Error {
  override readonly name = 'SignInError';
}

/** Where the provider sends the browser back to: this page, without query and place. */
function redirectUri(): string {
  const url = new URL(window.location.href);
  url.search = '';
  url.hash = '';
  return url.href;
}

// Only who signs in this way needs the library.
const library = () => import('oauth4webapi');

async function serverOf(provider: Provider) {
  const oauth = await library();
  const issuer = new URL(provider.issuer);
  const insecure = { [oauth.allowInsecureRequests]: issuer.protocol === 'http:' };
  const response = await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oidc' });
  const server = await oauth.processDiscoveryResponse(issuer, response);
  return { oauth, insecure, server, client: { client_id: provider.client_id } };
}

/**
 * Sends the browser to the provider (authorization code with PKCE); it comes back with a code.
 *
 * @throws SignInError when the provider cannot be asked
 */
export async function beginSignIn(provider: Provider): Promise<void> {
  const { oauth, server } = await serverOf(provider).catch((cause: unknown) => {
    throw new SignInError(
      `The identity provider at ${provider.issuer} does not answer. Check that it runs and may be reached from this browser.`,
      { cause },
    );
  });
  if (server.authorization_endpoint === undefined) {
    throw new SignInError(`The identity provider at ${provider.issuer} names no page to sign in at.`);
  }
  const underWay: UnderWay = {
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    verifier: oauth.generateRandomCodeVerifier(),
    hash: window.location.hash,
  };
  window.sessionStorage.setItem(KEY, JSON.stringify(underWay));
  const url = new URL(server.authorization_endpoint);
  const query = {
    response_type: 'code',
    client_id: provider.client_id,
    redirect_uri: redirectUri(),
    scope: provider.scope,
    state: underWay.state,
    nonce: underWay.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(underWay.verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  window.location.assign(url);
}

/** Whether the browser comes back from the provider. */
export function comesBack(): boolean {
  const query = new URLSearchParams(window.location.search);
  return query.has('state') && (query.has('code') || query.has('error'));
}

/**
 * Takes the token for the code that the browser came back with, and clears the address of it.
 *
 * @throws SignInError
 */
export async function finishSignIn(provider: Provider): Promise<Credential> {
  const answered = new URL(window.location.href);
  const underWay = takeUnderWay();
  window.history.replaceState(null, '', redirectUri() + (underWay?.hash ?? ''));
  if (underWay === null) throw new SignInError('This sign-in was not begun in this tab. Sign in again.');
  try {
    const { oauth, insecure, server, client } = await serverOf(provider);
    const parameters = oauth.validateAuthResponse(server, client, answered, underWay.state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      redirectUri(),
      underWay.verifier,
      insecure,
    );
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: underWay.nonce,
      requireIdToken: true,
    });
    const lifetimeSeconds = tokens.expires_in;
    return {
      bearer: tokens.access_token,
      expiresAt: lifetimeSeconds === undefined ? null : Date.now() + lifetimeSeconds * 1_000,
    };
  } catch (cause) {
    throw new SignInError(`The identity provider did not sign you in${reasonOf(cause)}. Sign in again.`, {
      cause,
    });
  }
}

function takeUnderWay(): UnderWay | null {
  try {
    const kept = JSON.parse(window.sessionStorage.getItem(KEY) ?? 'null') as UnderWay | null;
    window.sessionStorage.removeItem(KEY);
    return kept;
  } catch {
    return null;
  }
}

/** What the provider or the library says, where it says anything. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return '';
  const said = (cause as { error_description?: unknown }).error_description ?? cause.message;
  return typeof said === 'string' && said !== '' ? `: ${said.replace(/\.$/, '')}` : '';
}
