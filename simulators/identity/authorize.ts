import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { failure } from '../shared/server.ts';
import { check } from '../shared/validation.ts';
import { type Client, isRedirectOf } from './clients.ts';
import type { Identity } from './identity.ts';
import { loginPage } from './login-page.ts';

/** Where browsers sign in. */
export const authorizePath = '/authorize';

const text = z.string().min(1).max(2_000);

/** Without these there is nowhere to send the browser back to. */
const returnSchema = z.looseObject({ client_id: text, redirect_uri: text });

/** RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID Connect Core 1.0 section 3.1.2.1. */
const requestSchema = z.looseObject({
  response_type: z.literal('code'),
  code_challenge: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be a challenge of method S256'),
  code_challenge_method: z.literal('S256'),
  scope: text.optional(),
  state: text.optional(),
  nonce: text.optional(),
});

/** Adds the page where people sign in, and where it leads. */
export function mountAuthorize(app: FastifyInstance, identity: Identity): void {
  app.get(authorizePath, async (request, reply) => {
    const asked = readRequest(request, reply, identity);
    if (asked === null) return reply;
    const action = request.url;
    return reply.type('text/html; charset=utf-8').send(loginPage(identity.users, asked.clientId, action));
  });
  app.post(authorizePath, async (request, reply) => {
    const asked = readRequest(request, reply, identity);
    if (asked === null) return reply;
    const { clientId, redirectUri, scope, state, nonce, challenge } = asked;
    const form: Record<string, unknown> = Object(request.body);
    const user = identity.users.find(({ sub }) => sub === form.user);
    const back = { iss: identity.issuer(), ...(state !== null && { state }) };
    if (user === undefined) return sendBack(reply, redirectUri, { ...back, error: 'access_denied' });
    const code = identity.codes.issue({ user, clientId, redirectUri, scope, nonce, challenge });
    return sendBack(reply, redirectUri, { ...back, code });
  });
}

/** What a client asked for; null when that has been answered with a refusal. */
function readRequest({ query }: FastifyRequest, reply: FastifyReply, { clients, issuer }: Identity) {
  const where = check(returnSchema, query);
  if ('problem' in where) {
    reply.code(400).send(failure(where.problem));
    return null;
  }
  const { client_id: clientId, redirect_uri: redirectUri } = where.value;
  const client: Client | undefined = clients.find((one) => one.client_id === clientId);
  if (client === undefined || !isRedirectOf(client, redirectUri)) {
    reply.code(400).send(failure('The client is unknown, or the redirect_uri is not one of its own.'));
    return null;
  }
  const asked = check(requestSchema, query);
  if ('problem' in asked) {
    const state = Object(query).state;
    sendBack(reply, redirectUri, {
      iss: issuer(),
      error: 'invalid_request',
      error_description: asked.problem,
      ...(typeof state === 'string' && { state }),
    });
    return null;
  }
  const { code_challenge: challenge, scope = null, state = null, nonce = null } = asked.value;
  return { clientId, redirectUri, challenge, scope, state, nonce };
}

function sendBack(reply: FastifyReply, uri: string, parameters: Record<string, string>): FastifyReply {
  const url = new URL(uri);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return reply.redirect(url.href, 303);
}
