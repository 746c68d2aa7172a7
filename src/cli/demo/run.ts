import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config.ts';
import { checkFile } from '../csv/check-file.ts';
import { createPartnerClient } from '../partner-client.ts';
import { readBatches } from '../submit/batches.ts';
import { planSubmission, type SubmissionPlan } from '../submit/plan.ts';
import { sendBatches } from '../submit/send.ts';
import { createEnvelope } from '../submit/server-state.ts';
import { linkAll, writeCsv } from './beneficiaries.ts';
import { type Progress, progressOf } from './progress.ts';
import { makeReport, type Report } from './report.ts';
import { type ProgramAccount, startWorld, type World } from './world.ts';

const LOOK_EVERY_MS = 100;
/** Without any progress for so long a run is given up. */
const STUCK_AFTER_MS = 300_000;
const RETRY_FOR_MS = 60_000;

export interface DemoOptions {
  readonly disbursements: number;
  readonly batchSize: number;
  /** Batches sent at the same time. */
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
 * Starts the world, links the beneficiaries at the mapper, submits them from a CSV file, and waits until everything is
 * reconciled. The clock runs from the first byte read of the file to the last disbursement reconciled.
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
  const account = { number: `DEMO-${people.run.toUpperCase()}`, currency: 'USD' };
  listener.step('Starting PostgreSQL, the sponsor bank, the ID mapper and the bridge.');
  const world = await startWorld(config, account, options);
  try {
    listener.started(world);
    const file = join(config.data_dir, 'demo', `beneficiaries-${people.run}.csv`);
    listener.step(`Writing ${file} and linking its beneficiaries at the mapper.`);
    await writeCsv(people, file);
    await linkAll(people, world.spar.url, () => signal.throwIfAborted());
    listener.step('Submitting.');
    const started = performance.now();
    const elapsedMs = () => performance.now() - started;
    const plan = await planRun(file, account, people.run, options, signal);
    const ended = new AbortController();
    const sent = submit(world, file, plan, options, AbortSignal.any([signal, ended.signal]));
    try {
      await Promise.race([
        world.broken,
        Promise.all([
          sent,
          watch(world, account, plan, elapsedMs, listener, AbortSignal.any([signal, ended.signal])),
        ]),
      ]);
    } finally {
      ended.abort();
    }
    const run = { envelopeId: plan.envelope.id, disbursements: people.count, elapsedMs: elapsedMs() };
    return { world, report: await makeReport(world, account, run) };
  } catch (error) {
    await world.stop();
    throw error;
  }
}

async function planRun(
  file: string,
  account: ProgramAccount,
  run: string,
  { batchSize }: DemoOptions,
  signal: AbortSignal,
): Promise<SubmissionPlan> {
  const checked = await checkFile(file, { batchSize, onBytes: () => {}, signal });
  if (!checked.ok) throw new Error(`${file} has problems, which the demo's own file must not have.`);
  const fields = {
    benefit_program_id: 1,
    benefit_program_mnemonic: 'DEMO',
    target_registry: 'farmer_registry',
    benefit_code_id: 1,
    benefit_code_mnemonic: 'CASH',
    benefit_type: 'CASH_DIGITAL',
    disbursement_cycle_id: 1,
    cycle_code_mnemonic: `DEMO-${run}`,
    disbursement_frequency: 'Monthly',
    measurement_unit: account.currency,
    disbursement_schedule_date: new Date().toISOString().slice(0, 10),
  };
  return planSubmission(fields, {}, checked.facts, batchSize);
}

async function submit(
  world: World,
  file: string,
  plan: SubmissionPlan,
  { concurrency }: DemoOptions,
  signal: AbortSignal,
): Promise<void> {
  const client = createPartnerClient({ url: world.bridge.url, sender: 'demo', connectionsMax: concurrency });
  const retry = { retryForMs: RETRY_FOR_MS, signal, onRetry: () => {} };
  try {
    await createEnvelope(client, plan, retry);
    const wanted = new Set(plan.batches.map(({ index }) => index));
    const batches = readBatches(file, plan, wanted, signal);
    await sendBatches(client, batches, { concurrency, retry, onSent: () => {} });
  } finally {
    await client.close();
  }
}

/** Resolves when every disbursement is reconciled. @throws Error when a record is in ERROR or nothing moves any more */
async function watch(
  world: World,
  account: ProgramAccount,
  plan: SubmissionPlan,
  elapsedMs: () => number,
  listener: DemoListener,
  signal: AbortSignal,
): Promise<void> {
  let before = '';
  let movedAt = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const progress = await progressOf(world.database.sql, plan.envelope.id, account.number);
    listener.progress(progress, elapsedMs());
    if (progress.reconciled >= plan.envelope.number_of_disbursements) return;
    const stopped = progress.stages.find(({ errors }) => errors > 0);
    if (stopped)
      throw new Error(
        `${stopped.stage} stopped in ERROR; see the transitions of envelope ${plan.envelope.id}.`,
      );
    const now = JSON.stringify(progress);
    if (now !== before) movedAt = performance.now();
    before = now;
    if (performance.now() - movedAt > STUCK_AFTER_MS)
      throw new Error(`Nothing has moved for ${STUCK_AFTER_MS / 1000} s.`);
    await delay(LOOK_EVERY_MS);
  }
}
