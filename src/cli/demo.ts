import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { BENEFIT_TYPES, type BenefitType } from '../machines/benefit-type.ts';
import { isComplete } from './demo/progress.ts';
import type { Report } from './demo/report.ts';
import { reportLines } from './demo/report-view.ts';
import type { DemoListener } from './demo/run.ts';
import { progressLine, progressLines } from './demo/view.ts';
import { usageError } from './failure.ts';
import { onInterrupt } from './interrupt.ts';
import { wholeNumberOption } from './numbers.ts';
import { quoted } from './one-line.ts';
import { print, printJson, setExit } from './output.ts';
import { liveView, paintFor } from './ui.ts';

const TYPES_DEFAULT: readonly BenefitType[] = ['CASH_DIGITAL', 'CASH_PHYSICAL', 'COMMODITY', 'SERVICE'];
const DISBURSEMENTS = { min: 1, max: 10_000_000, byDefault: 2_500 };
const PLAIN_LINE_MS = 1_000;

interface Options {
  readonly types: readonly BenefitType[];
  readonly disbursements: number;
  readonly batchSize: number;
  readonly concurrency: number;
  readonly exit?: true;
  readonly report?: string;
  readonly fresh?: true;
  readonly json?: true;
}

const AFTER_HELP = `
There is one envelope for each benefit type, and all of them are on their way at once. The same people get something
from each: digital cash is paid to their accounts, physical cash to the agencies of their zones; goods and services
are allocated to warehouses and agencies; everybody concerned is notified. With --types CASH_DIGITAL nothing but a
bank and an ID mapper is simulated.`;

/** `demo`: the whole pipeline on this machine, with everything around it simulated. */
export function demoCommand(): Command {
  const size = { min: 1, max: 10_000, byDefault: 500 };
  return new Command('demo')
    .description(
      'Take beneficiaries from CSV files to reconciled payments and sent notifications, with a simulated bank, ID ' +
        'mapper, program management system, farmer registry and notification service.',
    )
    .addOption(wholeNumberOption('--disbursements', 'how many in each envelope', DISBURSEMENTS))
    .addOption(typesOption())
    .addOption(wholeNumberOption('--batch-size', 'disbursements in one request', size))
    .addOption(
      wholeNumberOption('--concurrency', 'requests of an envelope at once', {
        min: 1,
        max: 64,
        byDefault: 2,
      }),
    )
    .option('--exit', 'stop when done, instead of going on serving')
    .option('--report <file.json>', 'write the result as JSON')
    .option('--fresh', 'throw away what earlier demos left')
    .option('--json', 'write the result as one JSON document on standard output')
    .addHelpText('after', AFTER_HELP)
    .action(demo);
}

function typesOption(): Option {
  const help = `benefit types, an envelope of each: any of ${BENEFIT_TYPES.join(', ')}`;
  return new Option('--types <list>', help)
    .default(TYPES_DEFAULT, TYPES_DEFAULT.join(','))
    .argParser((text) => {
      const given = text.split(',').map((name) => name.trim().toUpperCase());
      const wrong = given.find((name) => !BENEFIT_TYPES.some((type) => type === name));
      if (wrong === undefined) return BENEFIT_TYPES.filter((type) => given.includes(type));
      throw usageError(
        `--types takes ${BENEFIT_TYPES.join(', ')}, separated by commas, not ${quoted(wrong)}.`,
      );
    });
}

async function demo(options: Options): Promise<void> {
  const json = options.json === true;
  // Loaded here, so that who only asks for help need not wait for all of it.
  const [{ loadConfig }, { runDemo }] = await Promise.all([import('../config.ts'), import('./demo/run.ts')]);
  const config = loadConfig(process.env);
  const interrupt = onInterrupt('the demo was stopped.');
  const listener = json ? silent : shown();
  const run = await runDemo(
    config,
    { ...options, fresh: options.fresh === true },
    listener,
    interrupt.signal,
  );
  try {
    await show(run.report, options, json);
    if (options.exit === true || interrupt.signal.aborted) return;
    print(`Still serving on ${run.world.bridge.url}; Ctrl-C stops everything.`);
    await Promise.race([
      run.world.broken,
      new Promise<void>((resolve) => interrupt.signal.addEventListener('abort', () => resolve())),
    ]);
  } finally {
    await run.world.stop();
    interrupt.release();
  }
}

async function show(report: Report, options: Options, json: boolean): Promise<void> {
  if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(report, null, 2)}\n`);
  if (json) printJson(report);
  else for (const line of reportLines(report, paintFor(process.stdout))) print(line);
  setExit(report.ok);
}

const silent: DemoListener = { step: () => {}, started: () => {}, progress: () => {} };

/** A live table on a terminal; elsewhere a line a second, when something has changed. */
function shown(): DemoListener {
  const view = liveView(process.stdout);
  const paint = paintFor(process.stdout);
  let line = '';
  let lineAt = 0;
  return {
    step: (text) => view.note(text),
    started({ bridge, bank, spar, inKind }) {
      view.note(`  bridge  ${bridge.url}   (open it: the dashboard; also /readyz, /metrics)`);
      view.note(`  bank    ${bank.url}   (POST /_control makes it misbehave)`);
      view.note(`  mapper  ${spar.url}`);
      if (inKind) view.note(`  novu    ${inKind.novu.url}   (GET /_admin/notifications shows what it got)`);
    },
    progress(progress, elapsedMs) {
      if (process.stdout.isTTY) {
        view.render(progressLines(progress, elapsedMs, paint));
        return;
      }
      const next = progressLine(progress);
      const isDone = progress.envelopes.every(isComplete);
      const isAnnounced = progress.envelopes.some(({ declared }) => declared > 0);
      if (!isAnnounced || next === line || (elapsedMs - lineAt < PLAIN_LINE_MS && !isDone)) return;
      line = next;
      lineAt = elapsedMs;
      view.note(`${(elapsedMs / 1000).toFixed(1).padStart(6)} s  ${line}`);
    },
  };
}
