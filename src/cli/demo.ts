import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config.ts';
import type { Report } from './demo/report.ts';
import { type DemoListener, runDemo } from './demo/run.ts';
import { progressLine, progressLines, reportLines } from './demo/view.ts';
import { onInterrupt } from './interrupt.ts';
import { print, printJson, setExit } from './output.ts';
import { liveView, paintFor } from './ui.ts';

const DISBURSEMENTS_MAX = 10_000_000;
const PLAIN_LINE_MS = 1_000;

interface Options {
  readonly disbursements: number;
  readonly batchSize: number;
  readonly concurrency: number;
  readonly exit?: true;
  readonly report?: string;
  readonly fresh?: true;
  readonly json?: true;
}

/** `demo`: the whole pipeline on this machine, with a simulated bank and mapper. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('Take beneficiaries from a CSV file to reconciliation, with a simulated bank and ID mapper.')
    .option('--disbursements <n>', 'how many', whole(1, DISBURSEMENTS_MAX), 10_000)
    .option('--batch-size <n>', 'disbursements in one request', whole(1, 10_000), 500)
    .option('--concurrency <n>', 'requests at the same time', whole(1, 64), 2)
    .option('--exit', 'stop when done, instead of going on serving')
    .option('--report <file.json>', 'write the result as JSON')
    .option('--fresh', 'throw away what earlier demos left')
    .option('--json', 'write the result as one JSON document on standard output')
    .action(demo);
}

const whole = (min: number, max: number) => (text: string) => {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
};

async function demo(options: Options): Promise<void> {
  const json = options.json === true;
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
    started({ bridge, bank, spar }) {
      view.note(`  bridge  ${bridge.url}   (/readyz, /metrics)`);
      view.note(`  bank    ${bank.url}   (POST /_control makes it misbehave)`);
      view.note(`  mapper  ${spar.url}`);
    },
    progress(progress, elapsedMs) {
      if (process.stdout.isTTY) {
        view.render(progressLines(progress, elapsedMs, paint));
        return;
      }
      const next = progressLine(progress);
      const isDone = progress.reconciled === progress.declared;
      if (progress.declared === 0 || next === line || (elapsedMs - lineAt < PLAIN_LINE_MS && !isDone)) return;
      line = next;
      lineAt = elapsedMs;
      view.note(`${(elapsedMs / 1000).toFixed(1).padStart(6)} s  ${line}`);
    },
  };
}
