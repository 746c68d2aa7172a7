import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Answer } from '../shared/routes.ts';

const clientsMax = 100;
const text = z.string().min(1).max(1_000);

/**
 * Who may ask for tokens. With `client_secret` it may for itself: `scope` are the scopes it may have, separated by
 * spaces. With `redirect_uris` people may sign in to it, which needs no secret.
 */
export const clientsSchema = z
  .array(
    z.strictObject({
      client_id: text,
      client_secret: text.optional(),
      scope: text.optional(),
      redirect_uris: z.array(z.url()).max(clientsMax).optional(),
    }),
  )
  .max(clientsMax);

export type Client = z.infer<typeof clientsSchema>[number];

/** A client that proved to be itself, and the scope it gets. */
export interface Grant {
  client: Client;
  scope: string | null;
}

interface Credentials {
  id: string;
  secret: string;
}

/**
 * Reads a request of the client credentials grant (RFC 6749, sections 2.3.1, 4.4 and 5.2).
 *
 * @returns the grant, or the answer that refuses it
 */
export function readGrant(
  request: FastifyRequest,
  clients: readonly Client[],
): { value: Grant } | { answer: Answer } {
  const form = formOf(request);
  if (form === null) return refused(400, 'invalid_request', 'The body must be form-encoded.');
  const credentials = credentialsOf(request.headers.authorization, form);
  if (credentials === 'both') {
    return refused(400, 'invalid_request', 'Credentials belong in the header or in the body, not in both.');
  }
  const client = clients.find(({ client_id }) => client_id === credentials?.id);
  if (client === undefined || client.client_secret !== credentials?.secret) {
    return refused(401, 'invalid_client', 'The client is unknown or its secret is wrong.');
  }
  if (form.grant_type === undefined) return refused(400, 'invalid_request', 'grant_type is missing.');
  if (form.grant_type !== 'client_credentials') {
    return refused(400, 'unsupported_grant_type', 'Only client_credentials is supported.');
  }
  const allowed = new Set(client.scope?.split(' '));
  const wanted = form.scope?.split(' ').filter((scope) => scope !== '') ?? [...allowed];
  const foreign = wanted.find((scope) => !allowed.has(scope));
  if (foreign !== undefined) return refused(400, 'invalid_scope', `The client may not have ${foreign}.`);
  return { value: { client, scope: wanted.length === 0 ? null : wanted.join(' ') } };
}

/**
 * Whether browsers may be sent there after signing in to a client. On this machine the port does not matter
 * (RFC 8252 section 7.3), since programs take any that is free.
 */
export function isRedirectOf({ redirect_uris: known = [] }: Client, uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  return known.includes(uri) || known.some((one) => isLoopback(one) && portless(one) === portless(uri));
}

const isLoopback = (uri: string): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(new URL(uri).hostname);

function portless(uri: string): string {
  const url = new URL(uri);
  url.port = '';
  return url.href;
}

/** The refusal of a request for a token. */
export function oauthError(status: number, error: string, description: string): Answer {
  return { status, body: { error, error_description: description } };
}

function refused(status: number, error: string, description: string): { answer: Answer } {
  return { answer: oauthError(status, error, description) };
}

/** The fields of a form-encoded body; null: it is something else. */
export function formOf(request: FastifyRequest): Record<string, string> | null {
  if (!/^application\/x-www-form-urlencoded *(;|$)/i.test(request.headers['content-type'] ?? '')) return null;
  return Object(request.body);
}

function credentialsOf(
  authorization: string | undefined,
  form: Record<string, string>,
): Credentials | 'both' | null {
  const { client_id: id, client_secret: secret } = form;
  if (authorization === undefined) {
    return id === undefined || secret === undefined ? null : { id, secret };
  }
  return secret === undefined ? basicCredentials(authorization) : 'both';
}

/** HTTP Basic, of which each half was form-encoded before. */
function basicCredentials(authorization: string): Credentials | null {
  const encoded = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1];
  const [, id, secret] =
    encoded === undefined
      ? []
      : (/^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? []);
  if (id === undefined || secret === undefined) return null;
  try {
    return { id: formDecoded(id), secret: formDecoded(secret) };
  } catch {
    return null;
  }
}

function formDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
