import { codeOf } from '../../runtime/errors.ts';
import { NOTHING_YET, type OperatorAction, recordAction } from './audit-log.ts';
import type { OperatorContext } from './context.ts';
import { ProblemError } from './problem.ts';

/**
 * Does an action that writes its own entry into the audit log; when it is refused instead, that is written.
 *
 * @param work throws before it has written anything if it refuses
 * @throws what `work` throws
 */
export async function audited<T>(
  { database, clock }: Pick<OperatorContext, 'database' | 'clock'>,
  action: OperatorAction,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProblemError)
      await recordAction(database.sql, clock, action, NOTHING_YET, error.code);
    throw error;
  }
}

/**
 * Turns what the runtime refuses, by its codes, into problems with status 409.
 *
 * @throws ProblemError, or what `work` throws
 */
export async function conflicts<T>(codes: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error, '');
    if (error instanceof Error && codes.includes(code)) throw new ProblemError(409, code, error.message);
    throw error;
  }
}
