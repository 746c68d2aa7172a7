import { HTTP_REFUSALS } from '../errors.ts';
import { failureOf } from '../partner/message.ts';
import { jsonSchemaOf } from './json-schema.ts';
import type { StatusRefusals } from './parts.ts';

/** Codes of a status besides the one that {@link HTTP_REFUSALS} has. */
const MORE_CODES: Readonly<Record<number, readonly string[]>> = {
  400: ['REQUEST_NOT_JSON'],
};

const FAULT_STATUS = 500;

/** The answer to a request for a path or with a method that is not there; whatever is documented has none of them. */
const OF_OTHER_PATHS = 404;

/** The name of the response that an HTTP status is answered with. */
const nameOf = (status: number | string): string => `Http${status}`;

/** An answer with a status of its own, in the same envelope as all others. */
function refusalResponse(description: string, { codes, payload }: StatusRefusals) {
  const schema = jsonSchemaOf(failureOf(codes, payload));
  return { description, content: { 'application/json': { schema } } };
}

/** What HTTP itself answers, by name. */
export function httpResponses(): Record<string, unknown> {
  const refusals = Object.entries(HTTP_REFUSALS).map(([status, [code, sentence]]) => {
    const codes = [code, ...(MORE_CODES[Number(status)] ?? [])];
    return [nameOf(status), refusalResponse(sentence, { codes })];
  });
  const fault = refusalResponse(
    'Something went wrong on our side; the message has the id that our log has.',
    {
      codes: ['INTERNAL_ERROR'],
    },
  );
  return { ...Object.fromEntries(refusals), [nameOf(FAULT_STATUS)]: fault };
}

/**
 * What HTTP itself may answer to an operation, by status.
 *
 * @param more refusals besides the usual ones, by status
 */
export function httpAnswers(more: Readonly<Record<number, StatusRefusals>> = {}): Record<string, unknown> {
  const usual = [...Object.keys(HTTP_REFUSALS).map(Number), FAULT_STATUS].filter(
    (status) => status !== OF_OTHER_PATHS,
  );
  const answers = usual.map((status) => [status, { $ref: `#/components/responses/${nameOf(status)}` }]);
  const others = Object.entries(more).map(([status, its]) => [
    status,
    refusalResponse('The request is refused; the code says why.', its),
  ]);
  return Object.fromEntries([...answers, ...others]);
}
