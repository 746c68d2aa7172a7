import { Writable } from 'node:stream';
import { pino } from 'pino';
import { insertRows } from '../../src/db/bulk.ts';
import {
  disbursementBatchControlGeo,
  disbursementErrorRecons,
  disbursementRecons,
} from '../../src/db/schema/index.ts';
import { openApi, type TestApi } from '../support/api.ts';
import { type Documented, readDocument } from '../support/documented.ts';
import { disbursementFixture, envelopeFixture } from '../support/payloads.ts';
import { type Simulator, startIdentity } from '../support/simulators.ts';
import { errorReconRow, geoRow, reconRow } from '../support/status-rows.ts';

const TYPES = ['CASH_DIGITAL', 'CASH_PHYSICAL', 'COMMODITY', 'COMBINATION'];
const STATEMENT_BYTES_MAX = 1_000_000;
const BODY_BYTES_MAX = 1_000_000;

/** A server with something in it, and what its callers know of it. */
export interface World {
  readonly api: TestApi;
  readonly documented: Documented;
  /** The first has room for whatever comes. */
  readonly envelopeIds: readonly string[];
  readonly batchIds: readonly string[];
  readonly disbursementIds: readonly string[];
  readonly geoIds: readonly string[];
  /** Of beneficiaries; some are none. */
  readonly tokens: readonly string[];
  close(): Promise<void>;
}

/** Starts a server with the portal, and gives it envelopes whose disbursements are on statements. */
export async function openWorld(): Promise<World> {
  const identity = await startIdentity();
  // What is logged is made, as always, and dropped: kept, it would look like a leak.
  const nowhere = new Writable({ write: (_line, _encoding, done) => done() });
  const api = await openApi({
    bodyBytesMax: BODY_BYTES_MAX,
    statementBytesMax: STATEMENT_BYTES_MAX,
    logger: pino({ level: 'info' }, nowhere),
    metrics: async () => 'up 1\n',
    portal: { issuer: identity.url, jwksUrl: null, audiences: ['portal'], beneficiaryIdClaim: 'sub' },
  });
  const known = { envelopeIds: [] as string[], batchIds: [] as string[], disbursementIds: [] as string[] };
  const geoIds: string[] = [];
  for (const [index, type] of TYPES.entries()) {
    const envelopeId = `ENVELOPE-${index}`;
    await mustSucceed(api, '/create_disbursement_envelopes', [
      envelopeFixture({
        id: envelopeId,
        benefit_type: type,
        number_of_disbursements: 1_000_000,
        total_disbursement_quantity: '100000000000',
      }),
    ]);
    const items = ['BEN-1', 'BEN-2', 'BEN-3'].map((beneficiary, n) =>
      disbursementFixture(envelopeId, {
        disbursement_id: `DISBURSEMENT-${index}-${n}`,
        beneficiary_id: beneficiary,
      }),
    );
    const reply = await mustSucceed(api, '/create_disbursements', items);
    const owner = { envelopeId, batchId: String(reply.body.disbursement_batch_control_id) };
    const ids = items.map((item) => item.disbursement_id);
    const geos = [geoRow(owner), geoRow(owner, { warehouse_id: null, agency_mnemonic: null })];
    await insertRows(api.database.sql, disbursementBatchControlGeo, geos);
    await insertRows(api.database.sql, disbursementRecons, [reconRow(owner, ids[0] ?? '')]);
    await insertRows(api.database.sql, disbursementErrorRecons, [errorReconRow(ids[1] ?? '')]);
    known.envelopeIds.push(envelopeId);
    known.batchIds.push(owner.batchId);
    known.disbursementIds.push(...ids);
    geoIds.push(...geos.map(({ id }) => id));
  }
  const tokens = ['', 'no-token', await token(identity, 'BEN-1'), await token(identity, 'BEN-2')];
  return {
    api,
    documented: await readDocument(api.url),
    ...known,
    geoIds,
    tokens: [...tokens, ...tokens.slice(2)],
    async close() {
      await api.close();
      await identity.stop();
    },
  };
}

async function mustSucceed(api: TestApi, path: string, payload: unknown) {
  const reply = await api.call(path, payload);
  if (reply.header.response_status !== 'SUCCESS') throw new Error(reply.text);
  return reply;
}

async function token(identity: Simulator, beneficiary: string): Promise<string> {
  const response = await fetch(`${identity.url}/_admin/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ claims: { sub: beneficiary, aud: 'portal' }, expires_in: 3_600 }),
  });
  return ((await response.json()) as { token: string }).token;
}
