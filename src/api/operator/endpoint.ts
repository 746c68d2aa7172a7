import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type ActionName, NOTHING_YET, recordAction } from './audit-log.ts';
import type { OperatorContext } from './context.ts';
import { ProblemError } from './problem.ts';
import { type Operator, ROLES, type Role } from './wire/common.ts';

/** What a handler is given: everything has been checked. */
export interface Asked<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly operator: Operator;
}

/** What a REST endpoint for operators takes and answers; its published description is made of it. */
export interface EndpointDescription {
  readonly method: 'GET' | 'POST';
  /** Below the root path, with parameters in braces: `/operator/envelopes/{id}`. */
  readonly path: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** Who may ask; null: everybody, signed in or not. */
  readonly role: Role | null;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly body: z.ZodType;
  readonly answer: z.ZodType;
  /** Refusals by rules of its own: code → status. */
  readonly refusals: Readonly<Record<string, number>>;
}

/** An endpoint with what it does. */
export interface Endpoint extends EndpointDescription {
  /** The action that it is, which the audit log has also when it is refused to who has not the role for it. */
  readonly audits?: ActionName;
  handle(context: OperatorContext, asked: Asked<unknown, unknown, unknown>): Promise<unknown>;
}

const nothing = z.object({});

interface Spec<P, Q, B, A> {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly summary: string;
  readonly role: Role | null;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  readonly answer: z.ZodType<A>;
  readonly refusals?: Readonly<Record<string, number>>;
  readonly audits?: ActionName;
  /** @throws ProblemError */
  handle(context: OperatorContext, asked: Asked<P, Q, B>): Promise<A>;
}

/** Describes an endpoint; what is left out takes nothing. */
export function endpoint<P = object, Q = object, B = object, A = unknown>(spec: Spec<P, Q, B, A>): Endpoint {
  return { params: nothing, query: nothing, body: nothing, refusals: {}, ...spec } as unknown as Endpoint;
}

/** An operator's request says little. */
const BODY_BYTES_MAX = 262_144;

/** Adds an endpoint to the API. Who asks is found out before anything else is looked at. */
export function addEndpoint(app: FastifyInstance, context: OperatorContext, one: Endpoint): void {
  app.route({
    method: one.method,
    url: one.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    bodyLimit: BODY_BYTES_MAX,
    onRequest: async (request: FastifyRequest) => {
      if (one.role !== null) request.operator = await requireRole(context, request, one);
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const answer = await one.handle(context, {
        params: read(one.params, request.params, 'path'),
        query: read(one.query, request.query, 'query'),
        body: read(one.body, request.body ?? {}, 'body'),
        operator: request.operator ?? NOBODY,
      });
      // What one operator may see must not be kept for another.
      return reply.header('cache-control', 'no-store').send(answer);
    },
  });
}

/** Who asks where nobody need sign in. */
const NOBODY: Operator = { id: '', name: '', role: 'viewer' };

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, on the operators' paths. */
    operator: Operator | null;
  }
}

/**
 * Who asks, before the request is read. Of an action that is refused to them the audit log has what is known by then.
 *
 * @throws ProblemError when nobody is signed in, or their role does not have the right
 */
export async function requireRole(
  { access, database, clock }: OperatorContext,
  request: FastifyRequest,
  { role, audits }: Pick<Endpoint, 'role' | 'audits'>,
): Promise<Operator> {
  const operator = await access.operatorOf(request);
  try {
    requireRight(operator, role ?? 'viewer', 'This');
  } catch (error) {
    if (audits !== undefined && error instanceof ProblemError) {
      const target = namesIn(request.params);
      const refused = { operator, action: audits, target, reason: '' };
      await recordAction(database.sql, clock, refused, NOTHING_YET, error.code);
    }
    throw error;
  }
  return operator;
}

/** What a path names, as far as the database takes it. */
const namesIn = (params: unknown): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(params as object).filter(([, value]) => /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(String(value))),
  );

/**
 * Requires that an operator has a role or more.
 *
 * @param what is asked for, as a sentence begins with it: "Releasing payments"
 * @throws ProblemError ROLE_MISSING
 */
export function requireRight(operator: Operator, role: Role, what: string): void {
  if (ROLES.indexOf(operator.role) >= ROLES.indexOf(role)) return;
  throw new ProblemError(
    403,
    'ROLE_MISSING',
    `${what} needs the role ${role}; ${operator.name} has the role ${operator.role}.`,
  );
}

function read<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || where;
  throw new ProblemError(
    400,
    'REQUEST_INVALID',
    `${field} of the ${where} is wrong: ${issue?.message ?? 'unreadable'}.`,
  );
}
