import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import type { BenefitType } from '../../machines/benefit-type.ts';
import { type People, writeCsv } from './beneficiaries.ts';
import { type DemoProgram, programOf } from './programs.ts';
import type { Progress } from './progress.ts';
import { makeReport, type Report } from './report.ts';
import { planEnvelope, sendEnvelope } from './submit.ts';
import { watch } from './watch.ts';
import { startWorld, type World } from './world.ts';

export interface DemoOptions {
  /** Benefit types, an envelope for each. */
  readonly types: readonly BenefitType[];
  /** Disbursements of each envelope. */
  readonly disbursements: number;
  readonly batchSize: number;
  /** Batches of an envelope sent at the same time. */
  readonly concurrency: number;
  /** Throw away what earlier demos left. */
  readonly fresh: boolean;
  /** Further settings of the system. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Told how the run goes. */
export interface DemoListener {
  /** What is being done now, in one line. */
  step(line: string): void;
  started(world: World): void;
  progress(progress: Progress, elapsedMs: number): void;
}

/** A run that has come to its end; the system still serves. */
export interface DemoRun {
  readonly world: World;
  readonly report: Report;
}

/**
 * Starts the world, which knows the beneficiaries then, submits an envelope for each benefit type from a CSV file, all
 * at once, and waits until every envelope is complete. The clock runs from the first byte read of a file to the last
 * disbursement reconciled and the last beneficiary notified.
 *
 * @param signal ends the run
 * @throws what stopped the run; everything is stopped then
 */
export async function runDemo(
  config: Config,
  options: DemoOptions,
  listener: DemoListener,
  signal: AbortSignal,
): Promise<DemoRun> {
  const people = { run: randomBytes(4).toString('hex'), count: options.disbursements };
  const programs = options.types.map((type) => programOf(people.run, type));
  listener.step('Starting PostgreSQL, what is around the bridge, and the bridge.');
  const world = await startWorld(config, { ...options, people, programs });
  try {
    signal.throwIfAborted();
    listener.started(world);
    const folder = join(config.data_dir, 'demo');
    listener.step(`Writing ${join(folder, `*-${people.run}.csv`)} and submitting.`);
    const files = await writeFiles(folder, people, programs);
    return { world, report: await pass(world, files, options, listener, signal) };
  } catch (error) {
    await world.stop();
    throw error;
  }
}

type Files = ReadonlyMap<DemoProgram, string>;

async function writeFiles(folder: string, people: People, programs: readonly DemoProgram[]): Promise<Files> {
  const files = new Map<DemoProgram, string>();
  for (const program of programs) {
    const file = join(folder, `${program.benefitType.toLowerCase()}-${people.run}.csv`);
    await writeCsv(people, program, file);
    files.set(program, file);
  }
  return files;
}

/** Takes the envelopes of files from the first byte to their ends. */
async function pass(
  world: World,
  files: Files,
  { batchSize, concurrency }: DemoOptions,
  listener: DemoListener,
  signal: AbortSignal,
): Promise<Report> {
  const started = performance.now();
  const elapsedMs = () => performance.now() - started;
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const envelopes = await Promise.all(
    [...files].map(([program, file]) => planEnvelope(program, file, batchSize, signal)),
  );
  const sent = envelopes.map((envelope) => sendEnvelope(world.bridge.url, envelope, concurrency, either));
  try {
    const onProgress = listener.progress.bind(listener);
    const [doneAt] = await Promise.race([
      world.broken,
      Promise.all([watch(world.database.sql, envelopes, elapsedMs, onProgress, either), ...sent]),
    ]);
    return await makeReport(world, envelopes, doneAt, elapsedMs());
  } finally {
    ended.abort();
  }
}
