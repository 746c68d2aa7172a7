import { EXIT, type Failure } from './failure.ts';

const closed = new AbortController();

/** Aborted when whoever read our standard output has gone, as `head` does; nothing written from then on is seen. */
export const outputClosed: AbortSignal = closed.signal;

/**
 * Keeps a closed pipe from being a fault: writing on into it is harmless, and a command that only shows something stops
 * when {@link outputClosed} says so. Commands that do work finish it.
 */
export function surviveClosedPipes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed.abort();
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/** Writes a line to standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes a JSON document, on one line, to standard output. */
export function printJson(document: unknown): void {
  print(JSON.stringify(document));
}

/**
 * Shows how a command failed: on standard error one line `error CODE: sentence` and its details; with `--json` also a
 * document `{ "error": … }` on standard output.
 */
export function printFailure(failure: Failure, options: { readonly json: boolean }): void {
  const lines = [
    `error ${failure.code}: ${failure.message}`,
    ...failure.details.map((detail) => `  ${detail}`),
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  if (options.json) {
    printJson({
      error: { code: failure.code, message: failure.message, exit_code: failure.exitCode, ...failure.data },
    });
  }
}

/** Whether the command's work counts as done. */
export function setExit(finished: boolean): void {
  process.exitCode = finished ? EXIT.ok : EXIT.refused;
}
