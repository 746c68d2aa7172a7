import type { OtherForm } from '../errors.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';

/** What operators' paths begin with, below the root path. The dashboard's own are pages and files. */
const FIRST_PARTS = ['operator', 'feed', 'inspector'];

/**
 * Gives refusals on operators' paths the form that their clients read, also where no route of theirs is reached: for unknown
 * paths, other methods, and paths that cannot be read.
 *
 * @param rootPath before all paths: empty, or `/like/this`
 */
export function problemsBelow(rootPath: string): OtherForm {
  const paths = FIRST_PARTS.map((part) => `${rootPath}/${part}`);
  return ({ url }, reply, status, code, sentence) => {
    const path = url.split('?', 1)[0] ?? '';
    if (!paths.some((one) => path === one || path.startsWith(`${one}/`))) return null;
    return reply.type(PROBLEM_TYPE).send(problemOf(status, code, sentence));
  };
}
