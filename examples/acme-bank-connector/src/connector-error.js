/**
 * A fault that the pipeline can read: it knows the error by its name, so a connector brings its own class and needs
 * nothing of the pipeline at run time.
 */
export class ConnectorError extends Error {
  /**
   * @param {string} code stable, for operators and dashboards, such as BANK_UNREACHABLE
   * @param {string} message one sentence for people, without account numbers or names
   * @param {boolean} [retryable] whether the same call may succeed later
   */
  constructor(code, message, retryable = true) {
    super(message);
    this.name = 'ConnectorError';
    this.code = code;
    this.retryable = retryable;
  }
}
