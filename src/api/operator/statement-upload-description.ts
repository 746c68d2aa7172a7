import { z } from 'zod';
import { REQUEST_VALIDATION_ERROR } from '../partner/message.ts';
import { STATEMENT_UPLOAD } from '../partner/statement-description.ts';
import type { EndpointDescription } from './endpoint.ts';
import { uploaded } from './wire/statements.ts';

const nothing = z.object({});

/** What `POST /operator/statements` takes and answers, apart from the form. */
export const STATEMENT_UPLOAD_ENDPOINT = {
  method: 'POST',
  path: '/operator/statements',
  summary: 'Takes bank statements, an MT940 file',
  role: 'operator',
  audits: 'upload',
  params: nothing,
  query: nothing,
  /** The form has its file in this field. */
  body: nothing,
  field: STATEMENT_UPLOAD.field,
  answer: uploaded,
  refusals: Object.fromEntries([
    ...[...STATEMENT_UPLOAD.codes, REQUEST_VALIDATION_ERROR].map((code) => [code, 400] as const),
    ['REQUEST_TOO_LARGE', 413],
    ['UPLOADS_BUSY', 503],
  ]),
} as const satisfies EndpointDescription & { readonly audits: string; readonly field: string };
