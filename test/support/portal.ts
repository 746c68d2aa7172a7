import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { ApiOptions } from '../../src/api/options.ts';
import type { PortalSettings } from '../../src/api/portal/settings.ts';
import { buildApi } from '../../src/api/server.ts';
import { insertRows } from '../../src/db/bulk.ts';
import { disbursementBatchControl, disbursementEnvelopes, disbursements } from '../../src/db/schema/index.ts';
import { openApi, type Reply, type TestApi } from './api.ts';
import { messageFixture } from './payloads.ts';
import {
  type BatchRow,
  batchRow,
  type DisbursementRow,
  disbursementRow,
  type EnvelopeRow,
  envelopeRow,
} from './records.ts';
import { type Simulator, startIdentity } from './simulators.ts';

export const ALL = '/disbursement/get_all_disbursements';
export const SUMMARY = '/disbursement/get_disbursement_summary_till_date';

/** An answer of the portal, with its headers. */
export interface PortalReply extends Reply {
  headers: Headers;
}

/** What tests of the portal need of an API. */
export type PortalApi = Pick<TestApi, 'url' | 'database' | 'system' | 'logs' | 'close'>;

/** The API of a process with the beneficiary portal, and the identity provider whose tokens it takes. */
export interface TestPortal {
  api: PortalApi;
  identity: Simulator;
  /** Mints a token at the provider, see its `/_admin/tokens`. */
  token(claims?: object, more?: object): Promise<string>;
  /** POSTs a payload in a message envelope, as the holder of a token; null: without one. */
  ask(
    path: string,
    token: string | null,
    payload?: unknown,
    body?: Record<string, unknown>,
  ): Promise<PortalReply>;
  /** POSTs anything as the holder of a token. */
  post(
    path: string,
    token: string | null,
    body: string,
    headers?: Record<string, string>,
  ): Promise<PortalReply>;
  close(): Promise<void>;
}

/** Where a portal's database and provider come from; all of its own unless said otherwise. */
export interface PortalOptions {
  clock?: { now(): Date };
  rootPath?: string;
  identity?: Simulator;
  /** Another portal, whose database and provider are used, and stay. */
  beside?: TestPortal;
}

/**
 * Starts both. Keys are fetched again at every token with an unknown key unless told otherwise.
 *
 * @param portal replaces settings; the issuer is the provider's URL
 */
export async function openPortal(
  portal: Partial<PortalSettings> = {},
  { clock, rootPath = '', beside, ...given }: PortalOptions = {},
): Promise<TestPortal> {
  const identity = given.identity ?? beside?.identity ?? (await startIdentity());
  const settings: PortalSettings = {
    issuer: identity.url,
    jwksUrl: null,
    audiences: ['portal'],
    beneficiaryIdClaim: 'sub',
    ...portal,
    keyLimits: { cooldownMs: 0, pauseMs: 0, ...portal.keyLimits },
  };
  const options = { portal: settings, rootPath, ...(clock && { clock }) };
  const api = beside ? await apiBeside(beside.api, options) : await openApi(options);
  const post: TestPortal['post'] = async (path, token, body, headers = {}) => {
    const response = await fetch(api.url + rootPath + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body,
    });
    return read(response);
  };
  return {
    api,
    identity,
    post,
    token: (claims = {}, more = {}) => mint(identity, { sub: 'BEN-1', aud: 'portal', ...claims }, more),
    ask: (path, token, payload = {}, body = {}) =>
      post(path, token, JSON.stringify(messageFixture(payload, body))),
    async close() {
      await api.close();
      if (identity !== beside?.identity) await identity.stop();
    },
  };
}

/** Another process's API on the same database, as far as HTTP can tell. */
async function apiBeside(
  { database, system, logs }: PortalApi,
  options: Partial<ApiOptions>,
): Promise<PortalApi> {
  const sink = new Writable({
    write(line, _encoding, done) {
      logs.push(String(line));
      done();
    },
  });
  const logger = pino({ level: 'info' }, sink);
  const app = buildApi({ system, database, role: 'all', logger, ...options });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url, database, system, logs, close: () => app.close() };
}

async function mint(identity: Simulator, claims: object, more: object): Promise<string> {
  const response = await fetch(`${identity.url}/_admin/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ claims, ...more }),
  });
  if (!response.ok) throw new Error(await response.text());
  return ((await response.json()) as { token: string }).token;
}

async function read(response: Response): Promise<PortalReply> {
  const text = await response.text();
  const json = text.startsWith('{') ? JSON.parse(text) : {};
  return {
    status: response.status,
    text,
    headers: response.headers,
    header: json.response_header,
    payload: json.response_body?.response_payload,
    body: json.response_body,
  };
}

/** What a test says of a disbursement, its batch and its envelope. */
export interface Given {
  disbursement?: Partial<DisbursementRow>;
  batch?: Partial<BatchRow>;
  envelope?: Partial<EnvelopeRow>;
}

/** Stores a disbursement of 100.50 to BEN-1, in an envelope and a batch of its own, as received. */
export async function storeDisbursement(
  { database }: Pick<PortalApi, 'database'>,
  given: Given = {},
): Promise<DisbursementRow> {
  const receivedAt = given.disbursement?.receipt_time_stamp ?? new Date();
  const envelope = envelopeRow({ receipt_time_stamp: receivedAt, ...given.envelope });
  const quantity = given.disbursement?.disbursement_quantity ?? '100.50';
  const batch = { ...batchRow(envelope, [quantity], receivedAt), ...given.batch };
  const disbursement = {
    ...disbursementRow(batch, quantity),
    id: `D-${randomUUID()}`,
    beneficiary_id: 'BEN-1',
    ...given.disbursement,
  };
  const { sql } = database;
  await insertRows(sql, disbursementEnvelopes, [envelope]);
  await insertRows(sql, disbursementBatchControl, [batch]);
  await insertRows(sql, disbursements, [disbursement]);
  return disbursement;
}
