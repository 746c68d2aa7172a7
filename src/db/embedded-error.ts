/** What can be wrong with the embedded server; stable, for scripts and for the documentation. */
export type EmbeddedPostgresErrorCode =
  /** The port that was asked for belongs to another program. */
  | 'EMBEDDED_PORT_TAKEN'
  /** The data folder holds files that are not this product's database. */
  | 'EMBEDDED_FOLDER_NOT_OURS'
  /** The data folder cannot be created, entered or written by the user that runs the server. */
  | 'EMBEDDED_FOLDER_NOT_USABLE'
  /** The data was written by another major version of PostgreSQL. */
  | 'EMBEDDED_VERSION_MISMATCH'
  /** The PostgreSQL programs are missing for this platform, or do not run. */
  | 'EMBEDDED_BINARIES_UNUSABLE'
  /** We run as root, PostgreSQL refuses to, and the user `postgres` could not be created. */
  | 'EMBEDDED_NO_SERVER_USER'
  /** The running server does not accept the password kept in the data folder. */
  | 'EMBEDDED_PASSWORD_REJECTED'
  /** The server could not be started or used for another reason, which the message quotes. */
  | 'EMBEDDED_START_FAILED'
  /** The server did not become ready in time; it may still be recovering. */
  | 'EMBEDDED_START_TIMEOUT'
  /** The server did not stop in time; it goes on stopping by itself. */
  | 'EMBEDDED_STOP_TIMEOUT'
  /** A database name is not lower-case letters, digits and underscores, 63 at most. */
  | 'EMBEDDED_BAD_DATABASE_NAME';

/** A reason why the embedded server cannot be used, with one sentence that tells a person what to do. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly code: EmbeddedPostgresErrorCode;

  constructor(code: EmbeddedPostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** @returns the `code` of a system, driver or server error (`ENOENT`, `57P03`), or undefined */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** @returns the text of anything thrown, on one line */
export function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim();
}
