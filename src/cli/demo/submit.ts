import { checkFile } from '../csv/check-file.ts';
import { createPartnerClient } from '../partner-client.ts';
import { readBatches } from '../submit/batches.ts';
import { planSubmission, type SubmissionPlan } from '../submit/plan.ts';
import { sendBatches } from '../submit/send.ts';
import { createEnvelope } from '../submit/server-state.ts';
import type { DemoEnvelope, DemoProgram } from './programs.ts';

const RETRY_FOR_MS = 60_000;

/** An envelope that is ready to be sent. */
export interface Submission extends DemoEnvelope {
  readonly file: string;
  readonly plan: SubmissionPlan;
}

/** Reads a program's file and plans its envelope, as `submit` does. @throws Error when there is something wrong with it */
export async function planEnvelope(
  program: DemoProgram,
  file: string,
  batchSize: number,
  signal: AbortSignal,
): Promise<Submission> {
  const checked = await checkFile(file, { batchSize, onBytes: () => {}, signal });
  if (!checked.ok) throw new Error(`${file} has problems, which the demo's own file must not have.`);
  const fields = {
    benefit_program_id: program.id,
    benefit_program_mnemonic: program.mnemonic,
    target_registry: 'farmer_registry',
    benefit_code_id: program.benefitCodeId,
    benefit_code_mnemonic: program.benefitCodeMnemonic,
    benefit_type: program.benefitType,
    disbursement_cycle_id: 1,
    cycle_code_mnemonic: program.cycle,
    disbursement_frequency: 'Monthly',
    measurement_unit: program.unit,
    disbursement_schedule_date: new Date().toISOString().slice(0, 10),
  };
  const plan = planSubmission(fields, {}, checked.facts, batchSize);
  const { id, number_of_disbursements: disbursements, total_disbursement_quantity: quantity } = plan.envelope;
  return { id, program, disbursements, quantity, file, plan };
}

/**
 * Sends an envelope and all of its batches.
 *
 * @param concurrency batches under way at once
 */
export async function sendEnvelope(
  url: string,
  { file, plan }: Submission,
  concurrency: number,
  signal: AbortSignal,
): Promise<void> {
  const client = createPartnerClient({ url, sender: 'demo', connectionsMax: concurrency });
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
