import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

// biome-ignore lint/suspicious/noExplicitAny: a test reads into the document and fails where it is not what it should be
export type Json = any;

/** Finds what an answer has that the published document does not say, or the other way round. */
export interface Documented {
  document: Json;
  /** The check of a schema that the document has under this name. */
  component(name: string): ValidateFunction;
  /**
   * What is wrong with an answer.
   *
   * @param method in small letters
   * @param path as the document has it; empty where it has none
   * @returns null when it is as documented
   */
  problemOf(method: string, path: string, status: number, type: string | null, text: string): string | null;
}

/** The place in a document that a reference is to. */
export const resolve = (document: Json, ref: string): Json =>
  ref
    .split('/')
    .slice(1)
    .reduce((value, step) => value?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], document);

/** Reads the document of a server. */
export async function readDocument(url: string): Promise<Documented> {
  const document: Json = await (await fetch(`${url}/openapi.json`)).json();
  const ajv = new Ajv2020({ strict: false });
  formats.default(ajv);
  ajv.addSchema(document, 'open');
  // Answers may have more than a client knows of; ours must say all that they have.
  ajv.addSchema(closed(document), 'closed');
  const checks = new Map<string, ValidateFunction>();
  const checkOf = (ref: string): ValidateFunction => {
    const check = checks.get(ref) ?? ajv.compile({ $ref: ref });
    checks.set(ref, check);
    return check;
  };

  const problemOf: Documented['problemOf'] = (method, path, status, type, text) => {
    const ofOperation = `#/paths/${path.replaceAll('/', '~1')}/${method}/responses/${status}`;
    const given = resolve(document, ofOperation);
    // What has no path or method of ours is answered by HTTP itself.
    const pointer = given ? (given.$ref ?? ofOperation) : `#/components/responses/Http${status}`;
    const response = resolve(document, pointer);
    if (!response) return 'is not documented';
    const media = Object.keys(response.content)[0] ?? '';
    if (type?.split(';')[0] !== media) return `is of type ${type}`;
    if (media !== 'application/json' && media !== 'application/problem+json') return null;
    let answer: Json;
    try {
      answer = JSON.parse(text);
    } catch {
      return 'is not JSON';
    }
    const schema = `${pointer}/content/${media.replaceAll('/', '~1')}/schema`;
    const either: Json[] = resolve(document, schema).oneOf;
    const isSuccess = answer.response_header?.response_status === 'SUCCESS';
    const ref = either ? either[isSuccess ? 0 : 1].$ref : schema;
    const check = checkOf(`closed${ref}`);
    return check(answer) ? null : ajv.errorsText(check.errors);
  };
  return { document, component: (name) => checkOf(`open#/components/schemas/${name}`), problemOf };
}

/** A schema whose objects have nothing but what it names, where it does not say that they may. */
function closed(schema: Json): Json {
  if (schema === null || typeof schema !== 'object') return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const members = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isObject = schema.type === 'object' && schema.properties && !('additionalProperties' in schema);
  return isObject ? { ...members, additionalProperties: false } : members;
}
