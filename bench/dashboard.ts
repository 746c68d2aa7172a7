import type { Access } from '../src/api/operator/access.ts';
import { OPERATOR_ENDPOINTS } from '../src/api/operator/index.ts';
import { buildApi } from '../src/api/server.ts';
import { loadConfig } from '../src/config.ts';
import { connect, type Database } from '../src/db/connection.ts';
import { ActorSystem } from '../src/runtime/system.ts';
import { ACTORS } from '../src/stages/actors.ts';
import { openConnectors } from '../src/stages/connectors.ts';
import { createStages } from '../src/stages/index.ts';
import { type DataSizes, fillDashboard, LARGEST_ENVELOPE } from './support/dashboard-data.ts';
import { quantile } from './support/figures.ts';
import { withServer } from './support/server.ts';

const SAMPLES = 30;
/** What a view may take, in milliseconds. */
const BUDGET_MS = 500;

export interface ViewResult {
  readonly path: string;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly kilobytes: number;
}

export interface DashboardResult extends DataSizes {
  readonly fill_ms: number;
  /** From an empty count until the whole journal is in it. */
  readonly fold_ms: number;
  readonly transitions: number;
  readonly views: readonly ViewResult[];
  readonly ok: boolean;
}

/** How long each of the operators' views takes over HTTP, one after the other, on a programme that has run for years. */
export function benchDashboard({ envelopes, batches, disbursements }: DataSizes): Promise<DashboardResult> {
  const sizes = { envelopes, batches, disbursements };
  return withServer(async ({ url }) => {
    const database = connect(url, { max: 10, unlimited: true });
    try {
      const fillMs = await took(() => fillDashboard(database, sizes));
      return await measured(database, sizes, fillMs);
    } finally {
      await database.close();
    }
  });
}

async function measured(database: Database, sizes: DataSizes, fillMs: number): Promise<DashboardResult> {
  const config = loadConfig({});
  const connectors = await openConnectors(config);
  const stages = createStages({ ...connectors, database, config });
  const system = new ActorSystem({ database, actors: ACTORS, stages, works: false, mode: 'tick' });
  const app = buildApi({ system, database, role: 'api', operators: { access: everybody, config } });
  try {
    const foldMs = await took(async () => {
      await system.start();
      await folded(database);
    });
    const [journal] = await database.sql<
      [{ count: number }]
    >`select count(*)::int as count from actor_transitions`;
    const root = await app.listen({ port: 0, host: '127.0.0.1' });
    const views: ViewResult[] = [];
    for (const path of await paths(database)) views.push(await measure(root, path));
    return {
      ...sizes,
      fill_ms: Math.round(fillMs),
      fold_ms: Math.round(foldMs),
      transitions: journal.count,
      views,
      ok: views.every(({ p99_ms: p99 }) => p99 < BUDGET_MS),
    };
  } finally {
    await app.close();
    await system.stop();
    await connectors.close();
  }
}

async function measure(root: string, path: string): Promise<ViewResult> {
  const times: number[] = [];
  let bytes = 0;
  for (let n = 0; n < SAMPLES; n += 1) {
    const began = performance.now();
    const answer = await fetch(root + path);
    const body = await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${path} answers ${answer.status}: ${Buffer.from(body).toString()}`);
    times.push(performance.now() - began);
    bytes = body.byteLength;
  }
  return {
    path,
    p50_ms: quantile(times, 0.5),
    p99_ms: quantile(times, 0.99),
    kilobytes: Math.round(bytes / 102.4) / 10,
  };
}

/** Every view, with what makes it look at most. */
async function paths({ sql }: Database): Promise<string[]> {
  const [some] = await sql<[{ batch: string; geo: string; person: string; cursor: string }]>`
    select (select min(id) from disbursement_batch_control) as batch,
      (select min(id) from disbursement_batch_control_geo) as geo,
      (select min(id) from disbursement_resolution_geo_address) as person`;
  const envelope = `/operator/envelopes/${LARGEST_ENVELOPE}`;
  const envelopes = [
    '',
    '?state=needs_attention',
    '?state=complete',
    '?state=under_way',
    '?state=receiving&limit=200',
  ]
    .concat([
      '?state=cancelled&search=no-such-thing',
      '?search=e-0012',
      '?search=no-such-thing',
      '?benefit_type=SERVICE',
    ])
    .map((query) => `/operator/envelopes${query}`);
  const actors = [
    `batch/${some.batch}`,
    `envelope/${LARGEST_ENVELOPE}`,
    `geo/${some.geo}`,
    `beneficiary/${some.person}`,
  ]
    .concat('statement/S-9')
    .flatMap((actor) => [`/operator/actors/${actor}`, `/operator/actors/${actor}/transitions`]);
  const all = [
    '/operator/overview',
    '/operator/throughput?minutes=60',
    '/operator/throughput?minutes=2880',
    '/operator/operations',
    '/operator/configuration',
    ...envelopes,
    envelope,
    `${envelope}/batches?limit=200`,
    '/operator/machines',
    ...actors,
    `/operator/actors/envelope/${LARGEST_ENVELOPE}/children?machine=batch&limit=200`,
    `/operator/find?q=${some.batch}`,
    `/operator/find?q=${some.person}`,
    '/operator/errors',
    `/operator/errors?envelope=${LARGEST_ENVELOPE}`,
    '/operator/errors/disburse_funds_from_bank/BANK_REFUSED',
    `/operator/errors/beneficiary_notification/BANK_REFUSED?limit=200`,
    '/operator/statements',
    '/operator/statements?state=ERROR',
    '/operator/statements/S-2',
    '/operator/discrepancies',
    '/operator/discrepancies?kind=REVERSED',
    '/operator/discrepancies?kind=MISSING',
    '/operator/discrepancies?kind=AMOUNT_MISMATCH&limit=200',
    `/operator/discrepancies?envelope=${LARGEST_ENVELOPE}`,
    '/operator/audit',
  ];
  return all.filter(isServed);
}

/** Whether there is an endpoint for a path. */
function isServed(path: string): boolean {
  const [place = ''] = path.split('?');
  return OPERATOR_ENDPOINTS.some(
    (one) => one.method === 'GET' && new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(place),
  );
}

async function folded({ sql }: Database): Promise<void> {
  for (;;) {
    const [row] = await sql<[{ done: boolean }]>`
      select coalesce((select seq from actor_counts_position), 0) = (select max(seq) from actor_transitions) as done`;
    if (row.done) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function took(run: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

/** Signing in is not what is measured. */
const everybody: Access = {
  description: { kind: 'loopback', oidc: null, version: '' },
  connectOrigins: [],
  operatorOf: async () => ({ id: 'bench', name: 'bench', role: 'payer' }),
  operatorOfSocket: async () => ({ id: 'bench', name: 'bench', role: 'payer' }),
  ticketFor: async () => {
    throw new Error('There are no tickets here.');
  },
};
