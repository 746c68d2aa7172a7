import type { z } from 'zod';
import product from '../../../package.json' with { type: 'json' };
import { disbursementOnWire, disbursementPayload } from '../partner/disbursement-payload.ts';
import { envelopePayload, storedEnvelope } from '../partner/envelope-payload.ts';
import { geoRecord } from '../partner/geo-records.ts';
import { pagination, requestHeader } from '../partner/message.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { operationPath, type Published, uploadPath } from './operations.ts';
import { OPERATORS_TAG, operatorPaths } from './operators.ts';
import type { DocumentParts, Section } from './parts.ts';
import { pingPath, platformPaths } from './platform.ts';
import { httpResponses } from './refusals.ts';

/** An OpenAPI 3.1 document. */
export type OpenApiDocument = Readonly<Record<string, unknown>>;

/** What several operations have in common. */
const COMPONENTS: ReadonlyMap<z.ZodType, string> = new Map<z.ZodType, string>([
  [requestHeader, 'RequestHeader'],
  [pagination, 'PaginationRequest'],
  [envelopePayload, 'EnvelopePayload'],
  [storedEnvelope, 'Envelope'],
  [disbursementPayload, 'DisbursementPayload'],
  [disbursementOnWire, 'Disbursement'],
  [geoRecord, 'GeoRecord'],
]);

const DESCRIPTION = `${product.description}.

Every request of a partner or beneficiary, and its answer, is a message: a header, and a body with the payload. Whatever
reaches the rules is answered with HTTP 200, also when it is refused: \`response_status\` is ERROR then, and
\`response_error_code\` says why. Other statuses are for what is no message at all. The same request sent twice has the
effect of one.

Quantities are JSON numbers of any number of digits; requests may send them as decimal strings.`;

const PROOFS = {
  signature: {
    type: 'apiKey',
    in: 'header',
    name: 'Signature',
    description:
      'A detached JWS, `base64url(header)..base64url(signature)`, over the canonical JSON of the body ' +
      '(compact, UTF-8, keys sorted at every level).',
  },
  token: { type: 'http', scheme: 'bearer' },
};

/**
 * Describes the HTTP surface as OpenAPI 3.1, from the very schemas that requests are checked against and answers are
 * typed by.
 */
export function openApiDocument({
  rootPath,
  sections,
  operators,
  hasMetrics,
}: DocumentParts): OpenApiDocument {
  const messages = sections.flatMap((section) => [
    ...section.operations.map((operation) => operationPath(operation, section, COMPONENTS)),
    ...(section.uploads ?? []).map((upload) => uploadPath(upload, section, COMPONENTS)),
  ]);
  const published = [...messages, ...(operators ? [operatorPaths(operators)] : [])];
  const shared = [...COMPONENTS].map(([schema, name]) => [name, jsonSchemaOf(schema, COMPONENTS)]);
  return {
    openapi: '3.1.1',
    info: {
      title: product.name,
      version: product.version,
      description: DESCRIPTION,
      license: { name: product.license, identifier: product.license },
    },
    servers: [{ url: rootPath || '/' }],
    tags: [
      ...sections.map(({ name, description }) => ({ name, description })),
      ...(operators ? [OPERATORS_TAG] : []),
      { name: 'platform', description: 'What the platform asks a process.' },
    ],
    paths: {
      ...merged(published, 'paths'),
      '/ping': pingPath,
      ...platformPaths(hasMetrics),
    },
    components: {
      schemas: { ...Object.fromEntries(shared), ...merged(published, 'schemas') },
      responses: httpResponses(),
      securitySchemes: proofsOf(sections, operators !== null),
    },
  };
}

const merged = (published: readonly Published[], part: keyof Published): Record<string, unknown> =>
  Object.assign({}, ...published.map((one) => one[part]));

function proofsOf(sections: readonly Section[], withOperators: boolean): Record<string, unknown> {
  const asked: ReadonlySet<string | undefined> = new Set([
    ...sections.flatMap(({ operationProof, uploadProof }) => [operationProof?.kind, uploadProof?.kind]),
    ...(withOperators ? ['token'] : []),
  ]);
  return Object.fromEntries(Object.entries(PROOFS).filter(([name]) => asked.has(name)));
}
