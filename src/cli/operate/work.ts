import { Command } from 'commander';
import { type WorkTarget, workActionAnswer, workPreviewAnswer } from '../../api/operator/wire/actions.ts';
import { print, printJson, setExit } from '../output.ts';
import { groupDigits } from '../ui.ts';
import { confirm } from './confirm.ts';
import { addOperateOptions, type OperateOptions, readReason, type Session, withSession } from './session.ts';

interface WorkOptions extends OperateOptions {
  readonly stage: string;
  readonly code?: string;
  readonly envelope?: string;
  readonly id?: readonly string[];
  readonly reason: string;
  readonly yes?: true;
}

/** How people speak of an action. */
interface Words {
  readonly action: 'retry' | 'release' | 'dispatch';
  readonly description: string;
  /** "Retry 12 records" */
  readonly verb: string;
  /** "Retried 12 records" */
  readonly past: string;
}

const RETRY: Words = {
  action: 'retry',
  description: 'Try work again that stopped in ERROR, with all its attempts.',
  verb: 'Retry',
  past: 'Retried',
};
const RELEASE: Words = {
  action: 'release',
  description:
    'Let work go on that stopped in ERROR, without the part that failed; of a payment: count it as made. Needs the role payer.',
  verb: 'Release',
  past: 'Released',
};
const DISPATCH: Words = {
  action: 'dispatch',
  description: 'Do work now that is due, or waits for its next attempt.',
  verb: 'Dispatch',
  past: 'Dispatched',
};

const AFTER_HELP = `
Shows how many records it is for and asks on a terminal; elsewhere it wants --yes. Ends with 0 when all of them did it,
with 1 when some could not: they changed meanwhile, or are not there.`;

/** `retry` */
export const retryCommand = () => workCommand(RETRY);
/** `release` */
export const releaseCommand = () => workCommand(RELEASE);
/** `dispatch` */
export const dispatchCommand = () => workCommand(DISPATCH);

function workCommand(words: Words): Command {
  const command = new Command(words.action)
    .description(words.description)
    .requiredOption('--stage <stage>', 'of this stage, as `g2p-bridge stages` names it')
    .option('--code <code>', 'of this error code')
    .option('--envelope <id>', 'of this envelope')
    .option('--id <id...>', 'these records, at most 1,000')
    .requiredOption('--reason <text>', 'why; goes into the journal and the audit log')
    .option('--yes', 'do not ask');
  return addOperateOptions(command)
    .addHelpText('after', AFTER_HELP)
    .action((options: WorkOptions) => withSession(options, (session) => run(session, words, options)));
}

async function run(session: Session, words: Words, options: WorkOptions): Promise<void> {
  const reason = readReason(options.reason);
  const { stage, code, envelope, id: ids } = options;
  const target: WorkTarget = {
    stage,
    ...(ids === undefined ? {} : { ids: [...new Set(ids)] }),
    ...(code === undefined ? {} : { code }),
    ...(envelope === undefined ? {} : { envelope }),
  };
  const preview = await session.post(
    '/operator/actions/preview',
    { action: words.action, target },
    workPreviewAnswer,
    true,
  );
  const { matching } = preview;
  if (matching === 0 && ids === undefined) {
    tell(options, words, { matching, accepted: 0, refused: 0, remaining: 0 });
    return;
  }
  if (options.yes !== true && matching > 0) {
    await confirm(questionOf(words, matching, preview.payer_only), {
      input: process.stdin,
      output: process.stderr,
    });
  }
  const result = await actOnAll(session, words, { ...target, as_of: preview.as_of }, reason);
  tell(options, words, { matching, ...result });
  setExit(result.refused === 0 && result.remaining === 0);
}

const questionOf = ({ verb, action }: Words, matching: number, payerOnly: boolean): string => {
  const needs = payerOnly && action !== 'release' ? ' (some only with the role payer)' : '';
  return `${verb} ${recordsOf(matching)}${needs}`;
};

const recordsOf = (count: number): string => `${groupDigits(count)} record${count === 1 ? '' : 's'}`;

interface Done {
  readonly accepted: number;
  readonly refused: number;
  readonly remaining: number;
}

/** One request acts on a part of many. What cannot do it stays, so that there is an end also when some remain. */
async function actOnAll(
  session: Session,
  { action }: Words,
  target: WorkTarget,
  reason: string,
): Promise<Done> {
  let sum: Done = { accepted: 0, refused: 0, remaining: 0 };
  for (;;) {
    // With the moment of the preview it can be sent again: what has done it by then stands there no longer. Of single records
    // it would be told that they could not do it, though they have.
    const repeatable = target.ids === undefined;
    const one = await session.post(
      `/operator/actions/${action}`,
      { target, reason },
      workActionAnswer,
      repeatable,
    );
    sum = {
      accepted: sum.accepted + one.accepted,
      refused: sum.refused + one.refused,
      remaining: one.remaining,
    };
    if (one.remaining === 0 || one.accepted === 0 || target.ids !== undefined) return sum;
  }
}

function tell(
  { json }: WorkOptions,
  { action, past, verb }: Words,
  result: Done & { readonly matching: number },
): void {
  if (json === true) {
    printJson({ action, ...result });
    return;
  }
  if (result.matching === 0 && result.refused === 0) {
    print(`There is nothing to ${verb.toLowerCase()}.`);
    return;
  }
  const rest = [
    ...(result.refused > 0 ? [`${groupDigits(result.refused)} could not do it`] : []),
    ...(result.remaining > 0 ? [`${groupDigits(result.remaining)} remain`] : []),
  ];
  print(`${[`${past} ${recordsOf(result.accepted)}`, ...rest].join('; ')}.`);
}
