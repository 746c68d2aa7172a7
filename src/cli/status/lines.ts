import { formatTable, groupDigits, type Paint, progressBar } from '../ui.ts';
import type { EnvelopeState, Step } from './envelope-state.ts';

const BAR_COLUMNS = 19;
const GOOD = new Set(['FUNDS_AVAILABLE', 'FUNDS_BLOCK_SUCCESS']);
const BAD = new Set(['FUNDS_NOT_AVAILABLE', 'FUNDS_BLOCK_FAILURE', 'ERROR']);

/**
 * The envelope as a table, with what went wrong below it.
 *
 * @param widthMax columns of the terminal
 */
export function stateLines(state: EnvelopeState, paint: Paint, widthMax = 80): string[] {
  const rows = state.steps.map((step) => [step.name, ...countCells(step), progressCell(step, paint)]);
  const table = formatTable(
    rows,
    [
      { title: 'stage' },
      { title: 'done', align: 'right' },
      { title: 'of', align: 'right' },
      { title: 'progress', cuttable: true },
    ],
    { widthMax, paintTitles: paint.dim },
  );
  const received = groupDigits(state.quantityReceived);
  const declared = groupDigits(state.quantityDeclared);
  return [
    `${paint.bold(state.id)}  ${state.benefitType}  ${progressWord(state, paint)}`,
    `${received} of ${declared} ${state.unit} received`,
    '',
    ...table,
    ...troubles(state).map((step) => paint.red(troubleLine(step))),
  ];
}

/** The envelope on one line, for logs: the same for the same state. */
export function stateLine(state: EnvelopeState): string {
  const steps = state.steps.map((step) => {
    const name = step.name.replaceAll(' ', '_');
    if (step.kind === 'count') {
      const errors = step.errors > 0 ? `(${step.errors}_in_ERROR:${step.errorCode})` : '';
      return `${name}=${step.done}${step.of === null ? '' : `/${step.of}`}${errors}`;
    }
    return `${name}=${step.state}${step.errorCode === null ? '' : `(${step.errorCode})`}`;
  });
  return [state.id, ...steps, state.progress.replaceAll(' ', '_')].join(' ');
}

function countCells(step: Step): [done: string, of: string] {
  if (step.kind === 'state') return ['', ''];
  return [groupDigits(step.done), step.of === null ? '' : groupDigits(step.of)];
}

function progressCell(step: Step, paint: Paint): string {
  if (step.kind === 'count') {
    if (step.of === null) return '';
    const bar = progressBar(step.done, step.of, BAR_COLUMNS);
    return step.of > 0 && step.done >= step.of ? paint.green(bar) : bar;
  }
  if (BAD.has(step.state)) return paint.red(step.state);
  return GOOD.has(step.state) ? paint.green(step.state) : step.state;
}

function progressWord({ progress }: EnvelopeState, paint: Paint): string {
  if (progress === 'complete') return paint.green(progress);
  return progress === 'cancelled' ? paint.red(progress) : paint.yellow(progress);
}

function troubles({ steps }: EnvelopeState): Step[] {
  return steps.filter(({ errorCode }) => errorCode !== null);
}

function troubleLine(step: Step): string {
  const { name, errorCode } = step;
  if (step.kind === 'count') {
    const stopped = step.errors === 0 ? 'trying again' : `${groupDigits(step.errors)} in ERROR`;
    return `${name}: ${errorCode}, ${stopped}`;
  }
  return `${name}: ${errorCode} after ${step.attempts} ${step.attempts === 1 ? 'attempt' : 'attempts'}`;
}
