import type { CallContext } from '../../call-context.ts';
import type { HttpOutcome } from '../../http.ts';
import type { RequestAuthorizer } from '../mapper-connector.ts';

const UNAUTHORIZED = 401;

/**
 * Sends a request with a token. When the other side answers 401, the token is given up and the request is sent once
 * more with a new one: a token can be revoked, or be from before the keys were changed, long before it expires.
 *
 * @param authorizer undefined: the request is sent without a token
 * @param send called once or twice, with the token
 * @throws ConnectorError when there is no token to be had
 */
export async function sendAuthorized(
  authorizer: RequestAuthorizer | undefined,
  ctx: CallContext,
  send: (token: string | null) => Promise<HttpOutcome>,
): Promise<HttpOutcome> {
  if (authorizer === undefined) return send(null);
  const first = await attempt(authorizer, ctx, send);
  return first.kind === 'answer' && first.status === UNAUTHORIZED ? attempt(authorizer, ctx, send) : first;
}

async function attempt(
  authorizer: RequestAuthorizer,
  ctx: CallContext,
  send: (token: string) => Promise<HttpOutcome>,
): Promise<HttpOutcome> {
  const token = await authorizer.bearerToken(ctx);
  const outcome = await send(token);
  if (outcome.kind === 'answer' && outcome.status === UNAUTHORIZED) authorizer.refused(token);
  return outcome;
}
