import { ConfigError } from '../config/config-error.ts';
import { EmbeddedPostgresError } from '../db/embedded-error.ts';
import { oneLine } from './one-line.ts';

/** What the exit codes mean; `EXIT_CODES_HELP` says the same to people. */
export const EXIT = {
  ok: 0,
  /** A business rule refused, something failed, or what was looked at is not finished. */
  refused: 1,
  /** Wrong usage, wrong settings or a bad input file; nothing was done. */
  usage: 2,
  /** The server or the database cannot be reached or used. */
  unreachable: 3,
  /** A fault of this program. */
  internal: 70,
  /** Ended by Ctrl-C or SIGTERM. */
  interrupted: 130,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit codes:
  0    done
  1    refused by a rule, failed, or not finished
  2    wrong usage, wrong settings or a bad input file; nothing was done
  3    the server or the database cannot be reached
  70   a fault of this program
  130  interrupted`;

/** How a command ends when it does not succeed. */
export interface Failure {
  /** Stable, for scripts. */
  readonly code: string;
  /** One sentence on one line, for people. */
  readonly message: string;
  readonly exitCode: ExitCode;
  /** Further lines, such as the problems found in a file. */
  readonly details: readonly string[];
  /** What `--json` adds to code and message. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Thrown by a command that cannot go on; `main.ts` shows it and sets the exit code. */
export class CliError extends Error implements Failure {
  override readonly name = 'CliError';
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly details: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;

  /**
   * @param code stable, for scripts
   * @param message a sentence for people that names what it is about
   * @param exitCode what the process answers
   * @param more further lines for people, and what `--json` adds
   */
  constructor(
    code: string,
    message: string,
    exitCode: ExitCode,
    more: { readonly details?: readonly string[]; readonly data?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(oneLine(message));
    this.code = code;
    this.exitCode = exitCode;
    this.details = more.details ?? [];
    this.data = more.data ?? {};
  }
}

/** A mistake in how the command was called. */
export function usageError(message: string): CliError {
  return new CliError('USAGE', message, EXIT.usage);
}

/** Codes of the operating system and of the database driver that mean: nobody there, or no way to get there. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
]);

/** SQLSTATEs of a database that cannot be used: connection, login and shutdown classes, no such database. */
const UNUSABLE_DATABASE = /^(08|28|57P0|3D000|53300)/;
const CODE = /^[A-Z][A-Z0-9_]{2,}$/;

/** Turns whatever was thrown into what is shown. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof CliError) return thrown;
  if (thrown instanceof ConfigError) return failure(thrown.code, thrown.message, EXIT.usage);
  if (thrown instanceof EmbeddedPostgresError) return failure(thrown.code, thrown.message, EXIT.unreachable);
  // A refused connection to a name with several addresses comes as one error for each.
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return failureOf(thrown.errors[0]);
  if (!(thrown instanceof Error)) return failure('INTERNAL', String(thrown), EXIT.internal);
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  if (UNREACHABLE.has(code)) return failure(code, thrown.message, EXIT.unreachable);
  if (thrown.name === 'PostgresError') return databaseFailure(code, thrown.message);
  if (thrown.cause instanceof Error && !CODE.test(code)) {
    const cause = failureOf(thrown.cause);
    if (cause.exitCode !== EXIT.internal) return cause;
  }
  return failure(CODE.test(code) ? code : 'INTERNAL', thrown.message, systemExit(thrown, code));
}

function databaseFailure(sqlState: string, message: string): Failure {
  const exitCode = UNUSABLE_DATABASE.test(sqlState) ? EXIT.unreachable : EXIT.internal;
  return failure(`DATABASE_${sqlState}`, `The database answered: ${message}`, exitCode);
}

/** Errors that a setting causes: a port that is taken, a connector that cannot be loaded. */
const CAUSED_BY_SETTINGS = new Set(['ListenError', 'ConnectorError', 'NotMigratedError', 'MigrationError']);

/** A failed system call (no permission), or processes in the way, is a failure of what was tried, any other error one of ours. */
function systemExit(error: Error, code: string): ExitCode {
  if (CAUSED_BY_SETTINGS.has(error.name)) return EXIT.usage;
  if (error.name === 'ProcessesRunningError') return EXIT.refused;
  return 'syscall' in error && CODE.test(code) ? EXIT.refused : EXIT.internal;
}

function failure(code: string, message: string, exitCode: ExitCode): Failure {
  return { code, message: oneLine(message), exitCode, details: [], data: {} };
}
