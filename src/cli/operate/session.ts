import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { z } from 'zod';
import { OPERATOR_TOKEN_VARIABLE } from '../../config/names.ts';
import { CliError, EXIT, usageError } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { secondsOption } from '../numbers.ts';
import { createOperatorClient } from '../operator-client.ts';
import { refusedError } from '../partner-client.ts';
import { type RetryPolicy, retryNotes, untilAnswered } from '../retry.ts';
import { urlOption } from '../server-url.ts';

/** What every command for operators takes. */
export interface OperateOptions {
  readonly url: string;
  readonly tokenFile?: string;
  /** Both in milliseconds. */
  readonly timeout: number;
  readonly retryFor: number;
  readonly json?: true;
}

/** The operators' API, as a command uses it: what it refuses is thrown. */
export interface Session {
  /** @throws CliError */
  get<T>(path: string, answer: z.ZodType<T>): Promise<T>;
  /**
   * @param repeatable see `OperatorClient.post`
   * @throws CliError
   */
  post<T>(path: string, body: object, answer: z.ZodType<T>, repeatable: boolean): Promise<T>;
}

const TOKEN_CHARACTERS_MAX = 16_384;
const RETRY_HELP = 'keep trying for so long when the server does not answer';

/** Adds what every command for operators takes. */
export function addOperateOptions(command: Command): Command {
  return command
    .addOption(urlOption("the operators' API"))
    .option(
      '--token-file <file>',
      `file with the token; without it, ${OPERATOR_TOKEN_VARIABLE} has the token`,
    )
    .addOption(secondsOption('--timeout', 'for one request', { min: 0.1, max: 3_600, byDefault: 60 }))
    .addOption(secondsOption('--retry-for', RETRY_HELP, { min: 0, max: 86_400, byDefault: 10 }))
    .option('--json', 'write the result as one JSON document');
}

/**
 * Lets a command work with the operators' API, until it is done.
 *
 * @throws CliError when the token cannot be read; what `work` throws
 */
export async function withSession(
  options: OperateOptions,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const token = await readToken(options, process.env);
  const interrupt = onInterrupt('what was asked for by then is done.');
  const client = createOperatorClient({ url: options.url, token, requestTimeoutMs: options.timeout });
  const { signal } = interrupt;
  const policy: RetryPolicy = {
    retryForMs: options.retryFor,
    signal,
    onRetry: retryNotes((line) => process.stderr.write(`${line}\n`)),
  };
  const decided = async <T>(call: Parameters<typeof untilAnswered<T>>[0]): Promise<T> => {
    const answer = await untilAnswered(call, policy);
    if (answer.kind === 'refused') throw withAdvice(refusedError(answer), token);
    return answer.payload;
  };
  try {
    await work({
      get: (path, answer) => decided(() => client.get(path, answer, signal)),
      post: (path, body, answer, repeatable) =>
        decided(() => client.post(path, body, answer, { repeatable, signal })),
    });
  } finally {
    interrupt.release();
    await client.close();
  }
}

/** Who has shown no token may not know how. */
function withAdvice(error: CliError, token: string | null): CliError {
  if (token !== null || error.code !== 'TOKEN_MISSING') return error;
  const advice = `Set ${OPERATOR_TOKEN_VARIABLE}, or name a file with --token-file.`;
  return new CliError(error.code, `${error.message} ${advice}`, EXIT.refused);
}

/** @throws CliError TOKEN_UNUSABLE */
async function readToken(
  { tokenFile }: OperateOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  const text = tokenFile === undefined ? env[OPERATOR_TOKEN_VARIABLE] : await readTokenFile(tokenFile);
  const token = text?.trim() ?? '';
  if (token === '' && tokenFile === undefined) return null;
  // What a header cannot carry is no token.
  if (/^[\x21-\x7e]+$/.test(token) && token.length <= TOKEN_CHARACTERS_MAX) return token;
  const place = tokenFile ?? OPERATOR_TOKEN_VARIABLE;
  throw new CliError('TOKEN_UNUSABLE', `${place} does not hold one token and nothing else.`, EXIT.usage);
}

function readTokenFile(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: Error) => {
    throw new CliError('TOKEN_UNUSABLE', `${path} cannot be read: ${error.message}.`, EXIT.usage);
  });
}

/** Why somebody acts, as the server takes it. @throws CliError USAGE */
export function readReason(text: string | undefined): string {
  const reason = text?.trim() ?? '';
  if (reason.length >= 3 && reason.length <= 500) return reason;
  throw usageError(
    '--reason must say why, in 3 to 500 characters; it goes into the journal and the audit log.',
  );
}
