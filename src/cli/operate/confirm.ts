import { createInterface } from 'node:readline/promises';
import { CliError, EXIT } from '../failure.ts';

/** Where somebody is asked. */
export interface Asking {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
}

/**
 * Asks on a terminal whether to go on.
 *
 * @param question without the mark at its end: "Retry 12 records"
 * @throws CliError CONFIRMATION_NEEDED where there is no terminal to ask on; NOT_CONFIRMED when the answer is not yes
 */
export async function confirm(question: string, { input, output }: Asking): Promise<void> {
  if (input.isTTY !== true) {
    const advice = 'There is no terminal to ask on; look at the number, and say --yes if it is right.';
    throw new CliError('CONFIRMATION_NEEDED', `${question}? ${advice}`, EXIT.usage);
  }
  const lines = createInterface({ input, output });
  try {
    // Where the input ends without an answer, that is one too.
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    const answer = await Promise.race([lines.question(`${question}? [y/N] `), ended]);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new CliError('NOT_CONFIRMED', 'Nothing has been done.', EXIT.refused);
}
