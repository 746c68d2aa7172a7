import { z } from 'zod';

/** A value that passed its schema, or one sentence that names the field that did not. */
export type Checked<T> = { value: T } | { problem: string };

/** Checks a value that came from outside; the first thing that is wrong with it is the problem. */
export function check<T>(schema: z.ZodType<T>, value: unknown): Checked<T> {
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data };
  const { path, message } = explain(result.error);
  const field = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return { problem: `${field.replace(/^\./, '') || 'body'}: ${message}` };
}

/**
 * A list that is checked item by item up to the first bad one, so that a long list of rubbish costs no more
 * than a good one.
 */
export function listOf<T>(item: z.ZodType<T>, itemsMax: number): z.ZodType<T[]> {
  return z.unknown().transform((list, context): T[] => {
    if (!Array.isArray(list) || list.length > itemsMax) {
      context.addIssue({ code: 'custom', message: `must be a list of at most ${itemsMax} items` });
      return z.NEVER;
    }
    const values: T[] = [];
    for (let index = 0; index < list.length; index += 1) {
      const result = item.safeParse(list[index]);
      if (!result.success) {
        const { path, message } = explain(result.error);
        context.addIssue({ code: 'custom', message, path: [index, ...path] });
        return z.NEVER;
      }
      values.push(result.data);
    }
    return values;
  });
}

function explain(error: z.ZodError): { path: PropertyKey[]; message: string } {
  const issue = error.issues[0];
  if (issue === undefined) return { path: [], message: 'is not valid' };
  if (issue.code !== 'unrecognized_keys') return { path: issue.path, message: issue.message };
  return { path: [...issue.path, issue.keys[0] ?? ''], message: 'is an unknown field' };
}
