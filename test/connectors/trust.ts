import { fileURLToPath } from 'node:url';
import type {
  MapperConnector,
  MapperConnectorSettings,
} from '../../src/connectors/mapper/mapper-connector.ts';
import { createMapperConnector } from '../../src/connectors/mapper/spar.ts';
import { get, post } from '../simulators/fixtures.ts';

/** A call that nobody gives up. */
export const CTX = { signal: new AbortController().signal };

/** One request that {@link LINK} answers. */
export const REQUESTS = [{ referenceId: 'd1', beneficiaryId: 'b1' }];
export const LINK = { id: 'b1', fa_type: 'BANK', account_number: '42', bank_code: 'FAR-BANK' };

/** Of every PKCS#12 file among the test keys that has one. */
export const PASSWORD = 'correct horse';

/** The public keys of the test keys, with the SHA-256 thumbprints of their certificates as kid. */
export const JWKS_FILE = keyFile('jwks.json');

/**
 * Path of a test key. The `.p12` files were made with OpenSSL 3.0 (`-legacy` for those named after 3DES and RC2) and,
 * where the name says so and with two keys, with Java's keytool.
 */
export function keyFile(name: string): string {
  return fileURLToPath(new URL(`./keys/${name}`, import.meta.url));
}

/** The connector to a SPAR. */
export function mapperAt(apiUrl: string, trust: Partial<MapperConnectorSettings>): MapperConnector {
  return createMapperConnector({
    apiUrl,
    senderId: 'openg2p-g2p-bridge',
    connectTimeoutMs: 2_000,
    requestTimeoutMs: 10_000,
    responseBytesMax: 1_000_000,
    connectionsMax: 4,
    ...trust,
  });
}

/** Requests to a path of a simulator since it was reset. */
export async function requestsTo(url: string, path: string): Promise<number> {
  const { requests } = (await get(url, '/_admin/stats')).body as { requests: Record<string, number> };
  return requests[path] ?? 0;
}

/** Tells a simulator something. @throws Error when it refuses */
export async function tell(url: string, path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await post(url, path, body);
  if (answer.status !== 200) throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** What a promise was rejected with, as a log would have it. */
export async function rejection(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string; all: string }> {
  const error: unknown = await promise.then(
    () => new Error('It was not rejected.'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('It was rejected with something that is no error.');
  const code = 'code' in error ? String(error.code) : '';
  return {
    code,
    message: error.message,
    all: `${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`,
  };
}
