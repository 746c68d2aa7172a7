import { Command } from 'commander';
import { type Errors, errors } from '../../api/operator/wire/errors.ts';
import { operations } from '../../api/operator/wire/operations.ts';
import { type Overview, overview } from '../../api/operator/wire/overview.ts';
import { oneLine } from '../one-line.ts';
import { print, printJson } from '../output.ts';
import { type Column, formatTable, groupDigits, paintFor, screenColumns } from '../ui.ts';
import { addOperateOptions, type OperateOptions, withSession } from './session.ts';

/** Where nobody looks, lines need not be cut to a screen. */
const WIDTH_OF_FILES = 200;
const MESSAGE_CHARACTERS_MAX = 120;

/** `errors`: what stands in ERROR, by stage and code. */
export function errorsCommand(): Command {
  const command = new Command('errors')
    .description('Show what has stopped in ERROR, by stage and code.')
    .option('--envelope <id>', 'of this envelope only');
  return addOperateOptions(command).action((options: OperateOptions & { readonly envelope?: string }) =>
    withSession(options, async (session) => {
      const { envelope, json } = options;
      const query = envelope === undefined ? '' : `?envelope=${encodeURIComponent(envelope)}`;
      const answer = await session.get(`/operator/errors${query}`, errors);
      if (json === true) printJson(answer);
      else for (const line of errorLines(answer)) print(line);
    }),
  );
}

/** `stages`: what became of the work of each stage, and which are paused. */
export function stagesCommand(): Command {
  return addOperateOptions(
    new Command('stages').description('List the stages: their work, their ticks, and which are paused.'),
  ).action((options: OperateOptions) =>
    withSession(options, async (session) => {
      const [work, ticks] = [
        await session.get('/operator/overview', overview),
        await session.get('/operator/operations', operations),
      ];
      const stages = work.stages.map(({ stage, title, tally, paused }) => {
        const its = ticks.stages.find((one) => one.stage === stage);
        return {
          stage,
          title,
          tally,
          paused,
          last_tick: its?.last_tick ?? null,
          next_tick_at: its?.next_tick_at ?? null,
        };
      });
      if (options.json === true) printJson({ as_of: work.as_of, stages });
      else for (const line of stageLines(stages)) print(line);
    }),
  );
}

const ERROR_COLUMNS: readonly Column[] = [
  { title: 'stage' },
  { title: 'code' },
  { title: 'count', align: 'right' },
  { title: 'since' },
  { title: 'latest', cuttable: true },
];

function errorLines({ groups }: Errors): string[] {
  if (groups.length === 0) return ['Nothing stands in ERROR.'];
  const rows = groups.map(({ stage, code, count, first_at, message }) => [
    stage,
    oneLine(code),
    groupDigits(count),
    first_at,
    oneLine(message ?? '', MESSAGE_CHARACTERS_MAX),
  ]);
  return table(rows, ERROR_COLUMNS);
}

const STAGE_COLUMNS: readonly Column[] = [
  { title: 'stage' },
  { title: 'waiting', align: 'right' },
  { title: 'processing', align: 'right' },
  { title: 'done', align: 'right' },
  { title: 'error', align: 'right' },
  { title: 'next tick' },
  { title: 'paused', cuttable: true },
];

interface StageLine {
  readonly stage: string;
  readonly tally: Overview['stages'][number]['tally'];
  readonly paused: Overview['stages'][number]['paused'];
  readonly next_tick_at: string | null;
}

function stageLines(stages: readonly StageLine[]): string[] {
  const rows = stages.map(({ stage, tally, paused, next_tick_at }) => [
    stage,
    groupDigits(tally.pending + tally.ask_again),
    groupDigits(tally.processing),
    groupDigits(tally.processed),
    groupDigits(tally.error),
    next_tick_at ?? '',
    paused ? oneLine(`by ${paused.by} since ${paused.since}: ${paused.reason}`) : '',
  ]);
  return table(rows, STAGE_COLUMNS);
}

function table(rows: readonly (readonly string[])[], columns: readonly Column[]): string[] {
  const widthMax = process.stdout.isTTY ? screenColumns(process.stdout) : WIDTH_OF_FILES;
  return formatTable(rows, columns, { widthMax, paintTitles: paintFor(process.stdout).dim });
}
