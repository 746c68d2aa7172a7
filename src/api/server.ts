import Fastify, { type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { connectionErrors } from './connection-errors.ts';
import { answerErrors, routerErrors } from './errors.ts';
import { httpRules } from './http-rules.ts';
import { parseJson } from './json.ts';
import { lingeringClose } from './lingering-close.ts';
import { documentation } from './openapi/index.ts';
import { publishedBy } from './openapi/sections.ts';
import { operations } from './operations.ts';
import { problemsBelow } from './operator/problems-below.ts';
import { operatorSurface } from './operator/surface.ts';
import {
  type ApiOptions,
  BODY_BYTES_MAX_DEFAULT,
  CLOSE_GRACE_MS_DEFAULT,
  REPLAY_WINDOW_MS_DEFAULT,
  STATEMENT_BYTES_MAX_DEFAULT,
} from './options.ts';
import { partnerApi } from './partner/index.ts';
import { StatementUploads } from './partner/statement-upload.ts';
import { portalApi } from './portal/index.ts';
import { securityHeaders } from './security-headers.ts';
import { endRefusedUpgrades, isWebSocketRequest } from './upgrades.ts';

/** A request must have arrived within this time; bounds what a slow sender can hold on to. */
const REQUEST_TIMEOUT_MS = 300_000;
/** Longest part of a path, in characters. */
const ID_CHARS_MAX = 200;

/**
 * Of bodies that are taken for JSON. No type at all, which Fastify shows as `/`, is one of them: there are clients that
 * name none. What a client names and is no type is refused before.
 */
const JSON_TYPES = [/^application\/(?:[\w.-]+\+)?json\b/i, /^\/?$/];

/**
 * Builds the HTTP surface of a process: the partner API, and the beneficiary portal API where it is switched on (unless
 * its role is `worker`), under `rootPath`, and `/healthz`, `/readyz` and `/metrics` at the root, where the platform asks
 * for them. Nothing is opened until `listen`; `close` answers what is under way, as long as that does not take too long,
 * and closes the rest.
 */
export function buildApi(options: ApiOptions): FastifyInstance {
  const { logger } = options;
  const { clock } = options.system.store.registry;
  const answering = { clock, otherForm: problemsBelow(options.rootPath ?? '') };
  const app: FastifyInstance = Fastify({
    ...(logger ? { loggerInstance: logger } : { logger: false }),
    bodyLimit: options.bodyBytesMax ?? BODY_BYTES_MAX_DEFAULT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Ids are parts of paths, and may be that long.
    routerOptions: { maxParamLength: ID_CHARS_MAX },
    trustProxy: options.trustedProxies?.length ? [...options.trustedProxies] : false,
    // Each surface says in one line of its own what it answered.
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
    // What comes on a connection that is open is answered like anything else, until it is closed.
    return503OnClosing: false,
    http: {
      requireHostHeader: false,
      shouldUpgradeCallback: (request) =>
        app.server.listenerCount('upgrade') > 0 && isWebSocketRequest(request),
    },
    frameworkErrors: routerErrors(answering),
    clientErrorHandler: connectionErrors(clock, logger),
  });
  app.decorateRequest('bodyBytes', null);
  securityHeaders(app);
  app.removeAllContentTypeParsers();
  for (const type of JSON_TYPES) {
    app.addContentTypeParser(type, { parseAs: 'buffer' }, async (request: FastifyRequest, bytes: Buffer) => {
      // The signature is made over what was sent.
      if (options.signatures) request.bodyBytes = bytes;
      return parseJson(bytes);
    });
  }
  answerErrors(app, answering);
  httpRules(app);
  lingeringClose(app);
  endRefusedUpgrades(app);
  boundClose(app, options.closeGraceMs ?? CLOSE_GRACE_MS_DEFAULT);
  app.register(operations, options);
  if (options.role !== 'worker') {
    // One for all who upload: what they take of the memory is bounded together.
    const uploads = new StatementUploads({
      system: options.system,
      database: options.database,
      statementBytesMax: options.statementBytesMax ?? STATEMENT_BYTES_MAX_DEFAULT,
    });
    app.register(partnerApi, {
      prefix: options.rootPath ?? '',
      context: {
        system: options.system,
        database: options.database,
        clock,
        knownPrograms: new Set(options.knownPrograms ?? []),
        processFutureSchedules: options.processFutureSchedules ?? false,
        replayWindowMs: options.replayWindowMs ?? REPLAY_WINDOW_MS_DEFAULT,
        signatures: options.signatures ?? null,
      },
      requestsPerMinute: options.requestsPerMinute ?? 0,
      uploadToken: options.uploadToken ?? '',
      uploads,
    });
    app.register(documentation, { prefix: options.rootPath ?? '', parts: publishedBy(options) });
    if (options.operators) {
      app.register(operatorSurface, {
        prefix: options.rootPath ?? '',
        context: {
          ...options.operators,
          system: options.system,
          database: options.database,
          clock,
          uploads,
          circuits: options.circuits ?? (() => new Map()),
        },
      });
    }
    if (options.portal) {
      app.register(portalApi, {
        prefix: options.rootPath ?? '',
        settings: options.portal,
        database: options.database,
        clock,
        requestsPerMinute: options.requestsPerMinute ?? 0,
      });
    }
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
