import { CliError, EXIT } from './failure.ts';

/** The first Ctrl-C or SIGTERM, as a signal; the second ends the process at once, as if nothing caught it. */
export interface Interrupt {
  /** Aborted with a `CliError` INTERRUPTED. */
  readonly signal: AbortSignal;
  /** Gives both signals their ordinary meaning back. */
  release(): void;
}

/**
 * Begins to listen.
 *
 * @param advice the second half of the error's sentence: what to do, or what holds now
 */
export function onInterrupt(advice: string): Interrupt {
  const controller = new AbortController();
  const release = () => {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  };
  const interrupt = () => {
    release();
    controller.abort(new CliError('INTERRUPTED', `Interrupted; ${advice}`, EXIT.interrupted));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return { signal: controller.signal, release };
}
