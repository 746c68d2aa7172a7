import type { CallContext } from '../call-context.ts';

/**
 * The port to an ID mapper, which knows the financial address of a beneficiary.
 *
 * A package exports `createMapperConnector(settings: MapperConnectorSettings)`, which returns a connector or a promise
 * of one, and is named in `mapper_connector_impl`. One connector serves all calls, from many workers at once.
 *
 * A call ends within a bound of its own, whatever the mapper does, and soon after `ctx.signal` is aborted. Resolving
 * changes nothing at the mapper, so the pipeline may repeat it at any time; a connector does not repeat by itself,
 * except once with a new token when the mapper answered 401.
 */
export interface MapperConnector {
  /**
   * Resolves beneficiaries to address strings, in one request to the mapper; the caller chooses how many at a time.
   *
   * What mappers do differently is the connector's to put in order: however many answers come, in whatever order,
   * the result has exactly one {@link ResolveAnswer} per request, in the order of the requests.
   *
   * @param requests one per beneficiary; reference ids are unique among them
   * @throws ConnectorError when the mapper as a whole did not answer; what it cannot say about one beneficiary is an
   *   `error` of that answer
   */
  resolve(requests: readonly ResolveRequest[], ctx: CallContext): Promise<readonly ResolveAnswer[]>;

  /** Releases connections. Called once, when no call is under way. */
  close?(): Promise<void>;
}

/** A beneficiary to resolve. */
export interface ResolveRequest {
  /** Ties the answer to the request: the disbursement id. */
  readonly referenceId: string;
  readonly beneficiaryId: string;
}

/** What the mapper said about one beneficiary: an address or an error, never both. */
export interface ResolveAnswer {
  readonly referenceId: string;
  readonly beneficiaryId: string;
  /** The address string as the mapper gave it, not yet taken apart; null with an error. */
  readonly fa: string | null;
  /** Name of the bank or wallet provider that holds the account, when the mapper gives it. */
  readonly providerName: string | null;
  /** Code of the bank or wallet provider, when the mapper gives it. */
  readonly providerCode: string | null;
  readonly error: ResolveError | null;
}

/** Why there is no address. */
export interface ResolveError {
  /** A {@link ResolveErrorCode}, or the mapper's own code for its refusal. */
  readonly code: string;
  /** One sentence for people, without the address. */
  readonly message: string;
}

/** The codes that a connector gives itself. */
export type ResolveErrorCode =
  /** The mapper's answer does not mention the request. */
  | 'FA_NOT_ANSWERED'
  /** The mapper refused without a code, or claims success without an address. */
  | 'FA_REFUSED'
  /** The mapper gave several different answers to the request; paying either would be a guess. */
  | 'FA_AMBIGUOUS'
  /** The answer is about another beneficiary than the request; paying it would be a mistake. */
  | 'FA_MISMATCHED'
  /** The answer does not have the agreed form. */
  | 'FA_BAD_ANSWER';

/** Signs the body of a request to the mapper. */
export interface RequestSigner {
  /**
   * @param body the request's JSON text, exactly as it will be sent
   * @returns the value of the `Signature` header
   * @throws ConnectorError when the key or the key manager is not available
   */
  sign(body: string, ctx: CallContext): Promise<string>;
}

/** Gives access to the mapper. */
export interface RequestAuthorizer {
  /**
   * @returns a bearer token that is valid now; caching and renewing it is the authorizer's business
   * @throws ConnectorError when there is no token to be had
   */
  bearerToken(ctx: CallContext): Promise<string>;
  /** Says that the other side answered 401 to a token: the next one will be new. */
  refused(token: string): void;
}

/** What a mapper connector is created with. */
export interface MapperConnectorSettings {
  /** Base URL of the mapper, without a trailing slash. */
  readonly apiUrl: string;
  /** How this system names itself to the mapper (`sender_app_mnemonic`). */
  readonly senderId: string;
  /** Time to open a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Longest time a call may take, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Largest answer, in bytes. */
  readonly responseBytesMax: number;
  /** Most connections open at once. */
  readonly connectionsMax: number;
  /** Signs requests, whose body is then canonical JSON; they go unsigned without it. */
  readonly signer?: RequestSigner;
  /** Authorizes requests; they carry no token without it. */
  readonly authorizer?: RequestAuthorizer;
  /** Clock for the timestamps of requests. */
  readonly now?: () => Date;
}
