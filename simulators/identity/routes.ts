import { randomUUID } from 'node:crypto';
import type { Answer, Route } from '../shared/routes.ts';
import { failure } from '../shared/server.ts';
import { authorizePath } from './authorize.ts';
import { formOf, type Grant, oauthError, readGrant } from './clients.ts';
import type { Consent } from './codes.ts';
import type { Identity } from './identity.ts';
import { personalClaims } from './users.ts';

/** Where clients get tokens. */
export const tokenPath = '/token';
const jwksPath = '/jwks';

/** What a token is asked for with: a client's own credentials, or the code of somebody who has signed in. */
type TokenRequest = Grant | { form: Record<string, string> };

/** The client credentials grant and the authorization code grant. */
export function tokenRoute(identity: Identity): Route<TokenRequest> {
  return {
    method: 'POST',
    path: tokenPath,
    read: (request) => {
      const form = formOf(request);
      return form?.grant_type === 'authorization_code'
        ? { value: { form } }
        : readGrant(request, identity.clients);
    },
    handle: async (request) => {
      if (!('form' in request)) return issue(identity, request);
      const redeemed = identity.codes.redeem(request.form);
      return 'answer' in redeemed ? redeemed.answer : issueTo(identity, redeemed.consent);
    },
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
        authorization_endpoint: issuer() + authorizePath,
        token_endpoint: issuer() + tokenPath,
        jwks_uri: issuer() + jwksPath,
        grant_types_supported: ['client_credentials', 'authorization_code'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        id_token_signing_alg_values_supported: ['RS256', 'ES256'],
        response_types_supported: ['code'],
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

function issue(identity: Identity, { client, scope }: Grant): Promise<Answer> {
  const claims = { sub: client.client_id, azp: client.client_id };
  return answerWith(identity, claims, scope);
}

/** Tokens about somebody who has signed in: one for the API, and one that tells the client who it is. */
async function issueTo(identity: Identity, { user, clientId, scope, nonce }: Consent): Promise<Answer> {
  const claims = { ...personalClaims(user), aud: clientId, azp: clientId };
  const idClaims = { ...usualClaims(identity, identity.tokenSeconds), sub: user.sub, name: user.name };
  const idToken = await identity.keys.sign(
    { ...idClaims, aud: clientId, ...(nonce !== null && { nonce }) },
    { alg: 'RS256', key: 'current' },
  );
  return answerWith(identity, claims, scope, { id_token: idToken });
}

async function answerWith(
  identity: Identity,
  about: Record<string, unknown>,
  scope: string | null,
  more: object = {},
): Promise<Answer> {
  const { keys, rules, tokenSeconds } = identity;
  const claims = {
    ...usualClaims(identity, rules.lives_seconds ?? tokenSeconds),
    ...about,
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
      ...more,
    },
  };
}
