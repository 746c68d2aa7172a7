import type { z } from 'zod';
import { failureOf, REQUEST_VALIDATION_ERROR, successOf } from '../partner/message.ts';
import { type OperationDescription, refusalSchema } from '../partner/operation.ts';
import { SIGNATURE_INVALID } from '../partner/signature/invalid.ts';
import type { UploadDescription } from '../partner/statement-description.ts';
import { type Components, componentRef, type JsonSchema, jsonSchemaOf } from './json-schema.ts';
import type { Proof, Section } from './parts.ts';
import { httpAnswers } from './refusals.ts';

/** A part of the document's `paths`, and the schemas that it refers to. */
export interface Published {
  readonly paths: Record<string, unknown>;
  readonly schemas: Record<string, JsonSchema>;
}

/** How a caller proves who it is; the empty alternative is to prove nothing. */
const securityOf = (proof: Proof | undefined) =>
  proof ? [{ [proof.kind]: [] }, ...(proof.required ? [] : [{}])] : [];

const ref = (name: string) => ({ schema: { $ref: componentRef(name) } });

/** `/create_disbursements` is `CreateDisbursements`. */
const typeName = (path: string): string =>
  path
    .split(/[/_]/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');

/** `/create_disbursements` is `create_disbursements`. */
const operationId = (path: string): string => path.slice(1).replaceAll('/', '_');

/** Every code that an operation may refuse with. */
export const codesOf = ({ codes }: { readonly codes: readonly string[] }, proof?: Proof): string[] => [
  ...new Set([
    ...codes,
    REQUEST_VALIDATION_ERROR,
    ...(proof?.kind === 'signature' ? [SIGNATURE_INVALID] : []),
  ]),
];

/** The schemas of what an operation answers with HTTP 200. */
export function answersOf(operation: OperationDescription | UploadDescription, proof?: Proof) {
  const { answer, answerBody } = { answerBody: undefined, ...operation };
  return {
    success: successOf(answer, answerBody),
    failure: failureOf(codesOf(operation, proof), refusalSchema(operation)),
  } satisfies Record<string, z.ZodType>;
}

/** An operation: POST of a message, answered with one. */
export function operationPath(
  operation: OperationDescription,
  section: Section,
  components: Components,
): Published {
  const { path, schema } = operation;
  const name = typeName(path);
  return {
    paths: {
      [path]: {
        post: {
          ...answered(operation, section, section.operationProof, section.refusals),
          requestBody: { required: true, content: { 'application/json': ref(`${name}Request`) } },
        },
      },
    },
    schemas: {
      [`${name}Request`]: jsonSchemaOf(schema, components),
      ...answerSchemas(operation, section.operationProof, components),
    },
  };
}

/** An upload: POST of a form with a file, answered with a message. */
export function uploadPath(upload: UploadDescription, section: Section, components: Components): Published {
  const { path, field } = upload;
  const file = { type: 'string', format: 'binary', description: 'The file, with a name.' };
  const form = { type: 'object', properties: { [field]: file }, required: [field] };
  return {
    paths: {
      [path]: {
        post: {
          ...answered(upload, section, section.uploadProof, section.uploadRefusals),
          requestBody: { required: true, content: { 'multipart/form-data': { schema: form } } },
        },
      },
    },
    schemas: answerSchemas(upload, section.uploadProof, components),
  };
}

function answerSchemas(
  operation: OperationDescription | UploadDescription,
  proof: Proof | undefined,
  components: Components,
): Record<string, JsonSchema> {
  const name = typeName(operation.path);
  const { success, failure } = answersOf(operation, proof);
  return {
    [`${name}Answer`]: jsonSchemaOf(success, components),
    [`${name}Refusal`]: jsonSchemaOf(failure, components),
  };
}

function answered(
  { path, summary }: { readonly path: string; readonly summary: string },
  section: Section,
  proof: Proof | undefined,
  refusals: Section['refusals'],
) {
  const name = typeName(path);
  const either = { oneOf: [`${name}Answer`, `${name}Refusal`].map((one) => ({ $ref: componentRef(one) })) };
  return {
    operationId: operationId(path),
    tags: [section.name],
    summary,
    security: securityOf(proof),
    responses: {
      200: {
        description: 'What was asked for (SUCCESS), or why not by the rules of the wire (ERROR).',
        content: { 'application/json': { schema: either } },
      },
      ...httpAnswers(refusals),
    },
  };
}
