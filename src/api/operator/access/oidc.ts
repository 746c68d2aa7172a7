import type { FastifyRequest } from 'fastify';
import type { JWTPayload } from 'jose';
import type { Clock } from '../../../runtime/clock.ts';
import { bearerOf, invalidToken } from '../../oidc/bearer.ts';
import type { ProviderSettings } from '../../oidc/settings.ts';
import { tokenVerification } from '../../oidc/verify.ts';
import { filledIdentifier } from '../../partner/fields.ts';
import { ProblemError } from '../problem.ts';
import type { Operator } from '../wire/common.ts';
import { type RoleNames, roleIn } from './roles.ts';

/** The provider whose people are operators, and what its tokens say. */
export interface OperatorProvider extends ProviderSettings {
  /** Of the dashboard, which has no secret. */
  readonly clientId: string;
  /** What the dashboard asks for, separated by spaces. */
  readonly scope: string;
  /** What the dashboard speaks to besides the issuer's origin. */
  readonly connectOrigins: readonly string[];
  /** Where a token has the roles, see {@link roleIn}. */
  readonly roleClaim: string;
  readonly roleNames: RoleNames;
}

/** Claims that hold a name for people, the best first. */
const NAME_CLAIMS = ['preferred_username', 'name'] as const;

/** Characters that nobody sees: control and format characters, among them those that turn the direction of text. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const ALL_UNSEEN = new RegExp(UNSEEN, 'gu');

/**
 * Finds the operator of a request by a bearer token of the provider.
 *
 * @param onProblem told in one line why the provider's keys could not be fetched
 * @returns throws TokenError, ProviderUnavailableError, and ProblemError ROLE_MISSING for people who are no operators
 */
export function providerOperator(
  provider: OperatorProvider,
  clock: Clock,
  onProblem: (problem: string) => void,
): (request: FastifyRequest) => Promise<Operator> {
  const verify = tokenVerification(provider, clock, onProblem);
  return async ({ headers }) => operatorIn(await verify(bearerOf(headers.authorization)), provider);
}

function operatorIn(claims: JWTPayload, { roleClaim, roleNames }: OperatorProvider): Operator {
  const id = filledIdentifier.safeParse(claims.sub);
  if (!id.success || UNSEEN.test(id.data))
    throw invalidToken('The token names nobody: its claim sub is missing or is no id.');
  const name = NAME_CLAIMS.map((claim) => shown(claims[claim])).find(Boolean);
  const role = roleIn(claims, roleClaim, roleNames);
  if (role !== null) return { id: id.data, name: name ?? id.data, role };
  const wanted = Object.values(roleNames).flat().join(', ');
  const sentence = `${name ?? id.data} is no operator: the claim ${roleClaim} of the token has none of ${wanted}.`;
  throw new ProblemError(403, 'ROLE_MISSING', sentence);
}

/** A name as it may stand in a list: undefined when nothing of it can be seen. */
const shown = (claim: unknown): string | undefined =>
  typeof claim === 'string'
    ? filledIdentifier.safeParse(claim.replace(ALL_UNSEEN, '').trim()).data
    : undefined;
