import pino, { type Logger } from 'pino';
import type { CircuitObserver } from '../connectors/circuit/circuit.ts';
import { codeOf, messageOf } from '../runtime/errors.ts';
import { tickQueue, workerQueue } from '../runtime/jobs.ts';
import type { Observer } from '../runtime/observer.ts';

/** Where libraries may put a request's headers, which sign it in: the one that reads forms does at `trace`. */
const HEADERS = ['headers', 'req.headers', 'res.headers', 'busboyOptions.headers'];

/** JSON lines on standard output; times are ISO 8601 in UTC. Headers of requests are masked at every level. */
export function createLogger(level: string): Logger {
  return pino({
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: HEADERS, censor: '********' },
  });
}

/**
 * Logs what the runtime reports, under the names that operators know: `<stage>_worker` and `<stage>_beat_producer`.
 * Ids are logged; names and account numbers are not.
 */
export function logObserver(logger: Logger): Observer {
  const loggers = new Map<string, Logger>();
  const named = (name: string): Logger => {
    const known = loggers.get(name) ?? logger.child({ name });
    loggers.set(name, known);
    return known;
  };
  return {
    transitions(entries) {
      if (!logger.isLevelEnabled('debug')) return;
      for (const entry of entries) {
        const { machine, actor_id: id, region, event, from_state: from, to_state: to } = entry;
        named('transitions').debug({ machine, id, region, event, from, to }, `${from} → ${to}`);
      }
    },
    parked: (reason) => named('actors').error({ code: 'ACTOR_PARKED' }, reason),
    workStarted: (stage, work) => named(workerQueue(stage)).debug(work, 'started'),
    workEnded(stage, { outcome, tookMs, message, ...work }) {
      const level = outcome === 'failed' ? 'warn' : 'info';
      const log = named(workerQueue(stage));
      log[level]({ ...work, tookMs: Math.round(tookMs) }, outcome);
      // It may quote a bank or mapper, which may quote names and accounts; the journal keeps it for operators.
      if (message !== null) log.debug({ id: work.id, job: work.job }, message);
    },
    stale: (stage, count) => named(tickQueue(stage)).warn({ count }, 'took back stale work'),
    ticked: (stage, result) => named(tickQueue(stage)).info(result, 'ticked'),
    paused: (stage, { by, reason, since }) =>
      named(workerQueue(stage)).warn({ code: 'STAGE_PAUSED', by, reason, since }, 'paused; its work waits'),
    resumed: (stage) =>
      named(workerQueue(stage)).warn({ code: 'STAGE_RESUMED' }, 'resumed; its work goes on'),
    recovered: (count) => named('processes').warn({ count }, 'handed on the jobs of a process that died'),
    pruned: (result) =>
      named('retention').info(result, 'removed history that is older than journal_retention_days'),
    troubled: (where, error) =>
      named(where).error(
        { code: codeOf(error, 'INTERNAL_ERROR') },
        `${messageOf(error)}; it will be tried again`,
      ),
  };
}

/** Logs when calls to a system outside begin to pause, and when they pass again. */
export function logCircuits(logger: Logger): CircuitObserver {
  const log = logger.child({ name: 'circuits' });
  return {
    opened: (system, { failures }) =>
      log.warn({ code: 'CIRCUIT_OPENED', system, failures }, `calls to ${system} pause; its work waits`),
    closed: (system, openMs) =>
      log.info({ code: 'CIRCUIT_CLOSED', system, openMs }, `${system} answers again; its work goes on`),
  };
}

/** Reports everything to several observers. */
export function observeAll(...observers: readonly Observer[]): Observer {
  return {
    transitions: (...all) => observers.forEach((one) => void one.transitions(...all)),
    parked: (...all) => observers.forEach((one) => void one.parked(...all)),
    workStarted: (...all) => observers.forEach((one) => void one.workStarted(...all)),
    workEnded: (...all) => observers.forEach((one) => void one.workEnded(...all)),
    stale: (...all) => observers.forEach((one) => void one.stale(...all)),
    ticked: (...all) => observers.forEach((one) => void one.ticked(...all)),
    paused: (...all) => observers.forEach((one) => void one.paused(...all)),
    resumed: (...all) => observers.forEach((one) => void one.resumed(...all)),
    recovered: (...all) => observers.forEach((one) => void one.recovered(...all)),
    pruned: (...all) => observers.forEach((one) => void one.pruned(...all)),
    troubled: (...all) => observers.forEach((one) => void one.troubled(...all)),
  };
}
