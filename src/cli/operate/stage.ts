import { Command } from 'commander';
import { done, ticked } from '../../api/operator/wire/actions.ts';
import { print, printJson } from '../output.ts';
import { addOperateOptions, type OperateOptions, readReason, withSession } from './session.ts';

interface ReasonedOptions extends OperateOptions {
  readonly reason: string;
}

const PAYMENTS = 'disburse_funds_from_bank';
const REASON_HELP = 'why; goes into the journal and the audit log';

const reasoned = (command: Command): Command =>
  addOperateOptions(command.requiredOption('--reason <text>', REASON_HELP));

/** `pause` */
export function pauseCommand(): Command {
  return reasoned(
    new Command('pause')
      .description('Stop the work of a stage in all processes, within a second, until it is resumed.')
      .argument('<stage>', 'as `g2p-bridge stages` names it'),
  ).action((stage: string, options: ReasonedOptions) => change(stage, 'pause', options));
}

/** `stop-payments` */
export function stopPaymentsCommand(): Command {
  return reasoned(
    new Command('stop-payments').description(
      `Emergency stop: no payment leaves from within a second on. The same as pause ${PAYMENTS}.`,
    ),
  ).action((options: ReasonedOptions) => change(PAYMENTS, 'pause', options));
}

/** `resume` */
export function resumeCommand(): Command {
  return reasoned(
    new Command('resume')
      .description('Let a stage go on that was paused; payments need the role payer.')
      .argument('<stage>', 'as `g2p-bridge stages` names it'),
  ).action((stage: string, options: ReasonedOptions) => change(stage, 'resume', options));
}

/** `tick` */
export function tickCommand(): Command {
  return reasoned(
    new Command('tick')
      .description('Run the tick of a stage now: recover what is stale, begin what is due.')
      .argument('<stage>', 'as `g2p-bridge stages` names it'),
  ).action((stage: string, options: ReasonedOptions) =>
    withSession(options, async (session) => {
      const body = { reason: readReason(options.reason) };
      const result = await session.post(`${pathOf(stage)}/tick`, body, ticked, false);
      if (options.json === true) printJson({ stage, ...result });
      else print(`${stage}: ${result.dispatched} dispatched, ${result.stale} taken back.`);
    }),
  );
}

/** `cancel` */
export function cancelCommand(): Command {
  return reasoned(
    new Command('cancel')
      .description('Cancel an envelope of which nothing has been paid.')
      .argument('<envelope>', 'id of the envelope'),
  ).action((envelope: string, options: ReasonedOptions) =>
    withSession(options, async (session) => {
      const body = { reason: readReason(options.reason) };
      await session.post(`/operator/envelopes/${encodeURIComponent(envelope)}/cancel`, body, done, false);
      if (options.json === true) printJson({ envelope, cancelled: true });
      else print(`Envelope ${envelope} is cancelled.`);
    }),
  );
}

function change(stage: string, action: 'pause' | 'resume', options: ReasonedOptions): Promise<void> {
  return withSession(options, async (session) => {
    const body = { reason: readReason(options.reason) };
    await session.post(`${pathOf(stage)}/${action}`, body, done, true);
    if (options.json === true) printJson({ stage, paused: action === 'pause' });
    else print(action === 'pause' ? `${stage} is paused.` : `${stage} runs.`);
  });
}

const pathOf = (stage: string): string => `/operator/stages/${encodeURIComponent(stage)}`;
