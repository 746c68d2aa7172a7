import type { PgBoss } from 'pg-boss';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { CircuitView } from '../connectors/circuit/circuit.ts';
import type { Observer } from '../runtime/observer.ts';

const PREFIX = 'g2p_bridge_';
const MISSING_PAYMENTS_EVERY_MS = 60_000;
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** The figures of one process, and the part of them that comes from the database when somebody asks. */
export interface Metrics {
  readonly observer: Observer;
  /** The text that Prometheus reads. */
  text(): Promise<string>;
}

/**
 * Counts what the runtime reports: throughput, errors and retries by stage, stale recoveries, latency, queue depth.
 *
 * @param sources.boss is asked for the depth of the queues, which pg-boss counts every few seconds
 * @param sources.circuits the circuits to the systems outside
 * @param sources.prunedThrough up to which number old history was removed
 * @param sources.missingPayments counts payments that should have been on a statement by now; asked once a minute at most
 */
export function createMetrics(sources: {
  readonly boss: () => PgBoss;
  readonly missingPayments: () => Promise<number>;
  readonly circuits: () => ReadonlyMap<string, CircuitView>;
  readonly prunedThrough: () => Promise<number>;
}): Metrics {
  const { boss, missingPayments, circuits, prunedThrough } = sources;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  const registers = [registry];
  const counter = <const L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: PREFIX + name, help, labelNames, registers });
  const histogram = (name: string, help: string) =>
    new Histogram({ name: PREFIX + name, help, labelNames: ['stage'] as const, buckets: SECONDS, registers });
  const work = counter('work_total', 'Pieces of work ended, by outcome', ['stage', 'outcome']);
  const errors = counter('work_errors_total', 'Failed attempts, by code', ['stage', 'code']);
  const retries = counter('work_retries_total', 'Attempts that will be made again', ['region']);
  const stale = counter('stale_recoveries_total', 'Pieces of work taken back from a worker that hung', [
    'stage',
  ]);
  const ticks = counter('ticks_total', 'Ticks run by this process', ['stage']);
  const transitions = counter('transitions_total', 'Transitions of actors', ['machine', 'region', 'to']);
  const recovered = counter('recovered_jobs_total', 'Jobs of dead processes handed on', []);
  const histories = counter('pruned_histories_total', 'Histories that this process removed as too old', []);
  const entries = counter('pruned_entries_total', 'Entries of the journal that this process removed', []);
  const parked = counter('parked_actors_total', 'Actors whose rows could not be read', []);
  const troubles = counter('troubles_total', 'Faults of the runtime that were tried again', ['where']);
  const paused = new Gauge({
    name: `${PREFIX}stage_paused`,
    help: 'Whether an operator has stopped a stage, as this process knows',
    labelNames: ['stage'] as const,
    registers,
  });
  const waited = histogram('due_to_start_seconds', 'From due until a worker starts');
  const took = histogram('work_seconds', 'From the start of a piece of work until it is recorded');
  new Gauge({
    name: `${PREFIX}queue_depth`,
    help: 'Jobs by queue and state, as counted every few seconds',
    labelNames: ['queue', 'state'] as const,
    registers,
    async collect() {
      for (const queue of await boss().getQueues()) {
        this.set({ queue: queue.name, state: 'waiting' }, queue.queuedCount);
        this.set({ queue: queue.name, state: 'active' }, queue.activeCount);
        this.set({ queue: queue.name, state: 'failed' }, queue.failedCount);
      }
    },
  });
  let missingAsOf = Number.NEGATIVE_INFINITY;
  new Gauge({
    name: `${PREFIX}missing_payments`,
    help: 'Payments shipped longer ago than reconciliation_overdue_days and on no statement',
    registers,
    async collect() {
      if (performance.now() - missingAsOf < MISSING_PAYMENTS_EVERY_MS) return;
      missingAsOf = performance.now();
      this.set(await missingPayments());
    },
  });
  addCircuitMetrics(registers, circuits);
  new Gauge({
    name: `${PREFIX}journal_pruned_seq`,
    help: 'Sequence number up to which the journal is not whole any more',
    registers,
    async collect() {
      this.set(await prunedThrough());
    },
  });
  const observer: Observer = {
    transitions(entries) {
      for (const { machine, region, event, to_state: to } of entries) {
        transitions.inc({ machine, region, to });
        if ((event === 'failed' || event === 'stale' || event === 'refused') && to !== 'ERROR')
          retries.inc({ region });
      }
    },
    parked: () => parked.inc(),
    workStarted: ({ name: stage }, { waitedMs }) => waited.observe({ stage }, Math.max(0, waitedMs) / 1000),
    workEnded({ name: stage }, { outcome, code, tookMs }) {
      work.inc({ stage, outcome });
      took.observe({ stage }, tookMs / 1000);
      if (outcome === 'failed' && code !== null) errors.inc({ stage, code });
    },
    stale: ({ name: stage }, count) => stale.inc({ stage }, count),
    ticked: ({ name: stage }) => ticks.inc({ stage }),
    paused: ({ name: stage }) => paused.set({ stage }, 1),
    resumed: ({ name: stage }) => paused.set({ stage }, 0),
    recovered: (count) => recovered.inc(count),
    pruned(result) {
      histories.inc(result.histories);
      entries.inc(result.entries);
    },
    troubled: (where) => troubles.inc({ where }),
  };
  return { observer, text: () => registry.metrics() };
}

/** What the metric of a circuit's state says. */
const STATE_VALUES = { closed: 0, half_open: 1, open: 2 } as const satisfies Record<
  CircuitView['state'],
  number
>;

function addCircuitMetrics(registers: Registry[], circuits: () => ReadonlyMap<string, CircuitView>): void {
  new Gauge({
    name: `${PREFIX}circuit_state`,
    help: 'Calls of this process to a system outside: 0 pass, 1 are probed, 2 pause',
    labelNames: ['system'] as const,
    registers,
    collect() {
      for (const [system, { state }] of circuits()) this.set({ system }, STATE_VALUES[state]);
    },
  });
  new Counter({
    name: `${PREFIX}circuit_openings_total`,
    help: 'How often calls of this process to a system outside began to pause',
    labelNames: ['system'] as const,
    registers,
    collect() {
      this.reset();
      for (const [system, { openings }] of circuits()) this.inc({ system }, openings);
    },
  });
}
