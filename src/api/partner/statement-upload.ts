import type { IncomingMessage } from 'node:http';
import multipart, { type MultipartFile } from '@fastify/multipart';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Mt940Summary, summariseMt940 } from '../../connectors/mt940/digest.ts';
import { Mt940Error } from '../../connectors/mt940/error.ts';
import type { Database } from '../../db/connection.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import { HttpError } from '../errors.ts';
import { REQUEST_VALIDATION_ERROR, Refusal } from './message.ts';
import { settle } from './operation.ts';
import { SpoolBudget } from './spool-budget.ts';
import { STATEMENT_UPLOAD } from './statement-description.ts';
import { StatementFile } from './statement-file.ts';
import { type StoredStatement, storeStatements, type Uploader } from './statement-store.ts';

const { field: FIELD } = STATEMENT_UPLOAD;

/** Boundaries, headers and other small fields around the file. */
const OVERHEAD_BYTES_MAX = 64 * 1024;
/** Uploads of the largest size that are kept in memory at once; latin-1 text doubles at worst. */
const LARGEST_UPLOADS_AT_ONCE = 2;

/** What uploads work with. */
export interface UploadContext {
  readonly system: ActorSystem;
  readonly database: Database;
  readonly statementBytesMax: number;
}

/** An upload whose form may say more than the file. */
export interface FormReader extends Uploader {
  /**
   * Reads the field `reason` of the form, which comes before the file; left out: it is thrown away.
   *
   * @throws Refusal
   */
  readReason?(text: string): string | undefined;
}

/** A file whose statements are all there now. */
export interface Uploaded {
  /** One for each statement of the file, in its order. */
  readonly stored: readonly StoredStatement[];
  /** Of all of them. */
  readonly entries: number;
}

/**
 * The uploads of bank statements to one process, by banks and by operators.
 *
 * A file is checked as it arrives and kept in memory until it is known to be a whole MT940 file: only then is there
 * something to write, and no database transaction waits for a slow sender. What all uploads may take together is bounded.
 * A file that is no MT940 is refused with the parser's code, and a sentence with line and tag. Each statement of the file
 * is stored and processed by itself. One that is there already, however its file is laid out, is answered with the id it
 * was stored under.
 */
export class StatementUploads {
  readonly context: UploadContext;
  readonly #budget: SpoolBudget;

  constructor(context: UploadContext) {
    this.context = context;
    this.#budget = new SpoolBudget(LARGEST_UPLOADS_AT_ONCE * context.statementBytesMax);
  }

  /**
   * Takes the file of a request, whose route is in a scope that takes forms, see {@link takeForms}.
   *
   * @returns a Refusal when there is no file or it is no MT940; nothing has been written then
   * @throws HttpError when the request is malformed or too large, or too much is being uploaded
   */
  async receive(
    request: FastifyRequest,
    reply: FastifyReply,
    uploader: FormReader = {},
  ): Promise<Uploaded | Refusal> {
    // What is refused before it has been read cannot be followed by another request on the connection.
    reply.header('connection', 'close');
    requireLength(request, this.context.statementBytesMax);
    const file = new StatementFile(this.#budget);
    try {
      const settled = await settle(async () => {
        const { summary, reason } = await receive(this.context, request, file, uploader);
        const who = { ...uploader, ...(reason === undefined ? {} : { reason }) };
        const stored = await storeStatements(this.context, summary, file, who);
        return { stored, entries: summary.entries };
      });
      if (await hasEnded(request.raw)) reply.removeHeader('connection');
      return settled;
    } finally {
      file.release();
    }
  }
}

/** Makes a scope take forms with a file, and nothing else. */
export async function takeForms(app: FastifyInstance, { context }: StatementUploads): Promise<void> {
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

/**
 * Reads the request and checks the file in it.
 *
 * @throws Refusal when there is no file or it is no MT940; HttpError when the request is malformed or too large
 */
async function receive(
  context: UploadContext,
  request: FastifyRequest,
  kept: StatementFile,
  { readReason }: FormReader,
): Promise<{ readonly summary: Mt940Summary; readonly reason: string | undefined }> {
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
    const given = textOf(part, 'reason');
    const reason = given === null ? undefined : readReason?.(given);
    return { summary: await summariseMt940(kept.keep(chunksOf(part))), reason };
  } catch (error) {
    if (!(error instanceof Mt940Error || error instanceof Refusal)) throw error;
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

/** What a field in front of the file says; null when there is none of that name. */
function textOf({ fields }: MultipartFile, name: string): string | null {
  const [first] = [fields[name]].flat();
  return first?.type === 'field' && typeof first.value === 'string' ? first.value : null;
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
