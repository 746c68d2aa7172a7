import { randomUUID } from 'node:crypto';
import type { Answer, Route } from '../shared/routes.ts';
import { failure } from '../shared/server.ts';
import { type Client, type Grant, oauthError, readGrant } from './clients.ts';
import type { KeyRing } from './keys.ts';
import type { TokenRules } from './rules.ts';

/** What the identity server's paths work with. */
export interface Identity {
  keys: KeyRing;
  clients: readonly Client[];
  /** The issuer's URL, without a slash at the end; known once the server listens. */
  issuer: () => string;
  /** How long a token is good for, in seconds. */
  tokenSeconds: number;
  /** How the answers of `/token` depart from what is right. */
  rules: TokenRules;
}

/** Where clients get tokens. */
export const tokenPath = '/token';
const jwksPath = '/jwks';

/** The client credentials grant. */
export function tokenRoute(identity: Identity): Route<Grant> {
  return {
    method: 'POST',
    path: tokenPath,
    read: (request) => readGrant(request, identity.clients),
    handle: (grant) => issue(identity, grant),
    refusal: () => oauthError(400, 'unauthorized_client', 'The client may not have tokens.'),
  };
}

/** The published keys. */
export function jwksRoute({ keys }: Identity): Route<null> {
  return {
    method: 'GET',
    path: jwksPath,
    read: () => ({ value: null }),
    handle: async () => ({ status: 200, body: keys.jwks() }),
    refusal: () => ({ status: 200, body: { keys: [] } }),
  };
}

/** What the server says of itself (OpenID Connect Discovery 1.0). */
export function discoveryRoute({ issuer }: Identity): Route<null> {
  return {
    method: 'GET',
    path: '/.well-known/openid-configuration',
    read: () => ({ value: null }),
    handle: async () => ({
      status: 200,
      body: {
        issuer: issuer(),
        token_endpoint: issuer() + tokenPath,
        jwks_uri: issuer() + jwksPath,
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
        id_token_signing_alg_values_supported: ['RS256', 'ES256'],
        response_types_supported: ['token'],
        subject_types_supported: ['public'],
      },
    }),
    refusal: () => ({ status: 404, body: failure('There is no such realm.') }),
  };
}

/** The claims that every token has unless it is told otherwise. */
export function usualClaims({ issuer }: Identity, livesSeconds: number): Record<string, unknown> {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  return { iss: issuer(), iat: nowSeconds, exp: nowSeconds + livesSeconds, jti: randomUUID() };
}

async function issue(identity: Identity, { client, scope }: Grant): Promise<Answer> {
  const { keys, rules, tokenSeconds } = identity;
  const claims = {
    ...usualClaims(identity, rules.lives_seconds ?? tokenSeconds),
    sub: client.client_id,
    azp: client.client_id,
    ...(scope !== null && { scope }),
  };
  const expiresIn = rules.expires_in === undefined ? tokenSeconds : rules.expires_in;
  return {
    status: 200,
    body: {
      access_token: await keys.sign(claims, { alg: 'RS256', key: rules.key ?? 'current' }),
      token_type: rules.token_type ?? 'Bearer',
      ...(expiresIn !== null && { expires_in: expiresIn }),
      ...(scope !== null && { scope }),
    },
  };
}
