import { violationsOf } from './invariants.ts';
import type { Schedule } from './schedule.ts';
import { type Mutation, Simulation } from './simulation.ts';

/** Within so long after everything went well again all work must have come to an end: sooner than heartbeats lapse. */
const QUIET_WITHIN_MS = 28_000;
const ROUGH_MS = 6_000;
const STEPS_MAX = 60_000;

export interface Run {
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  /** Of the order of everything that happened. */
  readonly fingerprint: number;
  readonly happened: number;
  readonly simulatedMs: number;
}

/** Runs a schedule to its end and looks whether everything holds. */
export async function run(schedule: Schedule, mutation: Mutation = {}, traced = false): Promise<Run> {
  const simulation = new Simulation(schedule, mutation, traced);
  const { world } = simulation;
  const began = world.now;
  simulation.begin();
  let asked = world.now;
  const isQuiet = () => {
    // Asking costs more than a step.
    if (world.now < asked) return false;
    asked = world.now + 100;
    return simulation.isQuiet;
  };
  await world.run(isQuiet, ROUGH_MS + QUIET_WITHIN_MS, STEPS_MAX);
  const simulatedMs = world.now - began;
  const violations = simulation.unsettled();
  if (violations.length === 0) {
    violations.push(...violationsOf(simulation));
    if (!(await simulation.end())) violations.push('a process does not stop');
    violations.push(...leftBehind(simulation));
  }
  return {
    violations,
    trace: world.trace ?? [],
    fingerprint: world.fingerprint,
    happened: world.happened,
    simulatedMs,
  };
}

/** What is still there when all processes have stopped. */
function leftBehind({ server }: Simulation): string[] {
  return [
    ...server.heldNames.map((name) => `the lock "${name}" is left`),
    ...[...server.connections].map(() => 'a connection is left'),
  ];
}
