import type { Sql } from 'postgres';
import type { Route } from '../shared/routes.ts';
import { type Enveloped, envelopeOf, openEnvelope, refused, success } from './envelope.ts';
import {
  type LinkRequest,
  link,
  linkSchema,
  type ResolveRequest,
  refuseAll,
  resolve,
  resolveSchema,
  type UnlinkRequest,
  unlink,
  unlinkSchema,
} from './links.ts';
import type { Rules } from './rules.ts';

/** Where ids become addresses. */
export const resolvePath = '/resolve';

export function resolveRoute(sql: Sql, rules: Rules): Route<Enveloped<ResolveRequest>> {
  const schema = envelopeOf(resolveSchema);
  return {
    method: 'POST',
    path: resolvePath,
    read: (request) => openEnvelope(schema, request.body),
    handle: async ({ requestId, payload }) => {
      const error = rules.nextError();
      return error === null
        ? success(requestId, await resolve(sql, rules, payload))
        : refused(requestId, error);
    },
    refusal: ({ requestId, payload }) =>
      success(requestId, {
        transaction_id: payload.transaction_id,
        resolve_response: refuseAll(payload.resolve_request).map((item) => ({
          ...item,
          account_provider_info: null,
        })),
      }),
  };
}

export function linkRoute(sql: Sql): Route<Enveloped<LinkRequest>> {
  const schema = envelopeOf(linkSchema);
  return {
    method: 'POST',
    path: '/link',
    read: (request) => openEnvelope(schema, request.body),
    handle: async ({ requestId, payload }) => success(requestId, await link(sql, payload)),
    refusal: ({ requestId, payload }) =>
      success(requestId, {
        transaction_id: payload.transaction_id,
        link_response: refuseAll(payload.link_request),
      }),
  };
}

export function unlinkRoute(sql: Sql): Route<Enveloped<UnlinkRequest>> {
  const schema = envelopeOf(unlinkSchema);
  return {
    method: 'POST',
    path: '/unlink',
    read: (request) => openEnvelope(schema, request.body),
    handle: async ({ requestId, payload }) => success(requestId, await unlink(sql, payload)),
    refusal: ({ requestId, payload }) =>
      success(requestId, {
        transaction_id: payload.transaction_id,
        unlink_response: refuseAll(payload.unlink_request),
      }),
  };
}
