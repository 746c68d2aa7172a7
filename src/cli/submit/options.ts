import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { CliError, EXIT } from '../failure.ts';
import { secondsOption, wholeNumberOption } from '../numbers.ts';
import { oneLine } from '../one-line.ts';
import { asObject, type JsonObject } from '../partner-messages.ts';
import { urlOption } from '../server-url.ts';
import { addSignOptions, type SignOptions } from '../sign-key.ts';
import {
  ENVELOPE_FIELDS,
  type EnvelopeFields,
  type EnvelopeReading,
  readEnvelopeFields,
} from './envelope-fields.ts';

/** What `submit` was called with; the envelope's fields are in `readEnvelope`. */
export interface SubmitOptions extends SignOptions {
  readonly url: string;
  readonly sender: string;
  readonly batchSize: number;
  readonly concurrency: number;
  /** How long a server that does not answer is waited for, in milliseconds. */
  readonly retryFor: number;
  readonly timeout: number;
  readonly envelope?: string;
  readonly check?: true;
  readonly json?: true;
}

const RETRY_HELP = 'keep trying for so long when the server does not answer';
const ENVELOPE_FILE_BYTES_MAX = 1024 * 1024;

/** Adds the options of `submit` to the command. */
export function addSubmitOptions(command: Command): Command {
  for (const { flag, placeholder, help, required } of ENVELOPE_FIELDS) {
    const text = required ? help : `${help} (may be left out)`;
    command.addOption(new Option(`${flag} <${placeholder}>`, text).helpGroup('The envelope:'));
  }
  command
    .addOption(
      new Option(
        '--envelope <file.json>',
        'fields of the envelope by their names on the wire; options go first',
      ).helpGroup('The envelope:'),
    )
    .addOption(urlOption())
    .option('--sender <mnemonic>', 'who sends: sender_app_mnemonic of the requests', 'G2P_BRIDGE_CLI');
  return addSignOptions(command)
    .addOption(
      wholeNumberOption('--batch-size', 'disbursements of a batch', { min: 1, max: 10_000, byDefault: 500 }),
    )
    .addOption(wholeNumberOption('--concurrency', 'batches sent at once', { min: 1, max: 32, byDefault: 2 }))
    .addOption(secondsOption('--timeout', 'for one request', { min: 0.1, max: 3_600, byDefault: 60 }))
    .addOption(secondsOption('--retry-for', RETRY_HELP, { min: 0, max: 86_400, byDefault: 60 }))
    .option('--check', 'only check the file and say what would be sent')
    .option('--json', 'write the result as one JSON document');
}

/**
 * The envelope's fields from the options and the file named by `--envelope`.
 *
 * @throws CliError when the file cannot be used, or naming every field that is missing or wrong
 */
export async function readEnvelope(command: Command): Promise<Extract<EnvelopeReading, { ok: true }>> {
  const options = command.opts<Record<string, unknown>>();
  const given = new Map<keyof EnvelopeFields, string>();
  for (const { name, flag } of ENVELOPE_FIELDS) {
    const value = options[new Option(flag).attributeName()];
    if (typeof value === 'string') given.set(name, value);
  }
  const path = options.envelope;
  const reading = readEnvelopeFields(given, typeof path === 'string' ? await readObject(path) : {});
  if (reading.ok) return reading;
  throw new CliError(
    'ENVELOPE_INVALID',
    'The envelope is not complete or not right; nothing was sent.',
    EXIT.usage,
    {
      details: reading.problems,
      data: { problems: reading.problems },
    },
  );
}

async function readObject(path: string): Promise<JsonObject> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new CliError('ENVELOPE_FILE_UNREADABLE', `${path} cannot be read: ${error.message}.`, EXIT.usage);
  });
  if (bytes.length > ENVELOPE_FILE_BYTES_MAX) {
    throw new CliError('ENVELOPE_FILE_UNREADABLE', `${path} is too large for one envelope.`, EXIT.usage);
  }
  const object = asObject(jsonOf(bytes, path));
  if (object !== null) return object;
  throw new CliError('ENVELOPE_FILE_UNREADABLE', `${path} must hold one JSON object.`, EXIT.usage);
}

function jsonOf(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const why = error instanceof Error ? oneLine(error.message) : '';
    throw new CliError('ENVELOPE_FILE_UNREADABLE', `${path} is not JSON: ${why}.`, EXIT.usage);
  }
}
