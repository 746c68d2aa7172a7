import { isUtf8 } from 'node:buffer';
import type { Documented } from '../support/documented.ts';
import type { Answer } from './client.ts';
import type { FuzzCase, FuzzRequest } from './request.ts';

/** Answered to what is not HTTP at all, where there is no path to be documented for. */
const PAGES = /^\/($|docs|openapi\.json|%|\*)/;

/**
 * What is wrong with an answer.
 *
 * @returns null when nothing is
 */
export function problemWith(documented: Documented, one: FuzzCase, answer: Answer): string | null {
  const { status, type, text } = answer;
  if (status >= 500) return `status ${status}: ${text}`;
  const isMessage = 'method' in one && one.method === 'POST' && one.path !== null;
  if (status < 400 && !isMessage) return isRead(one, documented) ? null : undocumentedSuccess(one, answer);
  if ('method' in one && one.method === 'HEAD') return null;
  const path = 'path' in one ? (one.path ?? '') : '';
  const method = 'method' in one ? one.method.toLowerCase() : '';
  const problem = documented.problemOf(method, path, status, type, text);
  if (problem !== null) return `status ${status} ${problem}: ${text}`;
  return status === 200 && 'method' in one ? problemWithId(one, text) : null;
}

/** Whether success is no surprise: something that can be read has been, or it is not known what was asked for. */
function isRead(one: FuzzCase, { document }: Documented): boolean {
  if ('bytes' in one) return true;
  if (!['GET', 'HEAD'].includes(one.method)) return false;
  const path = one.target.split(/[?#;]/, 1)[0] ?? '';
  return PAGES.test(path) || document.paths[path]?.get !== undefined;
}

const undocumentedSuccess = ({ label }: FuzzCase, { status, text }: Answer): string =>
  `${label} has succeeded with status ${status}: ${text.slice(0, 200)}`;

function problemWithId({ path, body }: FuzzRequest, text: string): string | null {
  const given = path === '/upload_mt940' ? '' : readableId(body);
  const echoed = JSON.parse(text).response_header?.request_id;
  return echoed === given ? null : `request id ${JSON.stringify(echoed)} instead of ${JSON.stringify(given)}`;
}

/** The id that an answer must have: that of the request where it can be read, else none. */
function readableId(body: Buffer | null): string {
  if (body === null || !isUtf8(body)) return '';
  let id: unknown;
  try {
    id = JSON.parse(body.toString('utf8'))?.request_header?.request_id;
  } catch {
    return '';
  }
  const isId = typeof id === 'string' && id.trim() !== '' && id.length <= 255 && !/[\p{Cc}\p{Cs}]/u.test(id);
  return isId ? String(id) : '';
}
