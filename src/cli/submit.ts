import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import { checkFile, type FileFacts } from './csv/check-file.ts';
import { describeProblem } from './csv/problem.ts';
import { CliError, EXIT, failureOf } from './failure.ts';
import { onInterrupt } from './interrupt.ts';
import { print, printJson } from './output.ts';
import { createPartnerClient, type PartnerClient } from './partner-client.ts';
import { noProgress, type Progress, showProgress } from './progress.ts';
import { type RetryPolicy, retryNotes } from './retry.ts';
import { readSign, type Sign } from './sign-key.ts';
import { readBatches } from './submit/batches.ts';
import { addSubmitOptions, readEnvelope, type SubmitOptions } from './submit/options.ts';
import { planSubmission, type SubmissionPlan } from './submit/plan.ts';
import { sendBatches } from './submit/send.ts';
import { askServer, createEnvelope, receivedCount } from './submit/server-state.ts';
import { formatDuration, groupDigits } from './ui.ts';

const AFTER_HELP = `
The file has a header with disbursement_id, beneficiary_id, beneficiary_name, disbursement_quantity and narrative in
any order, and one line for each disbursement. All of it is checked before anything is sent.

Run the same command again after a break: the ids of the envelope and its batches are made of their content, the server
is asked which of them it has, and only what is missing is sent.`;

/** `submit`: sends a CSV file of disbursements as one envelope in batches. */
export function submitCommand(): Command {
  const command = new Command('submit')
    .description('Send a CSV file of disbursements as one envelope, in batches.')
    .argument('<file.csv>', 'the disbursements');
  return addSubmitOptions(command)
    .addHelpText('after', AFTER_HELP)
    .action(async (file: string, options: SubmitOptions) => submit(file, options, command));
}

/** How a submission went. */
interface Result {
  readonly batchesSent: number;
  readonly disbursementsSent: number;
  readonly received: number;
}

async function submit(file: string, options: SubmitOptions, command: Command): Promise<void> {
  const startedAt = performance.now();
  const { fields, declared } = await readEnvelope(command);
  const sign = await readSign(options);
  const progress = options.json === true ? noProgress : showProgress(process.stderr);
  const interrupt = onInterrupt('run the same command again to send what is missing.');
  try {
    const facts = await check(file, options, progress, interrupt.signal);
    const plan = planSubmission(fields, declared, facts, options.batchSize);
    progress.note(
      `${file}: ${groupDigits(facts.disbursements)} disbursements, ${describeTotal(plan)}, ` +
        `checked in ${formatDuration(performance.now() - startedAt)}`,
    );
    const result =
      options.check === true
        ? null
        : await send(file, plan, { ...options, sign }, progress, interrupt.signal);
    progress.end();
    report(plan, result, performance.now() - startedAt, options.json === true);
  } finally {
    progress.end();
    interrupt.release();
  }
}

