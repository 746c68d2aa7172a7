import { Command } from 'commander';
import { EXIT, failureOf } from './failure.ts';
import { onInterrupt } from './interrupt.ts';
import { secondsOption } from './numbers.ts';
import { outputClosed, print, printJson } from './output.ts';
import { createPartnerClient, type JsonObject, type PartnerClient, refusedError } from './partner-client.ts';
import { decimalIn } from './partner-messages.ts';
import { type RetryPolicy, retryNotes, untilAnswered, wait } from './retry.ts';
import { urlOption } from './server-url.ts';
import { addSignOptions, readSign, type SignOptions } from './sign-key.ts';
import { type EnvelopeState, envelopeState } from './status/envelope-state.ts';
import { stateLine, stateLines } from './status/lines.ts';
import { liveView, paintFor, screenColumns } from './ui.ts';

interface StatusOptions extends SignOptions {
  readonly url: string;
  readonly sender: string;
  /** All three in milliseconds. */
  readonly interval: number;
  readonly timeout: number;
  readonly retryFor: number;
  readonly once?: true;
  readonly json?: true;
}

const RETRY_HELP = 'keep trying for so long when the server does not answer';
const AFTER_HELP = `
Ends when the envelope is complete: exit code 0. It is 1 when the envelope is cancelled and, with --once, when it is not
complete yet. Where standard output is not a terminal, a line is written whenever something has changed; with --json,
each is a JSON document.`;

/** `status`: shows how far an envelope has come, until it is complete. */
export function statusCommand(): Command {
  const command = new Command('status')
    .description('Show how far an envelope has come, and keep showing it until it is complete.')
    .argument('<envelope>', 'id of the envelope')
    .addOption(urlOption())
    .option('--sender <mnemonic>', 'who asks: sender_app_mnemonic of the requests', 'G2P_BRIDGE_CLI');
  return addSignOptions(command)
    .addOption(secondsOption('--interval', 'between two looks', { min: 0.1, max: 3_600, byDefault: 1 }))
    .option('--once', 'look once')
    .addOption(secondsOption('--timeout', 'for one request', { min: 0.1, max: 3_600, byDefault: 10 }))
    .addOption(secondsOption('--retry-for', RETRY_HELP, { min: 0, max: 86_400, byDefault: 10 }))
    .option('--json', 'write JSON documents, one a line')
    .addHelpText('after', AFTER_HELP)
    .action(status);
}

async function status(envelopeId: string, options: StatusOptions): Promise<void> {
  const sign = await readSign(options);
  const interrupt = onInterrupt('the envelope goes on without being watched.');
  const client = createPartnerClient({
    url: options.url,
    sender: options.sender,
    sign,
    requestTimeoutMs: options.timeout,
    connectionsMax: 1,
  });
  try {
    process.exitCode = await watch(client, envelopeId, options, interrupt.signal);
  } finally {
    interrupt.release();
    await client.close();
  }
}

/** @throws CliError when there is no such envelope, no answer, or on Ctrl-C */
async function watch(
  client: PartnerClient,
  envelopeId: string,
  options: StatusOptions,
  interrupted: AbortSignal,
): Promise<number> {
  const display = displayFor(options);
  const retry: RetryPolicy = {
    retryForMs: options.retryFor,
    signal: AbortSignal.any([interrupted, outputClosed]),
    onRetry: retryNotes((line) => display.note(line)),
  };
  try {
    for (;;) {
      const answer = await untilAnswered(() => client.envelopeStatus(envelopeId, retry.signal), retry);
      if (answer.kind === 'refused') throw refusedError(answer);
      const state = envelopeState(answer.payload);
      display.show(state, answer.payload);
      if (state.progress === 'complete') return EXIT.ok;
      if (state.progress === 'cancelled' || options.once === true) return EXIT.refused;
      await wait(options.interval, retry.signal);
    }
  } catch (error) {
    // Nobody reads on: that ends the watch, it is not a failure.
    if (outputClosed.aborted && failureOf(error).code !== 'INTERRUPTED') return EXIT.ok;
    throw error;
  } finally {
    display.done();
  }
}

/** Where states are shown. */
interface Display {
  show(state: EnvelopeState, payload: JsonObject): void;
  note(line: string): void;
  done(): void;
}

function displayFor({ json, once }: StatusOptions): Display {
  const onStandardError = (line: string) => process.stderr.write(`${line}\n`);
  if (json === true) {
    const show = whenChanged(
      (_, payload) => payload,
      (state, payload) => printJson(documentOf(state, payload)),
    );
    return { show, note: onStandardError, done() {} };
  }
  const paint = paintFor(process.stdout);
  if (process.stdout.isTTY) {
    const view = liveView(process.stdout);
    const show = (state: EnvelopeState) =>
      view.render(stateLines(state, paint, screenColumns(process.stdout)));
    return { show, note: (line) => view.note(line), done: () => view.done() };
  }
  if (once === true) {
    return { show: (state) => stateLines(state, paint).forEach(print), note: onStandardError, done() {} };
  }
  const show = whenChanged(stateLine, (state) => print(`${new Date().toISOString()} ${stateLine(state)}`));
  return { show, note: onStandardError, done() {} };
}

/** Shows only what differs from what was shown before. */
function whenChanged(
  essence: (state: EnvelopeState, payload: JsonObject) => unknown,
  show: (state: EnvelopeState, payload: JsonObject) => void,
): Display['show'] {
  let shown = '';
  return (state, payload) => {
    const text = JSON.stringify(essence(state, payload));
    if (text === shown) return;
    shown = text;
    show(state, payload);
  };
}

/** The server's answer under its own names, quantities as exact text, without the one geo record that was asked for. */
function documentOf(state: EnvelopeState, payload: JsonObject): JsonObject {
  const { disbursement_batch_control_geos: _, ...counts } = payload;
  return {
    progress: state.progress.replaceAll(' ', '_'),
    ...counts,
    total_disbursement_quantity_declared: decimalIn(payload, 'total_disbursement_quantity_declared'),
    total_disbursement_quantity_received: decimalIn(payload, 'total_disbursement_quantity_received'),
  };
}
