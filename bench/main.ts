import '../src/quick-start.ts';
import { Command, InvalidArgumentError } from 'commander';
import { benchDashboard, type DashboardResult } from './dashboard.ts';
import { benchFeed, type FeedFigures, type FeedResult } from './feed.ts';
import { benchInKind, type InKindResult } from './in-kind.ts';
import { benchLatency, type LatencyResult } from './latency.ts';
import { benchPipeline, type PipelineResult } from './pipeline.ts';
import { benchStatements, type StatementsResult } from './statements.ts';
import { benchTransitions, type TransitionsResult } from './transitions.ts';

/** Runs a benchmark and prints it with the baseline of the same run: `npm run bench -- NAME [--json]`. */
const program = new Command('bench').description('Measure on this machine, each figure beside a baseline.');

function show<T>(result: T, json: boolean, lines: (result: T) => string[]): void {
  console.log(json ? JSON.stringify(result) : lines(result).join('\n'));
}

const whole = (text: string): number => {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
};

const number = (value: number): string => value.toLocaleString('en');

program
  .command('transitions')
  .description('durable transitions per second')
  .option('--json')
  .action(async ({ json }: { json?: true }) => {
    show(await benchTransitions(), json === true, (result: TransitionsResult) => [
      'durable transitions per second            state only    with jobs',
      ...[1, 50, 200].map(
        (size) =>
          `  ${String(size).padStart(3)} actors to a transaction ${number(result.per_second[size] ?? 0).padStart(21)} ` +
          number(result.with_jobs_per_second[size] ?? 0).padStart(12),
      ),
      `single-row update commits per second ${number(result.single_row_update_commits_per_second).padStart(16)}`,
    ]);
  });

program
  .command('pipeline')
  .description('digital cash end to end')
  .option('--disbursements <n>', 'how many', whole, 100_000)
  .option('--batch-size <n>', 'disbursements in one request', whole, 1_000)
  .option('--json')
  .action(async (options: { disbursements: number; batchSize: number; json?: true }) => {
    const result = await benchPipeline(options.disbursements, options.batchSize);
    show(result, options.json === true, (one: PipelineResult) => [
      `${number(one.disbursements)} disbursements, CSV to reconciled: ${(one.elapsed_ms / 1000).toFixed(1)} s, ` +
        `${number(one.disbursements_per_second)} per second, ${one.peak_memory_mb ?? '?'} MB at most`,
      `COPY of the same rows to the same tables: ${(one.copy_ms / 1000).toFixed(1)} s, ` +
        `${number(one.copy_disbursements_per_second)} per second (the pipeline takes ${one.times_copy} times as long)`,
      one.ok ? 'OK: every disbursement paid once and reconciled' : 'NOT OK',
    ]);
  });

program
  .command('in-kind')
  .description('goods located and allocated, stages 6 to 8')
  .option('--beneficiaries <n>', 'how many', whole, 100_000)
  .option('--batch-size <n>', 'disbursements in one request', whole, 1_000)
  .option('--json')
  .action(async (options: { beneficiaries: number; batchSize: number; json?: true }) => {
    const result = await benchInKind(options.beneficiaries, options.batchSize);
    show(result, options.json === true, (one: InKindResult) => [
      `${number(one.beneficiaries)} beneficiaries over ${one.small_zones} zones, received to allocated: ` +
        `${(one.elapsed_ms / 1000).toFixed(1)} s, ${number(one.beneficiaries_per_second)} per second`,
      `until all records know that nobody is notified: ${(one.settled_ms / 1000).toFixed(1)} s`,
      `COPY of the same rows to the same tables: ${(one.copy_ms / 1000).toFixed(1)} s, ` +
        `${number(one.copy_beneficiaries_per_second)} per second (the stages take ${one.times_copy} times as long)`,
      one.ok ? 'OK: everybody has a warehouse and an agency, and the sums agree' : 'NOT OK',
    ]);
  });

