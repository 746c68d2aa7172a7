import packageJson from '../../../../package.json' with { type: 'json' };
import type { Settings } from '../../../config.ts';
import type { Database } from '../../../db/connection.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { bearerOf, invalidToken } from '../../oidc/bearer.ts';
import type { KeyLimits } from '../../oidc/settings.ts';
import type { Access } from '../access.ts';
import { identifying } from './identify.ts';
import { loopbackOperator } from './loopback.ts';
import { type OperatorProvider, providerOperator } from './oidc.ts';
import { Tickets } from './tickets.ts';
import { holderOf, isHolder } from './tokens.ts';

/** What finding out who asks works with. */
export interface AccessContext {
  readonly database: Database;
  readonly clock: Clock;
  /** Told in one line why the identity provider's keys could not be fetched. */
  readonly onProblem: (problem: string) => void;
  /** How the provider's keys are fetched; left out, in whole or in part: the defaults. */
  readonly keyLimits?: Partial<KeyLimits>;
}

/** Makes the access that the settings choose: by an identity provider if there is one, or else by tokens or loopback. */
export function openAccess(settings: Settings, context: AccessContext): Access {
  const provider = operatorProvider(settings);
  if (provider !== null) return accessByProvider(provider, context);
  return settings.operator_access === 'loopback' ? accessByLoopback(context) : accessByToken(context);
}

/** The provider is not asked about those whose tokens have expired, so nobody looks on for longer without a new one. */
const SOCKET_LIVES_MS = 15 * 60_000;

const { version } = packageJson;

function accessByProvider(provider: OperatorProvider, context: AccessContext): Access {
  const { database, clock, onProblem, keyLimits } = context;
  const identify = providerOperator({ ...provider, ...(keyLimits && { keyLimits }) }, clock, onProblem);
  const { issuer, clientId, scope, connectOrigins } = provider;
  return {
    description: { kind: 'oidc', oidc: { issuer, client_id: clientId, scope }, version },
    connectOrigins: [...new Set([new URL(issuer).origin, ...connectOrigins])],
    socketLivesMs: SOCKET_LIVES_MS,
    ...identifying(new Tickets(database.sql, clock), identify),
  };
}

function accessByToken({ database: { sql }, clock }: AccessContext): Access {
  return {
    description: { kind: 'token', oidc: null, version },
    connectOrigins: [],
    stillMay: ({ name, role }) => isHolder(sql, { name, role }),
    ...identifying(new Tickets(sql, clock), async ({ headers }) => {
      const holder = await holderOf(sql, bearerOf(headers.authorization));
      if (holder === null) throw invalidToken('The token is not known, or has been revoked.');
      return { id: holder.name, ...holder };
    }),
  };
}

function accessByLoopback({ database: { sql }, clock }: AccessContext): Access {
  return {
    description: { kind: 'loopback', oidc: null, version },
    connectOrigins: [],
    ...identifying(new Tickets(sql, clock), loopbackOperator),
  };
}

/** The operators' provider in the settings; null: there is none. */
function operatorProvider(settings: Settings): OperatorProvider | null {
  if (settings.operator_oidc_issuer === null) return null;
  return {
    issuer: settings.operator_oidc_issuer,
    jwksUrl: settings.operator_oidc_jwks_url,
    audiences: settings.operator_oidc_audience,
    clientId: settings.operator_oidc_client_id,
    scope: settings.operator_oidc_scope,
    connectOrigins: settings.operator_oidc_connect_origins,
    roleClaim: settings.operator_role_claim,
    roleNames: settings.operator_role_names,
  };
}
