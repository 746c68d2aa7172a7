import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { answerErrors } from './errors.ts';
import { parseJson } from './json.ts';
import { operations } from './operations.ts';
import {
  type ApiOptions,
  BODY_BYTES_MAX_DEFAULT,
  CLOSE_GRACE_MS_DEFAULT,
  STATEMENT_BYTES_MAX_DEFAULT,
} from './options.ts';
import { partnerApi } from './partner/index.ts';

/** A request must have arrived within this time; bounds what a slow sender can hold on to. */
const REQUEST_TIMEOUT_MS = 300_000;

/**
 * Builds the HTTP surface of a process: the partner API (unless its role is `worker`) under `rootPath`, and
 * `/healthz`, `/readyz` and `/metrics` at the root, where the platform asks for them. Nothing is opened until
 * `listen`; `close` answers what is under way, as long as that does not take too long, and closes the rest.
 */
export function buildApi(options: ApiOptions): FastifyInstance {
  const { logger } = options;
  const app: FastifyInstance = Fastify({
    ...(logger ? { loggerInstance: logger } : { logger: false }),
    bodyLimit: options.bodyBytesMax ?? BODY_BYTES_MAX_DEFAULT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Each surface says in one line of its own what it answered.
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
  });
  const { clock } = options.system.store.registry;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    /^application\/(?:[\w.-]+\+)?json\b/i,
    { parseAs: 'buffer' },
    async (_request: unknown, bytes: Buffer) => parseJson(bytes),
  );
  answerErrors(app, clock);
  boundClose(app, options.closeGraceMs ?? CLOSE_GRACE_MS_DEFAULT);
  app.register(operations, options);
  if (options.role !== 'worker') {
    app.register(partnerApi, {
      prefix: options.rootPath ?? '',
      context: {
        system: options.system,
        database: options.database,
        clock,
        knownPrograms: new Set(options.knownPrograms ?? []),
        processFutureSchedules: options.processFutureSchedules ?? false,
        statementBytesMax: options.statementBytesMax ?? STATEMENT_BYTES_MAX_DEFAULT,
      },
    });
  }
  return app;
}

/** A sender that never finishes must not keep the process from stopping. */
function boundClose(app: FastifyInstance, graceMs: number): void {
  let cut: NodeJS.Timeout | undefined;
  app.addHook('preClose', async () => {
    cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
  });
  app.addHook('onClose', async () => clearTimeout(cut));
}