/** @throws CliError CSV_INVALID naming the first problems, FILE_UNREADABLE */
async function check(
  file: string,
  { batchSize }: SubmitOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<FileFacts> {
  const found = await stat(file).catch((error: Error) => {
    throw new CliError('FILE_UNREADABLE', `${file} cannot be read: ${error.message}.`, EXIT.usage);
  });
  // It is read twice, which a pipe does not allow.
  if (!found.isFile()) throw new CliError('FILE_UNREADABLE', `${file} is not a file.`, EXIT.usage);
  progress.phase('checking');
  const onBytes = (bytes: number) => progress.update(bytes, found.size);
  const checked = await checkFile(file, { batchSize, onBytes, signal }).catch((error: unknown) => {
    throw isSystemError(error)
      ? new CliError('FILE_UNREADABLE', `${file} cannot be read: ${error.message}.`, EXIT.usage)
      : error;
  });
  if (checked.ok) return checked.facts;
  const { problems, problemCount } = checked;
  const shown = problemCount > problems.length ? `; here are the first ${problems.length}` : '';
  const message = `${file} has ${problemCount === 1 ? 'a problem' : `${groupDigits(problemCount)} problems`}${shown}. Nothing was sent.`;
  throw new CliError('CSV_INVALID', message, EXIT.usage, {
    details: problems.map(describeProblem),
    data: { problems, problem_count: problemCount },
  });
}

async function send(
  file: string,
  plan: SubmissionPlan,
  options: SubmitOptions & { readonly sign: Sign | null },
  progress: Progress,
  signal: AbortSignal,
): Promise<Result> {
  const client = createPartnerClient({
    url: options.url,
    sender: options.sender,
    sign: options.sign,
    requestTimeoutMs: options.timeout,
    connectionsMax: options.concurrency,
  });
  const retry: RetryPolicy = {
    retryForMs: options.retryFor,
    signal,
    onRetry: retryNotes((line) => progress.note(line)),
  };
  try {
    return await sendMissing(client, file, plan, options, progress, retry);
  } finally {
    await client.close();
  }
}

async function sendMissing(
  client: PartnerClient,
  file: string,
  plan: SubmissionPlan,
  { concurrency }: SubmitOptions,
  progress: Progress,
  retry: RetryPolicy,
): Promise<Result> {
  progress.phase('asking what the server has');
  const onAsked = (count: number) => progress.update(count, plan.batches.length);
  const { envelopeExists, missing } = await askServer(client, plan, { concurrency, retry, onAsked });
  if (!envelopeExists) await createEnvelope(client, plan, retry);
  progress.note(
    `envelope ${plan.envelope.id}: ${envelopeExists ? 'there already' : 'created'}, ` +
      `${groupDigits(missing.size)} of ${groupDigits(plan.batches.length)} batches to send`,
  );
  progress.phase('sending');
  const total = plan.batches.reduce((sum, { index, size }) => sum + (missing.has(index) ? size : 0), 0);
  let batchesSent = 0;
  let disbursementsSent = 0;
  const onSent = ({ disbursements }: { readonly disbursements: readonly unknown[] }) => {
    batchesSent += 1;
    disbursementsSent += disbursements.length;
    progress.update(disbursementsSent, total);
  };
  const batches = readBatches(file, plan, missing, retry.signal);
  if (missing.size > 0) {
    await sendBatches(client, batches, { concurrency, retry, onSent }).catch((error: unknown) => {
      throw withProgress(error, plan, disbursementsSent, total);
    });
  }
  return { batchesSent, disbursementsSent, received: await receivedCount(client, plan, retry) };
}

/** The failure, saying how far sending had come. */
function withProgress(error: unknown, plan: SubmissionPlan, sent: number, total: number): CliError {
  const { code, message, exitCode, details, data } = failureOf(error);
  const soFar = `${groupDigits(sent)} of ${groupDigits(total)} disbursements were sent to envelope ${plan.envelope.id}.`;
  return new CliError(code, message, exitCode, {
    details: [...details, soFar],
    data: { ...data, envelope_id: plan.envelope.id, disbursements_sent: sent },
  });
}

/** @throws CliError SUBMISSION_INCOMPLETE when the server has received less than was sent to it */
function report(plan: SubmissionPlan, result: Result | null, elapsedMs: number, json: boolean): void {
  const { envelope } = plan;
  const document = resultDocument(plan, result, elapsedMs);
  if (result !== null && result.received < envelope.number_of_disbursements) {
    const message =
      `The server has received ${result.received} of ${envelope.number_of_disbursements} disbursements of ` +
      `envelope ${envelope.id}.`;
    throw new CliError('SUBMISSION_INCOMPLETE', message, EXIT.refused, { data: document });
  }
  if (json) printJson(document);
  else for (const line of summary(plan, result, elapsedMs)) print(line);
}

function resultDocument({ envelope, batches }: SubmissionPlan, result: Result | null, elapsedMs: number) {
  return {
    envelope_id: envelope.id,
    disbursements: envelope.number_of_disbursements,
    total_disbursement_quantity: envelope.total_disbursement_quantity,
    measurement_unit: envelope.measurement_unit,
    batches: batches.length,
    batches_sent: result?.batchesSent ?? 0,
    disbursements_sent: result?.disbursementsSent ?? 0,
    disbursements_received: result?.received ?? null,
    checked_only: result === null,
    elapsed_ms: Math.round(elapsedMs),
  };
}

function summary(plan: SubmissionPlan, result: Result | null, elapsedMs: number): string[] {
  const { envelope, batches } = plan;
  const sent =
    result === null
      ? 'nothing, only checked'
      : `${groupDigits(result.disbursementsSent)} in ${groupDigits(result.batchesSent)} batches now`;
  const received = result === null ? [] : [`received       ${groupDigits(result.received)}`];
  return [
    `envelope       ${envelope.id}`,
    `disbursements  ${groupDigits(envelope.number_of_disbursements)} in ${groupDigits(batches.length)} batches`,
    `total          ${describeTotal(plan)}`,
    `sent           ${sent}`,
    ...received,
    `elapsed        ${formatDuration(elapsedMs)}`,
  ];
}

function describeTotal({ envelope }: SubmissionPlan): string {
  return `${groupDigits(envelope.total_disbursement_quantity)} ${envelope.measurement_unit}`;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
