import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { openAccess } from './api/operator/access/open.ts';
import { makeFirstToken } from './api/operator/access/tokens.ts';
import type { Access } from './api/operator/access.ts';
import type { SignatureCheck } from './api/partner/signature/check.ts';
import { openSignatureCheck } from './api/partner/signature/open.ts';
import { portalSettings } from './api/portal/settings.ts';
import { buildApi } from './api/server.ts';
import type { Config } from './config.ts';
import { connect, type Database, type Sql } from './db/connection.ts';
import { type EmbeddedServer, embeddedFolder, startEmbedded } from './db/embedded.ts';
import { prepare } from './db/prepare.ts';
import { DatabaseReplacedError, remember } from './db/restores.ts';
import { type Clock, systemClock } from './runtime/clock.ts';
import { openDatabaseClock } from './runtime/database-clock.ts';
import { codeOf, messageOf } from './runtime/errors.ts';
import { ActorSystem } from './runtime/system.ts';
import { ACTORS } from './stages/actors.ts';
import { type Connectors, openConnectors } from './stages/connectors.ts';
import { createStages } from './stages/index.ts';
import { missingByEnvelope } from './stages/missing-payments.ts';
import { logCircuits, logObserver, observeAll } from './telemetry/logs.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { processReport, reportCircuits } from './telemetry/process-report.ts';

const KEYS_NOT_FETCHED = "The keys of the operators' identity provider could not be fetched";

const DAY_MS = 86_400_000;

const RESTORED =
  'The database was restored from a backup; what acts on the outside is paused until it was compared: docs/backup.md';
const UNTOLD =
  'The database comes from a version that did not note where it ran: if it was restored from a backup, stop all processes ' +
  'and run "g2p-bridge restored --reason TEXT": docs/backup.md';

/** Missing payments of so many envelopes are counted; beyond, the exact number is not what matters. */
const MISSING_ENVELOPES_MAX = 10_000;

/** A process of the system, ready for requests and work. */
export interface Server {
  /** Where it listens. */
  readonly url: string;
  readonly system: ActorSystem;
  /** Whether its database is the embedded one. */
  readonly embedded: boolean;
  /** How operators sign in; null: this process does not serve them. */
  readonly operators: OperatorEntrance | null;
  /** Aborted, with a DatabaseReplacedError, when another database was put in the place of its own: it does nothing any more. */
  readonly replaced: AbortSignal;
  /** Stops taking requests and work, finishes or hands back what is under way, closes everything. */
  stop(): Promise<void>;
}

/** How operators of a process sign in. */
export interface OperatorEntrance {
  readonly kind: Access['description']['kind'];
  /** The token that this start has made, to be shown once; null where there was one or none is needed. */
  readonly firstToken: string | null;
}

/**
 * Starts the system in one process: `role` says whether it answers partners, does the work, or both. Any number of
 * them on one database work together without further settings.
 *
 * @throws an error with a stable code and one sentence when the database, a connector or the port cannot be had
 */
export async function startServer(config: Config, logger: Logger): Promise<Server> {
  const undo: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const step of undo.reverse().splice(0)) {
      // What cannot be stopped in order must not keep the rest from being stopped.
      // The error itself may quote a row.
      await step().catch((error: unknown) =>
        logger.error({ code: codeOf(error, 'INTERNAL_ERROR') }, `stopping went wrong: ${messageOf(error)}`),
      );
    }
  };
  try {
    const signatures = await openSignatures(config, logger);
    if (signatures) undo.push(() => signatures.close());
    const embedded = config.db_datasource_bridge === null ? await embeddedServer(config, logger) : null;
    if (embedded) undo.push(() => embedded.stop());
    const url = config.db_datasource_bridge ?? embedded?.url ?? '';
    const origin = await prepare(url);
    if (origin.kind === 'restored') logger.warn({ code: 'DATABASE_RESTORED', paused: origin.held }, RESTORED);
    if (origin.kind === 'untold') logger.warn({ code: 'DATABASE_ORIGIN_UNTOLD' }, UNTOLD);
    const database = connect(url, { max: config.db_pool_max });
    undo.push(() => database.close());
    const clock = await openDatabaseClock(database, (error) =>
      logger.warn(
        { code: codeOf(error, 'UNKNOWN'), reason: messageOf(error) },
        "the database's time could not be read; it is tried again",
      ),
    );
    undo.push(async () => clock.close());
    const connectors = await openConnectors(config, clock);
    undo.push(() => connectors.close());
    connectors.circuits.observe(logCircuits(logger));
    const { replaced, admit } = await watchDatabase(database);
    const { system, metrics } = createSystem(config, logger, database, connectors, clock, admit);
    undo.push(() => system.stop(config.shutdown_grace_seconds * 1000));
    connectors.circuits.observe(reportCircuits(system));
    await system.start();
    const access = config.role === 'worker' ? null : operatorAccess(config, logger, database);
    const api = buildApi({
      system,
      database,
      role: config.role,
      rootPath: config.root_path,
      bodyBytesMax: config.request_body_bytes_max,
      statementBytesMax: config.statement_bytes_max,
      replayWindowMs: config.request_replay_window_seconds * 1000,
      knownPrograms: config.known_program_mnemonics,
      processFutureSchedules: config.process_future_disbursement_schedules,
      signatures,
      requestsPerMinute: config.partner_requests_per_minute,
      trustedProxies: config.trusted_proxies,
      uploadToken: config.mt940_upload_token,
      portal: portalSettings(config),
      operators: access && { access, config },
      logger: logger.child({ name: 'api' }),
      circuits: () => connectors.circuits.views(),
      metrics: () => metrics.text(),
    });
    // What it has begun by itself ends also when there is no address to listen on.
    undo.push(async () => void (await api.close()));
    const address = await listen(api, config);
    const operators = access && (await entranceOf(access, database));
    return { url: address, system, embedded: embedded !== null, operators, replaced, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws ListenError when the port or the address cannot be had */
async function listen(api: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await api.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'EADDRINUSE') {
      throw new ListenError(
        'PORT_TAKEN',
        `Port ${port} of ${host} is taken by another program; set G2P_BRIDGE_PORT.`,
      );
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new ListenError('HOST_UNKNOWN', `${host} is no address of this machine; set G2P_BRIDGE_HOST.`);
    }
    throw error;
  }
}

