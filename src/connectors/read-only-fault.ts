import { ConnectorError } from './connector-error.ts';
import { oneLine } from './foreign-text.ts';

/** The databases of other systems that are read. */
export type ForeignDatabase = 'PBMS' | 'REGISTRY';

const NAME_OF = { PBMS: 'PBMS', REGISTRY: 'The registry' } as const satisfies Record<ForeignDatabase, string>;

/**
 * SQLSTATE classes of faults that lie with the server's situation and not with the query: connection, conflict with a
 * replica's recovery, resources, locks, operator's intervention (time limits among them), system.
 */
const PASSING_CLASSES = new Set(['08', '40', '53', '55', '57', '58']);

/**
 * What went wrong, as the pipeline records it.
 *
 * @param error what the driver threw: the server's answer (PostgresError), or why there is none
 * @returns `…_UNAVAILABLE`, which may pass, or `…_QUERY_FAILED`, which a person must see to
 */
export function faultOf(database: ForeignDatabase, error: unknown): ConnectorError {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : '';
  const reason = oneLine(message || code);
  if (isLost(error)) return unavailable(database, `gave no answer: ${reason}.`);
  if (PASSING_CLASSES.has(code.slice(0, 2))) return unavailable(database, `cannot answer: ${reason}.`);
  return new ConnectorError(
    `${database}_QUERY_FAILED`,
    `${NAME_OF[database]} refused the query: ${reason}.`,
    false,
  );
}

/** Whether the driver's error is not an answer of the server, but the lack of one. */
export function isLost(error: unknown): boolean {
  return !(error instanceof Error && error.name === 'PostgresError');
}

/**
 * The fault of a database that cannot be asked now.
 *
 * @param problem the rest of a sentence that begins with the name of the database
 */
export function unavailable(database: ForeignDatabase, problem: string): ConnectorError {
  return new ConnectorError(`${database}_UNAVAILABLE`, `${NAME_OF[database]} ${problem}`);
}

/** The fault of a call that nobody waits for any more. */
export function aborted(database: ForeignDatabase): ConnectorError {
  return new ConnectorError(`${database}_CALL_ABORTED`, `The query of ${NAME_OF[database]} was abandoned.`);
}

function codeOf(error: unknown): string {
  const code = error !== null && typeof error === 'object' && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
