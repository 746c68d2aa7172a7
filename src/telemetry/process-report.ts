import packageJson from '../../package.json' with { type: 'json' };
import type { CircuitObserver, CircuitView } from '../connectors/circuit/circuit.ts';
import type { ActorSystem } from '../runtime/system.ts';

/** What a process says of itself every few seconds, for operators. */
export interface ProcessReport {
  readonly version: string;
  readonly resident_bytes: number;
  readonly circuits: readonly (Omit<CircuitView, 'since'> & {
    readonly system: string;
    /** ISO 8601 in UTC. */
    readonly since: string;
  })[];
}

/** What this process has to say now. */
export function processReport(circuits: ReadonlyMap<string, CircuitView>): ProcessReport {
  return {
    version: packageJson.version,
    resident_bytes: process.memoryUsage.rss(),
    circuits: [...circuits].map(([system, { since, ...circuit }]) => ({
      system,
      since: since.toISOString(),
      ...circuit,
    })),
  };
}

/** Has a process report at once when a circuit opens or closes. */
export function reportCircuits(system: ActorSystem): CircuitObserver {
  const report = () => {
    // Its state is what it shows when all who hear of the change have heard.
    queueMicrotask(() => {
      system.reportNow().catch((error: unknown) => system.store.observer.troubled('reports', error));
    });
  };
  return { opened: report, closed: report };
}
