import type { FastifyRequest } from 'fastify';
import type { Sql } from 'postgres';
import { z } from 'zod';
import type { Answer, Route } from '../shared/routes.ts';
import { type TrustOptions, tokenProblem } from '../shared/trust.ts';
import { check } from '../shared/validation.ts';
import { publishedKeys, signText } from './keys.ts';
import { misSigned, type WrongAnswer } from './rules.ts';

/** What the key manager's paths work with. */
export interface KeyManager {
  sql: Sql;
  trust: TrustOptions;
  /** What is answered in place of a signature; null: nothing is. */
  wrongAnswer: WrongAnswer | null;
}

const dataCharactersMax = 64 * 1024 * 1024;
const keyName = z.string().max(256);

const signSchema = z.strictObject({
  id: z.string().max(256),
  version: z.string().max(256),
  requesttime: z.iso.datetime(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  request: z.strictObject({
    dataToSign: z
      .string()
      .min(1)
      .max(dataCharactersMax)
      .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url without padding'),
    applicationId: keyName.min(1),
    referenceId: keyName,
    includePayload: z.boolean(),
    includeCertificate: z.literal(false),
    includeCertHash: z.literal(false),
  }),
});

type SignRequest = z.infer<typeof signSchema>;

/** Signs JSON text. Refusals are HTTP 200 with `errors`, as in the real one. */
export function signRoute(manager: KeyManager): Route<SignRequest> {
  return {
    method: 'POST',
    path: '/jwtSign',
    read: (request) => {
      const checked = check(signSchema, request.body);
      return 'value' in checked ? checked : { answer: refused('KER-KMS-005', checked.problem) };
    },
    handle: (value) => sign(manager, value),
    refusal: () => refused('KER-KMS-012', 'Key is not valid.'),
  };
}

/** The public keys of all that is signed. */
export function jwksRoute({ sql }: KeyManager): Route<null> {
  return {
    method: 'GET',
    path: '/jwks',
    read: () => ({ value: null }),
    handle: async () => ({ status: 200, body: await publishedKeys(sql) }),
    refusal: () => ({ status: 200, body: { keys: [] } }),
  };
}

/** @returns a function that gives the refusal of a request without a valid token, or null */
export function unauthorized({ trust }: KeyManager): (request: FastifyRequest) => Promise<Answer | null> {
  return async (request) => {
    const problem = await tokenProblem(request, trust);
    return problem === null ? null : { ...refused('KER-ATH-401', problem), status: 401 };
  };
}

async function sign(manager: KeyManager, { request }: SignRequest): Promise<Answer> {
  const { applicationId, referenceId, dataToSign, includePayload } = request;
  const text = Buffer.from(dataToSign, 'base64url');
  if (!isJson(text)) return refused('KER-JWS-101', 'Provided Data to sign is invalid JSON.');
  const signed = await signText(manager.sql, { applicationId, referenceId }, text);
  if (signed === null) return refused('KER-KMS-002', 'ApplicationId not found in Key Policy.');
  const { wrongAnswer } = manager;
  if (wrongAnswer === 'errors') return refused('KER-KMS-012', 'Key is not valid.');
  if (wrongAnswer === 'bare_text') return { status: 200, body: 'signed' };
  const jws = misSigned(signed, includePayload ? 'with_payload' : wrongAnswer);
  const response = jws === null ? null : { jwtSignedData: jws, timestamp: new Date().toISOString() };
  return message(response, null);
}

function isJson(text: Buffer): boolean {
  try {
    JSON.parse(text.toString());
    return true;
  } catch {
    return false;
  }
}

function refused(errorCode: string, problem: string): Answer {
  return message(null, [{ errorCode, message: problem }]);
}

function message(response: object | null, errors: object[] | null): Answer {
  const responsetime = new Date().toISOString();
  return {
    status: 200,
    body: { id: 'string', version: 'string', responsetime, metadata: null, response, errors },
  };
}
