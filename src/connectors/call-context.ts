/** What every call to a connector carries besides its request. */
export interface CallContext {
  /** Aborted when nobody wants the answer any more: the worker is stopping or its time is up. */
  readonly signal: AbortSignal;
}
