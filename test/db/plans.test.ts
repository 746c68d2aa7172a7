import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR_ENDPOINTS } from '../../src/api/operator/index.ts';
import { connect, type Database } from '../../src/db/connection.ts';
import { startWire, type Wire } from '../interleavings/wire.ts';
import { becomes } from '../support/becomes.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { type OperatorSurface, serveOperators } from '../support/operators.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { disbursementFixtures, envelopeFixture, messageFixture } from '../support/payloads.ts';
import { debit, statementText } from '../support/records.ts';
import { BIG_TABLES, fillWithManyRows } from './many-rows.ts';
import { type Read, readsOf, tellPlans } from './plans.ts';

/** Rows of a table that one statement may look at; each of these tables has at least ten times as many. */
const ROWS_MAX = 1_000;
/** Statements are planned for the parameters they come with, until it seems to be of no use. */
const TIMES = 7;
const START_MS = 120_000;

/** An envelope is a program's cycle: few enough that a page which sums them all up reads them all. */
const OF_ENVELOPES = ['disbursement_envelopes', 'envelope_control', 'envelope_batch_status_for_cash'];
const READ_AS_A_WHOLE: Readonly<Record<string, readonly string[]>> = {
  '/operator/overview': OF_ENVELOPES,
  // Its counts are read off an index, and end at a bound.
  '/operator/discrepancies': [...OF_ENVELOPES, 'disbursement_error_recons'],
};

let outside: Outside;
let world: InKindPipeline;
let wire: Wire;
let database: Database;
let surface: OperatorSurface;
const reads: Read[] = [];
beforeAll(async () => {
  outside = await openOutside();
  world = await openInKind(outside, {
    async reach(url) {
      await fillWithManyRows(url);
      await tellPlans(url);
      const onNotice = (message: string) => reads.push(...readsOf(message));
      wire = await startWire(
        url,
        () => false,
        () => {},
        onNotice,
      );
      return wire.url;
    },
  });
  database = connect(wire.url, { max: 4 });
  surface = await serveOperators({ system: world.pipeline.system, database });
}, START_MS);
afterAll(async () => {
  await surface.close();
  await database.close();
  await world.pipeline.stop();
  // Envelopes are looked at when the pipeline closes: these have sums that nobody has kept.
  await world.pipeline.database.sql`truncate disbursement_envelopes cascade`;
  await world.close();
  await wire.close();
  await outside.close();
});

/** The queue's own upkeep, every ten seconds, looks at all jobs that are kept; how long they are kept bounds it. */
const isUpkeep = ({ statement }: Read) => statement.includes("'.pgboss.pgboss");

/** What has been read of big tables as a whole, or nearly so, since the last time. */
function readTooMuch(butNotOf: readonly string[] = []): readonly string[] {
  const found = reads
    .splice(0)
    .filter(({ table }) => BIG_TABLES.has(table) && !butNotOf.includes(table))
    .filter((read) => !isUpkeep(read))
    .filter(({ how, rows }) => how.startsWith('Seq') || rows > ROWS_MAX);
  return [
    ...new Set(found.map(({ table, how, rows, statement }) => `${how} of ${rows} ${table}: ${statement}`)),
  ];
}

describe('with many rows of what is done long ago, only what is needed is read', () => {
  it('when processes start and benefits of all kinds are given', async () => {
    const { pipeline } = world;
    const program = await world.cashProgram();
    const given = { benefit_program_id: program.id };
    const given3 = [[world.living(0, '10'), world.living(1, '20'), world.living(1, '5')]];
    const [physical, goods, digital] = await Promise.all([
      world.disburse('CASH_PHYSICAL', given3, given),
      world.disburse('COMMODITY', given3),
      pipeline.disburse(program, [['10', '20']]),
    ]);
    await becomes(() => world.batch(physical), { sponsor_bank_dispatch_status: 'PROCESSED' });
    await becomes(() => world.batch(goods), { agency_allocation_status: 'PROCESSED' });
    await becomes(() => world.batch(digital), { sponsor_bank_dispatch_status: 'PROCESSED' });
    const [paid = ''] = digital.ids;
    const [statement] = await pipeline.upload(
      statementText(program.account, [debit(paid, '10'), debit('x', '1')]),
    );
    await becomes(() => pipeline.statement(statement), { statement_process_status: 'PROCESSED' });
    expect(reads.length).toBeGreaterThan(500);
    expect(readTooMuch()).toEqual([]);
  });

  it('when ticks run, and when stages are paused and resumed', async () => {
    const { system } = world.pipeline;
    const who = { by: 'Selam', reason: 'To see what it costs.' };
    for (const stage of system.store.registry.stages) {
      for (let n = 0; n < TIMES; n += 1) await system.tickNow(stage.name);
      await system.pauses.pause(stage.name, who);
      await system.pauses.resume(stage.name, who);
    }
    expect(reads.length).toBeGreaterThan(500);
    expect(readTooMuch()).toEqual([]);
  });

  it('when the journal is followed', async () => {
    const { feed } = world.pipeline.system;
    for (const filter of [{}, { correlation_id: 'many-7' }, { machine: 'batch', actor_id: 'many-7' }]) {
      const first = await feed.follow({ after: 0, filter, signal: new AbortController().signal }).next();
      expect(first.value?.length).toBeGreaterThan(0);
    }
    expect(readTooMuch()).toEqual([]);
  });

  const pages = OPERATOR_ENDPOINTS.filter(({ method }) => method === 'GET').map(({ path }) => path);
  const QUERIES: Readonly<Record<string, string>> = {
    '/operator/find': '?q=many-7',
    '/operator/actors/{machine}/{id}/children': '?machine=batch',
    '/operator/errors/{stage}/{code}': '?envelope=many-100',
  };
  it.each(pages)('when operators see %s', async (path) => {
    const machine = path.endsWith('children') ? 'envelope' : 'batch';
    const url = path
      .replace('{id}', 'many-100')
      .replace('{machine}', machine)
      .replace('{stage}', path.includes('/errors/') ? 'beneficiary_notification' : 'mapper_resolution')
      .replace('{code}', 'E0');
    const viewer = surface.as('viewer');
    for (let n = 0; n < TIMES; n += 1) {
      const { status, text } = await viewer.get(`${url}${QUERIES[path] ?? ''}`);
      // The jobs of what was done long ago are gone.
      expect(status, text).toBe(path.includes('/jobs/') ? 404 : 200);
    }
    expect(readTooMuch(READ_AS_A_WHOLE[path])).toEqual([]);
  });

  it('when partners send and ask', async () => {
    const call = async (url: string, payload: unknown) => {
      const { statusCode, body } = await surface.app.inject({
        method: 'POST',
        url,
        payload: messageFixture(payload),
      });
      expect([statusCode, body]).toEqual([200, expect.stringContaining('"SUCCESS"')]);
    };
    for (let n = 0; n < TIMES; n += 1) {
      const envelope = envelopeFixture();
      const items = disbursementFixtures(String(envelope.id), 3);
      await call('/create_disbursement_envelopes', [envelope]);
      await call('/create_disbursements', items);
      await call('/get_disbursement_envelope_status', envelope.id);
      await call('/get_disbursement_batch_control', 'many-7');
      await call('/get_disbursement_status', ['many-7', 'many-8']);
      await call('/cancel_disbursements', [{ disbursement_id: items[0]?.disbursement_id }]);
      await call('/cancel_disbursement_envelope', [{ id: envelope.id }]);
    }
    expect(readTooMuch()).toEqual([]);
  });
});
