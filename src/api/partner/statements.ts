import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { PartnerContext } from '../options.ts';
import { type Answer, Refusal } from './message.ts';
import { answerTo } from './operation.ts';
import { STATEMENT_UPLOAD, type uploadAnswer } from './statement-description.ts';
import type { StoredStatement } from './statement-store.ts';
import { type StatementUploads, takeForms, type Uploaded } from './statement-upload.ts';

const { path: PATH } = STATEMENT_UPLOAD;

/** `/upload_mt940`: takes a file of one or more bank statements (multipart, field `statement_file`). */
export async function statementUpload(
  app: FastifyInstance,
  options: { readonly context: PartnerContext; readonly uploads: StatementUploads },
): Promise<void> {
  const { context, uploads } = options;
  await takeForms(app, uploads);
  app.post(PATH, async (request, reply) => {
    const receivedAtMs = performance.now();
    const settled = await uploads.receive(request, reply);
    const code = settled instanceof Refusal ? settled.code : null;
    const tookMs = Math.round(performance.now() - receivedAtMs);
    request.log.info({ path: PATH, code, took_ms: tookMs }, 'Request answered');
    return reply.send(answerTo('', context, settled instanceof Refusal ? settled : answerOf(settled)));
  });
}

function answerOf({ stored, entries }: Uploaded): Answer<z.infer<typeof uploadAnswer>> {
  const statements = stored.map(({ id, uploadedAt, isNew, summary: one }) => ({
    statement_id: id,
    account_number: one.account,
    reference_number: one.reference,
    statement_number: one.statementNumber,
    sequence_number: one.sequenceNumber,
    number_of_entries: one.entries,
    already_uploaded: !isNew,
    uploaded_at: uploadedAt,
  }));
  return {
    payload: {
      // Who knows of one statement to a file only, asks for the first one.
      statement_id: statements[0]?.statement_id ?? '',
      already_uploaded: statements.every((one) => one.already_uploaded),
      message: sentenceOn(stored, entries),
      statements,
    },
  };
}

/** What became of a file, for people. */
function sentenceOn(stored: readonly StoredStatement[], entries: number): string {
  const [first] = stored;
  const added = stored.filter(({ isNew }) => isNew).length;
  if (first && stored.length === 1) {
    return first.isNew
      ? `The statement has been stored; it has ${entries} entries.`
      : `The statement was uploaded already, at ${first.uploadedAt.toISOString()}; nothing has been added.`;
  }
  const file = `The file has ${stored.length} statements with ${entries} entries in all`;
  if (added === 0) return `${file}; they were uploaded already, and nothing has been added.`;
  if (added === stored.length) return `${file}; they have been stored.`;
  return `${file}; ${added} have been stored, ${stored.length - added} were uploaded already.`;
}
