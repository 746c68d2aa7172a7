import type { FastifyInstance } from 'fastify';
import { HttpError } from '../errors.ts';
import { REQUEST_VALIDATION_ERROR, Refusal } from '../partner/message.ts';
import { takeForms } from '../partner/statement-upload.ts';
import { NOTHING_YET, type OperatorAction, recordAction } from './audit-log.ts';
import type { OperatorContext } from './context.ts';
import { requireRole } from './endpoint.ts';
import { ProblemError } from './problem.ts';
import { STATEMENT_UPLOAD_ENDPOINT } from './statement-upload-description.ts';
import { journalNameOf } from './who.ts';
import { reason } from './wire/common.ts';
import type { Uploaded } from './wire/statements.ts';

const REASON_RULE = 'reason: must say why in 3 to 500 characters, or be left out.';

/** Statements of one file that the audit log names. */
const NAMED_MAX = 20;

/** `POST /operator/statements`: a file of bank statements, taken as the bank's own; the form may say why. */
export async function operatorUpload(
  app: FastifyInstance,
  { context }: { readonly context: OperatorContext },
): Promise<void> {
  const { uploads, database, clock } = context;
  await takeForms(app, uploads);
  app.post(STATEMENT_UPLOAD_ENDPOINT.path, {
    onRequest: async (request) => {
      request.operator = await requireRole(context, request, STATEMENT_UPLOAD_ENDPOINT);
    },
    handler: async (request, reply) => {
      const { operator } = request;
      if (!operator) throw new TypeError('An operator has been let in without a name.');
      let why = '';
      const asked = (target: OperatorAction['target']): OperatorAction => ({
        operator,
        action: 'upload',
        target,
        reason: why,
      });
      const receiving = uploads.receive(request, reply, {
        by: journalNameOf(operator),
        readReason(text) {
          // Nothing filled in is no reason.
          if (text.trim() === '') return;
          const { data } = reason.safeParse(text);
          if (data === undefined) throw new Refusal(REQUEST_VALIDATION_ERROR, REASON_RULE);
          why = data;
          return why;
        },
        async also(sql, stored) {
          const ids = [...new Set(stored.map(({ id }) => id))];
          const added = stored.filter(({ isNew }) => isNew).length;
          const target = { number_of_statements: ids.length, statements: ids.slice(0, NAMED_MAX) };
          await recordAction(sql, clock, asked(target), { accepted: added, refused: stored.length - added });
        },
      });
      const settled = await receiving.catch(async (error: unknown) => {
        if (error instanceof HttpError)
          await recordAction(database.sql, clock, asked({}), NOTHING_YET, error.code);
        throw error;
      });
      if (settled instanceof Refusal) {
        await recordAction(database.sql, clock, asked({}), NOTHING_YET, settled.code);
        throw new ProblemError(400, settled.code, settled.message);
      }
      const answer: Uploaded = {
        statements: settled.stored.map(({ id, isNew }) => ({ statement_id: id, already_uploaded: !isNew })),
      };
      return reply.header('cache-control', 'no-store').send(answer);
    },
  });
}
