import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { parseJson, UnstorableTextError } from './exact-json.ts';

const bodyBytesMax = 64 * 1024 * 1024;
const stopTimeoutMs = 5_000;

/** An HTTP server that reads JSON exactly and forms, and answers its own errors without internals. */
export function createServer(log: Logger): FastifyInstance {
  const app = Fastify({ bodyLimit: bodyBytesMax, forceCloseConnections: 'idle' });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: unknown, text: string) => readJson(text),
  );
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_request: unknown, text: string) => Object.fromEntries(new URLSearchParams(text)),
  );
  // A connection that is busy when the server stops listening would otherwise be kept open afterwards.
  app.addHook('onSend', async (_request, reply) => {
    if (!app.server.listening) reply.header('connection', 'close');
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(failure('There is no such path.')));
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(status).send(failure(error.message));
    const errorId = randomUUID();
    log.error({ err: error, path: request.url, error_id: errorId }, 'A request failed');
    return reply.code(500).send(failure(`Something went wrong here (error ${errorId}).`));
  });
  return app;
}

/**
 * Listens, says so in one JSON line on stdout, and stops on SIGTERM or SIGINT: requests under way are
 * finished for at most five seconds.
 *
 * @param close releases what the server used, once no request runs any more
 */
export async function serve(
  app: FastifyInstance,
  at: { host: string; port: number },
  close: () => Promise<void>,
): Promise<void> {
  const url = await app.listen(at);
  const stop = async () => {
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    await app.close();
    await close();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write(`${JSON.stringify({ ready: true, url })}\n`);
}

/**
 * Runs a simulator's start and turns its failure into one line on stderr and exit code 1.
 *
 * @param name of the simulator, as the line begins
 */
export async function start(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    process.stderr.write(
      `${name}: ${error instanceof Error ? error.message || error.name : String(error)}\n`,
    );
    process.exit(1);
  }
}

/** The body of every answer that refuses or fails. */
export function failure(message: string): { status: 'failed'; error_message: string } {
  return { status: 'failed', error_message: message };
}

function readJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    const message = error instanceof UnstorableTextError ? error.message : 'body: is not JSON';
    throw Object.assign(new Error(message), { statusCode: 400 });
  }
}