program
  .command('statements')
  .description('a bank statement, uploaded and reconciled')
  .option('--entries <n>', 'how many', whole, 100_000)
  .option('--statements <n>', 'statements in the file, each of an account of its own', whole, 1)
  .option('--json')
  .action(async (options: { entries: number; statements: number; json?: true }) => {
    const result = await benchStatements(options.entries, options.statements);
    show(result, options.json === true, (one: StatementsResult) => [
      `${number(one.entries)} entries in ${number(one.statements)} statement(s), ${one.file_mb} MB: uploaded in ` +
        `${(one.upload_ms / 1000).toFixed(1)} s, reconciled ${(one.processing_ms / 1000).toFixed(1)} s later, ` +
        `${number(one.entries_per_second)} per second`,
      `${one.peak_memory_mb ?? '?'} MB at most in the process that serves and works ` +
        `(${one.idle_memory_mb ?? '?'} MB before the upload)`,
      `COPY of what was reconciled to the same table: ${(one.copy_ms / 1000).toFixed(1)} s ` +
        `(upload and reconciliation take ${one.times_copy} times as long)`,
      one.ok ? 'OK: every disbursement reconciled once' : 'NOT OK',
    ]);
  });

program
  .command('latency')
  .description('from due until a worker starts, idle')
  .option('--json')
  .action(async ({ json }: { json?: true }) => {
    show(
      await benchLatency(),
      json === true,
      ({ due_to_start_ms: due, notify_ms: notify }: LatencyResult) => [
        `due → worker started   p50 ${due.p50} ms   p99 ${due.p99} ms`,
        `NOTIFY → listener      p50 ${notify.p50} ms   p99 ${notify.p99} ms`,
      ],
    );
  });

program
  .command('feed')
  .description('from a commit to the clients of the feed')
  .option('--clients <n>', 'how many', whole, 100)
  .option('--rate <n>', 'transitions per second', whole, 500)
  .option('--seconds <n>', 'how long', whole, 20)
  .option('--json')
  .action(async (options: { clients: number; rate: number; seconds: number; json?: true }) => {
    const result = await benchFeed(options.clients, options.rate, options.seconds);
    const line = ({ clients, missed, commit_to_client_ms: delay, server_cpu_percent: cpu }: FeedFigures) =>
      `${number(clients).padStart(5)} client(s): commit → client   p50 ${delay.p50} ms   p99 ${delay.p99} ms   ` +
      `missed ${number(missed)}   ${cpu} % of a core`;
    show(result, options.json === true, (one: FeedResult) => [
      `${number(one.many.transitions_per_second)} transitions per second, ${number(one.many.messages)} messages`,
      line(one.many),
      line(one.one),
      one.ok ? 'OK: every client got every transition once, in order' : 'NOT OK',
    ]);
  });

program
  .command('dashboard')
  .description("the operators' views on a programme that has run for years")
  .option('--envelopes <n>', 'how many', whole, 20_000)
  .option('--batches <n>', 'how many, at least one to an envelope', whole, 25_000)
  .option('--disbursements <n>', 'how many', whole, 1_000_000)
  .option('--json')
  .action(async (options: { envelopes: number; batches: number; disbursements: number; json?: true }) => {
    show(await benchDashboard(options), options.json === true, (one: DashboardResult) => [
      `${number(one.disbursements)} disbursements in ${number(one.batches)} batches of ${number(one.envelopes)} envelopes, ` +
        `${number(one.transitions)} transitions`,
      '     p50      p99 of each view over HTTP',
      ...one.views.map(
        ({ path, p50_ms: p50, p99_ms: p99 }) =>
          `${String(p50).padStart(8)} ${String(p99).padStart(8)} ms ${path}`,
      ),
      one.ok ? 'OK: every view within 500 ms' : 'NOT OK',
    ]);
  });

await program.parseAsync();
