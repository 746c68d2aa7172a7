/** A request as it is sent, whatever that is. */
export interface FuzzRequest {
  /** What has been done to it, for people. */
  readonly label: string;
  readonly method: string;
  /** With the query. */
  readonly target: string;
  /** The path as the published document has it; null where it has none. */
  readonly path: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  /** The body goes out in pieces, without a length announced. */
  readonly chunked?: boolean;
  /** The server may close the connection before it has read all of it. */
  readonly large?: boolean;
}

/** Bytes that are sent on a connection of their own, which is then closed from our side. */
export interface RawRequest {
  readonly label: string;
  readonly bytes: Buffer;
}

export type FuzzCase = FuzzRequest | RawRequest;

/** A case for people: what was sent, cut where it is long. */
export function shown(one: FuzzCase): string {
  const bytes = 'bytes' in one ? one.bytes : one.body;
  const text = bytes ? JSON.stringify(bytes.subarray(0, 3_000).toString('latin1')) : 'no body';
  if ('bytes' in one) return `${one.label}: ${bytes?.length} bytes ${text}`;
  const { label, method, target, headers, chunked } = one;
  return `${label}: ${method} ${target.slice(0, 300)} ${JSON.stringify(headers).slice(0, 1_000)}\n${bytes?.length ?? 0} bytes${chunked ? ', chunked' : ''} ${text}`;
}
