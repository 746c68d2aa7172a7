import { type Config, loadConfig } from '../../src/config.ts';
import type { Circuits } from '../../src/connectors/circuit/circuits.ts';
import { connect, type Database } from '../../src/db/connection.ts';
import type { Stage } from '../../src/runtime/stage.ts';
import { ActorSystem, type SystemOptions } from '../../src/runtime/system.ts';
import { ACTORS } from '../../src/stages/actors.ts';
import { openConnectors } from '../../src/stages/connectors.ts';
import { createStages } from '../../src/stages/index.ts';

/** The pipeline of one process: its stages on its connectors. */
export interface PipelineSystem {
  readonly system: ActorSystem;
  readonly config: Config;
  readonly database: Database;
  readonly circuits: Circuits;
  /** Stops working and closes all connections. */
  close(): Promise<void>;
}

/** What a process of the pipeline is told besides its settings. */
export interface ProcessOptions extends Partial<SystemOptions> {
  /** Puts something between the stages and the system, to look or to interfere. */
  readonly between?: (stages: readonly Stage[]) => readonly Stage[];
  /**
   * When calls to a system outside pause. Left out: never, since most tests make systems fail to see what becomes of
   * attempts.
   */
  readonly circuits?: {
    readonly failureThreshold: number;
    readonly pauseMs: number;
    readonly pauseMaxMs: number;
  };
}

const NO_CIRCUITS = { failureThreshold: 0, pauseMs: 1_000, pauseMaxMs: 1_000 };

/** A retry comes after milliseconds, not minutes. */
const BACKOFF = { baseMs: 20, maxMs: 100 };
/** Sooner than usual, yet longer than the living take to claim what they have fetched. */
const LOOK_FOR_DEAD_MS = 500;
const STOP_WITHIN_MS = 2_000;

/**
 * Starts the five cash stages as a process of the pipeline, whether or not it is a process of its own.
 *
 * @param databaseUrl a migrated database
 * @param settings as environment variables without `G2P_BRIDGE_`, in small letters
 * @param options what the system is to be told besides
 */
export async function startPipelineSystem(
  databaseUrl: string,
  settings: Readonly<Record<string, string>>,
  { between = (stages) => stages, circuits = NO_CIRCUITS, ...options }: ProcessOptions = {},
): Promise<PipelineSystem> {
  const loaded = loadConfig(
    Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [`G2P_BRIDGE_${name.toUpperCase()}`, value]),
    ),
  );
  const config = {
    ...loaded,
    circuit_failure_threshold: circuits.failureThreshold,
    // Milliseconds, where settings have whole seconds.
    circuit_pause_seconds: circuits.pauseMs / 1000,
    circuit_pause_max_seconds: circuits.pauseMaxMs / 1000,
  };
  const database = connect(databaseUrl, { max: config.db_pool_max });
  const connectors = await openConnectors(config);
  const stages = createStages({ ...connectors, database, config });
  const system = new ActorSystem({
    database,
    actors: ACTORS,
    stages: between(stages),
    works: true,
    mode: config.dispatch_mode,
    tickDispatchMax: config.no_of_tasks_to_process,
    backoff: BACKOFF,
    lookForDeadMs: LOOK_FOR_DEAD_MS,
    ...options,
  });
  await system.start();
  return {
    system,
    config,
    database,
    circuits: connectors.circuits,
    async close() {
      await system.stop(STOP_WITHIN_MS);
      await connectors.close();
      await database.close();
    },
  };
}
