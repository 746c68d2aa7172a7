import type { IncomingMessage } from 'node:http';
import multipart, { type MultipartFile } from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { type Mt940Summary, summariseMt940 } from '../../connectors/mt940/digest.ts';
import { Mt940Error } from '../../connectors/mt940/error.ts';
import { HttpError } from '../errors.ts';
import type { PartnerContext } from '../options.ts';
import { type Answer, REQUEST_VALIDATION_ERROR, Refusal } from './message.ts';
import { answerTo, settle } from './operation.ts';
import { SpoolBudget } from './spool-budget.ts';
import { STATEMENT_UPLOAD, type uploadAnswer } from './statement-description.ts';
import { StatementFile } from './statement-file.ts';
import { type StoredStatement, storeStatements } from './statement-store.ts';

const { path: PATH, field: FIELD } = STATEMENT_UPLOAD;

/** Boundaries, headers and other small fields around the file. */
const OVERHEAD_BYTES_MAX = 64 * 1024;
/** Uploads of the largest size that are kept in memory at once; latin-1 text doubles at worst. */
const LARGEST_UPLOADS_AT_ONCE = 2;

/**
 * `/upload_mt940`: takes a file of one or more bank statements (multipart, field `statement_file`).
 *
 * The file is checked as it arrives and kept in memory until it is known to be a whole MT940 file: only then
 * is there something to write, and no database transaction waits for a slow sender. What all uploads may take together
 * is bounded. A file that is no MT940 is refused with the parser's code, and a sentence with line and tag. Each
 * statement of the file is stored and processed by itself. One that is there already, however its file is laid out, is
 * answered with the id it was stored under.
 */
export async function statementUpload(
  app: FastifyInstance,
  options: { readonly context: PartnerContext },
): Promise<void> {
  const { context } = options;
  const budget = new SpoolBudget(LARGEST_UPLOADS_AT_ONCE * context.statementBytesMax);
  app.removeAllContentTypeParsers();
  await app.register(multipart, {
    limits: {
      files: 1,
      fields: 10,
      fieldSize: OVERHEAD_BYTES_MAX,
      parts: 12,
      fileSize: context.statementBytesMax,
    },
    throwFileSizeLimit: false,
  });
  app.post(PATH, async (request, reply) => {
    const receivedAtMs = performance.now();
    // What is refused before it has been read cannot be followed by another request on the connection.
    reply.header('connection', 'close');
    requireLength(request, context.statementBytesMax);
    const file = new StatementFile(budget);
    try {
      const settled = await settle(() => upload(context, request, file));
      const code = settled instanceof Refusal ? settled.code : null;
      const tookMs = Math.round(performance.now() - receivedAtMs);
      request.log.info({ path: PATH, code, took_ms: tookMs }, 'Request answered');
      if (await hasEnded(request.raw)) reply.removeHeader('connection');
      return reply.send(answerTo('', context, settled));
    } finally {
      file.release();
    }
  });
}

/**
 * Reads what a request has behind its form, if anything, as long as it is not much: unread, it would stand before the
 * next request on the connection, which would wait for ever.
 *
 * @returns whether that was all
 */
function hasEnded(raw: IncomingMessage): Promise<boolean> {
  // Whoever has gone will send nothing more, nor be told that they have.
  if (raw.readableEnded || raw.destroyed) return Promise.resolve(raw.readableEnded);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let bytes = 0;
  raw.unpipe();
  raw.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > OVERHEAD_BYTES_MAX) resolve(false);
  });
  raw.once('end', () => resolve(true)).once('close', () => resolve(false));
  raw.resume();
  return promise;
}

/** @throws HttpError 413 when the sender announces too much */
function requireLength(request: FastifyRequest, statementBytesMax: number): void {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > statementBytesMax + OVERHEAD_BYTES_MAX) throw tooLarge(statementBytesMax);
}

const tooLarge = (statementBytesMax: number): HttpError =>
  new HttpError(413, 'REQUEST_TOO_LARGE', `A statement may have at most ${statementBytesMax} bytes.`);

async function upload(
  context: PartnerContext,
  request: FastifyRequest,
  kept: StatementFile,
): Promise<Answer<z.infer<typeof uploadAnswer>>> {
  const summary = await receive(context, request, kept);
  const stored = await storeStatements(context, summary, kept);
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
      message: sentenceOn(stored, summary.entries),
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

/**
 * Reads the request and checks the file in it.
 *
 * @throws Refusal when there is no file or it is no MT940; HttpError when the request is malformed or too large
 */
async function receive(
  context: PartnerContext,
  request: FastifyRequest,
  kept: StatementFile,
): Promise<Mt940Summary> {
  const { statementBytesMax } = context;
  const part = await firstPart(request, statementBytesMax);
  // The stream would only stop growing there, and end with the request.
  part?.file.once('limit', () => part.file.destroy(tooLarge(statementBytesMax)));
  if (!part) throw new Refusal(REQUEST_VALIDATION_ERROR, `${FIELD}: is required, as a file with a name.`);
  if (part.fieldname !== FIELD) {
    await readable(skip(part));
    throw new Refusal(
      REQUEST_VALIDATION_ERROR,
      `${FIELD}: is required; the request has a file in another field.`,
    );
  }
  try {
    return await summariseMt940(kept.keep(chunksOf(part)));
  } catch (error) {
    if (!(error instanceof Mt940Error)) throw error;
    // The rest is read and dropped, so that the sender gets to read the answer.
    await readable(skip(part));
    throw new Refusal(error.code, error.message);
  }
}

/**
 * The part with the file, as soon as it begins. What comes before it is thrown away, but not without end.
 *
 * @throws HttpError 413 when more has come than a whole upload may have
 */
async function firstPart(
  request: FastifyRequest,
  statementBytesMax: number,
): Promise<MultipartFile | undefined> {
  const overflow = Promise.withResolvers<never>();
  let bytes = 0;
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > statementBytesMax + OVERHEAD_BYTES_MAX) overflow.reject(tooLarge(statementBytesMax));
  };
  const part = request.file();
  request.raw.on('data', count);
  try {
    return await readable(Promise.race([part, overflow.promise]));
  } finally {
    request.raw.off('data', count);
  }
}

/** The file as it arrives; stopping early leaves the rest to be read. */
async function* chunksOf(part: MultipartFile): AsyncGenerator<Uint8Array> {
  try {
    yield* part.file.iterator({ destroyOnReturn: false });
  } catch (error) {
    throw malformed(error);
  }
}

async function skip(part: MultipartFile): Promise<void> {
  for await (const _ of part.file);
}

/** What goes wrong while a request is read is the sender's doing. */
async function readable<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw malformed(error);
  }
}

function malformed(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  const isTooLarge = error instanceof Error && 'statusCode' in error && error.statusCode === 413;
  if (isTooLarge)
    return new HttpError(413, 'REQUEST_TOO_LARGE', 'The request has too many or too large fields.');
  return new HttpError(400, 'REQUEST_MALFORMED', 'The request is not complete multipart form data.');
}
