import '../src/quick-start.ts';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { CliError, type Failure, failureOf, usageError } from '../src/cli/failure.ts';
import { onInterrupt } from '../src/cli/interrupt.ts';
import { wholeNumberOption } from '../src/cli/numbers.ts';
import { quoted } from '../src/cli/one-line.ts';
import { print, printFailure, printJson, setExit, surviveClosedPipes } from '../src/cli/output.ts';
import { againLines, commandOf, failureLines, holds, reportLines } from './report.ts';
import { runChaos } from './run.ts';
import { FAULT_KINDS, type FaultKind } from './schedule.ts';
import { FileTimeline } from './timeline.ts';

interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly faults: readonly FaultKind[];
  readonly keep?: true;
  readonly json?: true;
}

const SEED_MAX = 2 ** 31 - 1;
const MINUTES = { min: 0.5, max: 1_440, byDefault: 3 };

function command(): Command {
  const seed = Math.floor(Math.random() * SEED_MAX);
  return new Command('chaos')
    .description(
      'Run the system under continuous load while its processes, database, connections, clocks and surroundings fail, ' +
        'and check from the outside that nothing was lost or done twice; see docs/chaos.md.',
    )
    .addOption(minutesOption())
    .addOption(
      wholeNumberOption('--seed', 'the same seed gives the same schedule of faults', {
        min: 0,
        max: SEED_MAX,
        byDefault: seed,
      }).default(seed, 'a random one, which is printed'),
    )
    .addOption(faultsOption())
    .option('--keep', 'keep data and logs also when everything held')
    .option('--json', 'write the result as one JSON document on standard output')
    .helpOption('-h, --help', 'show what can be done')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .action(chaos);
}

function minutesOption(): Option {
  const { min, max, byDefault } = MINUTES;
  return new Option('--minutes <n>', 'how long faults strike').default(byDefault).argParser((text) => {
    const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw usageError(`--minutes must be a number from ${min} to ${max}, not ${quoted(text)}.`);
  });
}

function faultsOption(): Option {
  return new Option('--faults <list>', `any of ${FAULT_KINDS.join(', ')}`)
    .default(FAULT_KINDS, 'all')
    .argParser((text) => {
      const given = text.split(',').map((name) => name.trim().toLowerCase());
      const wrong = given.find((name) => !FAULT_KINDS.some((kind) => kind === name));
      if (wrong === undefined) return FAULT_KINDS.filter((kind) => given.includes(kind));
      throw usageError(
        `--faults takes ${FAULT_KINDS.join(', ')}, separated by commas, not ${quoted(wrong)}.`,
      );
    });
}

async function chaos({ minutes, seed, faults, keep, json }: Options): Promise<void> {
  const run = `${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-${process.pid}`;
  const folder = resolve(join(process.env.G2P_BRIDGE_DATA_DIR ?? 'data', 'chaos', run));
  await mkdir(folder, { recursive: true });
  const timeline = new FileTimeline(join(folder, 'timeline.jsonl'));
  const interrupt = onInterrupt(`nothing was checked; what there is was left in ${folder}.`);
  const listener = { step: (line: string) => (json ? undefined : print(line)) };
  try {
    const report = await runChaos(
      { minutes, seed, faults, run, folder, timeline },
      listener,
      interrupt.signal,
    );
    setExit(holds(report));
    if (json) printJson({ ok: holds(report), ...report });
    else {
      const again = holds(report) ? [] : ['', ...againLines(report)];
      for (const line of [...reportLines(report), ...again]) print(line);
      if (!holds(report)) for (const line of await failureLines(report, timeline)) print(line);
    }
    if (holds(report) && !keep) await rm(folder, { recursive: true, force: true });
    else if (holds(report)) listener.step(`Kept: ${folder}`);
  } catch (error) {
    throw withWayBack(error, { minutes, seed, kinds: faults, folder });
  } finally {
    interrupt.release();
    await timeline.close();
  }
}

/** The same failure, with what it takes to run it again. */
function withWayBack(error: unknown, run: Parameters<typeof againLines>[0]): CliError {
  const { code, message, exitCode, details, data } = failureOf(error);
  return new CliError(code, message, exitCode, {
    details: [...details, ...againLines(run)],
    data: { ...data, seed: run.seed, folder: run.folder, again: commandOf(run) },
  });
}

/** What commander could not make sense of, as a failure; null when it only showed help. */
function failureOfUse(error: CommanderError): Failure | null {
  if (error.exitCode === 0) return null;
  const sentence = error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
  return usageError(`${sentence.replace(/\.$/, '')}. Try: npm run chaos -- --help`);
}

surviveClosedPipes();
try {
  await command().parseAsync();
} catch (error) {
  const failure = error instanceof CommanderError ? failureOfUse(error) : failureOf(error);
  if (failure !== null) {
    printFailure(failure, { json: process.argv.includes('--json') });
    process.exitCode = failure.exitCode;
  }
}
// An interrupted load goes on asking a system that is gone; nothing else is left by now, and what was written is out.
process.stdout.write('', () => process.exit());
