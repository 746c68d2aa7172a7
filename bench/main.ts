import '../src/quick-start.ts';
import { Command, InvalidArgumentError, Option } from 'commander';
import { benchByStage, byStageLines } from './by-stage.ts';
import { benchDashboard, type DashboardResult } from './dashboard.ts';
import { benchFeed, type FeedFigures, type FeedResult } from './feed.ts';
import { benchInKind, type InKindResult } from './in-kind.ts';
import { benchLatency, type LatencyResult } from './latency.ts';
import { benchPipeline, type PipelineResult } from './pipeline.ts';
import { benchScale, type Layout, PARTS, type Part } from './scale.ts';
import { scaleLines, scaleMarkdown } from './scale-view.ts';
import { benchSoak, type SoakSample } from './soak.ts';
import { soakLines, soakResultLines } from './soak-view.ts';
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

const wholes = (text: string): number[] => text.split(',').map(whole);

const parts = (text: string): Part[] =>
  text.split(',').map((name) => {
    const part = PARTS.find((one) => one === name);
    if (part) return part;
    throw new InvalidArgumentError(`It must be some of ${PARTS.join(', ')}.`);
  });

/** Options of `scale` that have another default in miniature. */
const FULL = {
  processes: [1, 2, 4],
  warmUp: 4_000,
  disbursements: 100_000,
  outsideDisbursements: 40_000,
  sizes: [10_000, 100_000, 1_000_000],
  probe: 50_000,
};
const SMOKE: typeof FULL = {
  processes: [1, 2],
  warmUp: 0,
  disbursements: 1_000,
  outsideDisbursements: 1_000,
  sizes: [1_000, 2_000],
  probe: 500,
};

interface ScaleFlags extends Partial<Omit<typeof FULL, 'warmUp'>> {
  readonly only: readonly Part[];
  readonly layout: Layout;
  readonly batchSize: number;
  readonly outsideMs: number;
  readonly outsideBatchSize: number;
  readonly smoke?: true;
  readonly markdown?: true;
  readonly json?: true;
}

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
  .option('--by-stage', 'one stage after the other, each beside COPY of its rows')
  .option('--json')
  .action(async (options: { disbursements: number; batchSize: number; byStage?: true; json?: true }) => {
    if (options.byStage) {
      const stages = await benchByStage(options.disbursements, options.batchSize);
      return show(stages, options.json === true, byStageLines);
    }
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

program
  .command('scale')
  .description('more processes on one database, and a database that grows')
  .option('--only <parts>', `some of ${PARTS.join(', ')}`, parts, [...PARTS])
  .addOption(
    new Option('--layout <layout>', 'processes that do everything, or one api and so many workers')
      .choices(['all', 'split'])
      .default('all'),
  )
  .option('--processes <list>', 'how many, one after the other', wholes)
  .option('--disbursements <n>', 'of each run with so many processes', whole)
  .option('--batch-size <n>', 'disbursements in one request', whole, 1_000)
  .option('--outside-ms <n>', 'what a slow bank and a slow mapper take for an answer', whole, 1_000)
  .option('--outside-disbursements <n>', 'of each run with a slow outside', whole)
  .option('--outside-batch-size <n>', 'disbursements in one of its requests', whole, 250)
  .option('--sizes <list>', 'disbursements stored when the growth is looked at', wholes)
  .option('--probe <n>', 'disbursements of the run that is the same at every size', whole)
  .option('--smoke', 'everything in miniature: shows that it works, and no figure that means anything')
  .option('--markdown', 'the constants of docs/scaling.md')
  .option('--json')
  .action(async (options: ScaleFlags) => {
    const note = (line: string) => options.json || console.error(line);
    const result = await benchScale(
      { ...(options.smoke ? SMOKE : FULL), ...options, parts: options.only },
      note,
    );
    show(result, options.json === true, options.markdown ? scaleMarkdown : scaleLines);
    if (!result.ok) process.exitCode = 1;
  });

program
  .command('soak')
  .description('small envelopes at a steady rate, for long: what grows, and what does not')
  .option('--minutes <n>', 'how long, at least 3', whole, 10)
  .option('--rate <n>', 'disbursements per second', whole, 200)
  .option('--json')
  .action(async ({ minutes, rate, json }: { minutes: number; rate: number; json?: true }) => {
    let before: SoakSample | undefined;
    const onSample = (sample: SoakSample) => {
      if (!json) console.log(soakLines(sample, before).join('\n'));
      before = sample;
    };
    const result = await benchSoak(Math.max(3, minutes), rate, onSample);
    show(result, json === true, soakResultLines);
    if (!result.ok) process.exitCode = 1;
  });

await program.parseAsync();