/** The address to listen on cannot be had. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

function operatorAccess(config: Config, logger: Logger, database: Database): Access {
  const log = logger.child({ name: 'operators' });
  const onProblem = (problem: string) =>
    log.warn({ issuer: config.operator_oidc_issuer, problem }, KEYS_NOT_FETCHED);
  return openAccess(config, { database, clock: systemClock, onProblem });
}

/** Last of all: a token is of use only to who is told it, which a process that does not start cannot do. */
async function entranceOf(access: Access, { sql }: Database): Promise<OperatorEntrance> {
  const { kind } = access.description;
  const firstToken = kind === 'token' ? await makeFirstToken(sql, systemClock.now()) : null;
  return { kind, firstToken };
}

/** A worker answers no partners. @throws ConfigError when the file of keys cannot be used */
async function openSignatures(config: Config, logger: Logger): Promise<SignatureCheck | null> {
  if (config.role === 'worker') return null;
  const log = logger.child({ name: 'signatures' });
  return openSignatureCheck(config, systemClock, (fields, sentence) => log.warn(fields, sentence));
}

function embeddedServer(config: Config, logger: Logger): Promise<EmbeddedServer> {
  const log = logger.child({ name: 'postgres' });
  return startEmbedded({
    dataDir: embeddedFolder(config.data_dir),
    port: config.embedded_postgres_port,
    log: (line) => log.info(line),
  });
}

/** A restored database must be prepared like any other, which is done when a process starts. */
async function watchDatabase({ sql }: Database) {
  const replaced = new AbortController();
  const isTheSame = await remember(sql);
  const admit = async (connection: Sql) => {
    if (await isTheSame(connection)) return;
    const error = new DatabaseReplacedError();
    replaced.abort(error);
    throw error;
  };
  return { replaced: replaced.signal, admit };
}

function createSystem(
  config: Config,
  logger: Logger,
  database: Database,
  connectors: Connectors,
  clock: Clock,
  admit: (sql: Sql) => Promise<void>,
) {
  const metrics = createMetrics({
    circuits: () => connectors.circuits.views(),
    boss: () => system.store.jobs.boss,
    prunedThrough: () => system.feed.prunedThrough(),
    missingPayments: async () => {
      const now = system.store.registry.clock.now();
      const overdueDays = config.reconciliation_overdue_days;
      const missing = await missingByEnvelope(database.sql, {
        overdueDays,
        now,
        limit: MISSING_ENVELOPES_MAX,
      });
      return missing.reduce((sum, { count }) => sum + count, 0);
    },
  });
  const system: ActorSystem = new ActorSystem({
    database,
    admit,
    clock,
    actors: ACTORS,
    stages: createStages({ ...connectors, database, config }),
    works: config.role !== 'api',
    role: config.role,
    mode: config.dispatch_mode,
    backoff: {
      baseMs: config.retry_backoff_base_seconds * 1000,
      maxMs: config.retry_backoff_max_seconds * 1000,
    },
    tickDispatchMax: config.no_of_tasks_to_process,
    staleAfterMs: config.task_stale_threshold_minutes * 60_000,
    retention: {
      keepMs: config.journal_retention_days === 0 ? null : config.journal_retention_days * DAY_MS,
    },
    observer: observeAll(metrics.observer, logObserver(logger)),
    report: () => ({ ...processReport(connectors.circuits.views()) }),
  });
  return { system, metrics };
}
