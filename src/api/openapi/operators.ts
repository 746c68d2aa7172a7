import type { z } from 'zod';
import { HTTP_REFUSALS } from '../errors.ts';
import type { EndpointDescription } from '../operator/endpoint.ts';
import { STATEMENT_UPLOAD_ENDPOINT } from '../operator/statement-upload-description.ts';
import { problem } from '../operator/wire/common.ts';
import { componentRef, type JsonSchema, jsonSchemaOf } from './json-schema.ts';
import type { Published } from './operations.ts';

/** The tag of the operators' endpoints. */
export const OPERATORS_TAG = {
  name: 'operators',
  description:
    'For the people who run the programme: what there is to see, and what can be done about it. Refusals are problem ' +
    'details (RFC 9457) with a code.',
};

/** Refusals that any endpoint may give to who must be signed in. */
const ACCESS_STATUSES = [401, 403, 503] as const;

const PROBLEM = 'Problem';

/** What operators may ask, as part of the document. */
export function operatorPaths(endpoints: readonly EndpointDescription[]): Published {
  const published = [...endpoints.map(endpointPath), uploadPath()];
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { path, method, operation } of published) paths[path] = { ...paths[path], [method]: operation };
  const schemas = Object.assign({}, ...published.map((one) => one.schemas));
  return { paths, schemas: { ...schemas, [PROBLEM]: jsonSchemaOf(problem) } };
}

interface Described {
  readonly path: string;
  readonly method: string;
  readonly operation: Readonly<Record<string, unknown>>;
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

function endpointPath(one: EndpointDescription): Described {
  const { path, body } = one;
  const name = typeName(one);
  const takesBody = one.method === 'POST' && Object.keys(propertiesOf(body)).length > 0;
  const answer = `${name}Answer`;
  const request = `${name}Request`;
  return {
    path,
    method: one.method.toLowerCase(),
    operation: {
      ...common(one, answer),
      ...parametersOf(one),
      ...(takesBody ? { requestBody: { required: true, content: json(request) } } : {}),
    },
    schemas: {
      [answer]: jsonSchemaOf(one.answer),
      ...(takesBody ? { [request]: jsonSchemaOf(body) } : {}),
    },
  };
}

function uploadPath(): Described {
  const one = STATEMENT_UPLOAD_ENDPOINT;
  const file = { type: 'string', format: 'binary', description: 'The file, with a name.' };
  const reason = { type: 'string', minLength: 3, maxLength: 500, description: 'Why; comes before the file.' };
  const form = { type: 'object', properties: { reason, [one.field]: file }, required: [one.field] };
  const answer = `${typeName(one)}Answer`;
  return {
    path: one.path,
    method: 'post',
    operation: {
      ...common(one, answer),
      requestBody: { required: true, content: { 'multipart/form-data': { schema: form } } },
    },
    schemas: { [answer]: jsonSchemaOf(one.answer) },
  };
}

function common(one: EndpointDescription, answer: string) {
  return {
    operationId: operationId(one),
    tags: [OPERATORS_TAG.name],
    summary: one.role === null || one.role === 'viewer' ? one.summary : `${one.summary} (role ${one.role})`,
    security: one.role === null ? [] : [{ token: [] }],
    responses: { 200: { description: 'What was asked for.', content: json(answer) }, ...refusalsOf(one) },
  };
}

/** Of the path first; those of the query need not be given unless the schema says so. */
function parametersOf({ params, query }: EndpointDescription) {
  const parameters = [
    ...Object.entries(propertiesOf(params)).map(([name, schema]) => ({
      name,
      in: 'path',
      required: true,
      schema,
    })),
    ...Object.entries(propertiesOf(query)).map(([name, schema]) => ({
      name,
      in: 'query',
      required: requiredOf(query).includes(name),
      schema,
    })),
  ];
  return parameters.length > 0 ? { parameters } : {};
}

/** By status: what HTTP itself refuses, what access refuses, and the endpoint's own codes. */
function refusalsOf({ role, refusals }: EndpointDescription): Record<string, unknown> {
  const usual = Object.keys(HTTP_REFUSALS)
    .map(Number)
    .filter((status) => status !== 404 && status !== 405);
  const statuses = new Set([
    ...usual,
    ...(role === null ? [] : ACCESS_STATUSES),
    ...Object.values(refusals),
    500,
  ]);
  return Object.fromEntries(
    [...statuses]
      .sort((a, b) => a - b)
      .map((status) => {
        const codes = Object.entries(refusals).flatMap(([code, its]) => (its === status ? [code] : []));
        const named = codes.length > 0 ? `: ${codes.join(', ')}` : '';
        const description =
          status === 500 ? 'A fault of ours; the log has its id.' : `The request is refused${named}.`;
        return [status, { description, content: { 'application/problem+json': ref(PROBLEM) } }];
      }),
  );
}

const ref = (name: string) => ({ schema: { $ref: componentRef(name) } });
const json = (name: string) => ({ 'application/json': ref(name) });

const propertiesOf = (schema: z.ZodType): Readonly<Record<string, unknown>> =>
  (jsonSchemaOf(schema).properties ?? {}) as Record<string, unknown>;

const requiredOf = (schema: z.ZodType): readonly string[] =>
  (jsonSchemaOf(schema).required ?? []) as readonly string[];

/** `GET /operator/errors/{stage}` is `get_operator_errors_stage`. */
const operationId = ({ method, path }: EndpointDescription): string =>
  `${method.toLowerCase()}${path.replaceAll(/[/-]/g, '_').replaceAll(/[{}]/g, '')}`;

/** `GET /operator/errors/{stage}` is `GetOperatorErrorsStage`. */
const typeName = (one: EndpointDescription): string =>
  operationId(one)
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
