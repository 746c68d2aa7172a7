/** The codes of faults that connectors of this product report; a connector of a deployment may add its own. */
export type ConnectorErrorCode =
  /** Nothing reached the other side: refused connection, unknown host, no free connection in time. */
  | 'BANK_UNREACHABLE'
  | 'MAPPER_UNREACHABLE'
  | 'KEYMANAGER_UNREACHABLE'
  | 'OAUTH_UNREACHABLE'
  /** The request was sent, the answer did not come in time. */
  | 'BANK_TIMEOUT'
  | 'MAPPER_TIMEOUT'
  | 'KEYMANAGER_TIMEOUT'
  | 'OAUTH_TIMEOUT'
  /** The connection broke after the request was, at least in part, sent. */
  | 'BANK_CONNECTION_LOST'
  | 'MAPPER_CONNECTION_LOST'
  | 'KEYMANAGER_CONNECTION_LOST'
  | 'OAUTH_CONNECTION_LOST'
  /** The caller's signal was aborted. */
  | 'BANK_CALL_ABORTED'
  | 'MAPPER_CALL_ABORTED'
  | 'KEYMANAGER_CALL_ABORTED'
  | 'OAUTH_CALL_ABORTED'
  /** The other side answered with an HTTP error. */
  | 'BANK_ERROR'
  | 'MAPPER_ERROR'
  | 'KEYMANAGER_ERROR'
  | 'OAUTH_ERROR'
  /** The answer is too large, is not JSON, or does not have the agreed form. */
  | 'BANK_BAD_ANSWER'
  | 'MAPPER_BAD_ANSWER'
  | 'KEYMANAGER_BAD_ANSWER'
  | 'OAUTH_BAD_ANSWER'
  /** The other side understood and said no. A mapper's own code takes the place of this one when it gives one. */
  | 'BANK_REFUSED'
  | 'MAPPER_REFUSED'
  | 'KEYMANAGER_REFUSED'
  | 'OAUTH_REFUSED'
  /** The mapper or the key manager does not accept our token, also not a new one, or wants one and we have none. */
  | 'MAPPER_UNAUTHORIZED'
  | 'KEYMANAGER_UNAUTHORIZED'
  /** The request must not be sent: an amount that is not a decimal, two requests with one reference. */
  | 'BANK_BAD_REQUEST'
  | 'MAPPER_BAD_REQUEST'
  /** The database cannot be asked now: it cannot be reached, or was too slow, or the connection broke. */
  | 'PBMS_UNAVAILABLE'
  | 'REGISTRY_UNAVAILABLE'
  /** The database refused the query, such as for a missing table or permission. */
  | 'PBMS_QUERY_FAILED'
  | 'REGISTRY_QUERY_FAILED'
  /** The caller's signal was aborted, or the database has been closed. */
  | 'PBMS_CALL_ABORTED'
  | 'REGISTRY_CALL_ABORTED'
  /** The file with the key that signs requests cannot be used; only at start-up. */
  | 'SIGNING_KEY_UNUSABLE'
  /** A connector named in the configuration cannot be used; only at start-up. */
  | 'CONNECTOR_NOT_LOADED'
  | CircuitOpenCode;

/** Nothing was sent: the system has failed so often that calls to it pause. */
export type CircuitOpenCode =
  | 'BANK_CIRCUIT_OPEN'
  | 'MAPPER_CIRCUIT_OPEN'
  | 'NOTIFICATION_CIRCUIT_OPEN'
  | 'PBMS_CIRCUIT_OPEN'
  | 'REGISTRY_CIRCUIT_OPEN';

/**
 * A fault of a connector or of the system behind it: the call has no result.
 *
 * For calls that move money a connector throws this only when the request surely did not reach the bank; every other
 * failure of such a call is the outcome `unknown`.
 */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';
  /** Stable code, recorded with the stage: a {@link ConnectorErrorCode} or a code of the other side. */
  readonly code: string;
  /** Whether the same call may succeed later. False sends the stage to ERROR without using up its attempts. */
  readonly retryable: boolean;

  /**
   * @param code see {@link ConnectorErrorCode}
   * @param message one sentence for people, without account numbers or names
   * @param retryable whether the same call may succeed later
   */
  constructor(code: ConnectorErrorCode | (string & {}), message: string, retryable = true) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }
}

/** A fault that lies with a system as a whole; made of a connector's own fault by the circuit that watches the system. */
export class OutageError extends ConnectorError {
  /**
   * When to ask again, at the earliest: work that met the outage waits until then and uses up no attempt. Null while
   * the system answers other calls, so that what failed may be the fault of this one.
   */
  readonly notBefore: Date | null;

  /** @param fault what the connector threw, kept as the cause */
  constructor(fault: { readonly code: string; readonly message: string }, notBefore: Date | null) {
    super(fault.code, fault.message);
    this.notBefore = notBefore;
    this.cause = fault;
  }
}

/** Nothing was sent, because calls to the system pause. */
export class CircuitOpenError extends ConnectorError {
  /** When the next call is let through. */
  readonly notBefore: Date;

  /**
   * @param message names the system and since when it is away
   * @param notBefore when the next call is let through
   */
  constructor(code: CircuitOpenCode, message: string, notBefore: Date) {
    super(code, message);
    this.notBefore = notBefore;
  }
}
