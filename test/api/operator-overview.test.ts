import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tally } from '../../src/api/operator/wire/common.ts';
import { type Overview, overview, throughput } from '../../src/api/operator/wire/overview.ts';
import { becomes } from '../support/becomes.ts';
import { movableClock } from '../support/clock.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { type OperatorClient, type OperatorSurface, serveOperators } from '../support/operators.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { debit, newId, statementText } from '../support/records.ts';
import { until } from '../support/wait.ts';

const DAY_MS = 86_400_000;

/** What the journal says up to a sequence number: how many actors stand in each state of each region. */
async function tallied({ pipeline }: InKindPipeline, seq: number): Promise<ReadonlyMap<string, number>> {
  const rows = await pipeline.database.sql<{ key: string; count: number }[]>`
    select machine || '.' || region || '.' || to_state as key, count(*)::int as count
    from (
      select distinct on (machine, actor_id, region) machine, region, to_state
      from actor_transitions where seq <= ${seq} order by machine, actor_id, region, seq desc
    ) latest group by 1`;
  return new Map(rows.map(({ key, count }) => [key, count]));
}

describe('the overview of a pipeline', () => {
  const clock = movableClock(new Date());
  let outside: Outside;
  let world: InKindPipeline;
  let surface: OperatorSurface;
  let viewer: OperatorClient;
  beforeAll(async () => {
    outside = await openOutside();
    world = await openInKind(outside, { system: { clock, foldMs: 20 } });
    surface = await serveOperators({ system: world.pipeline.system, database: world.pipeline.database });
    viewer = surface.as('viewer');
  });
  afterAll(async () => {
    await surface.close();
    await world.close();
    await outside.close();
  });

  async function look(): Promise<Overview> {
    const { status, body } = await viewer.get('/operator/overview');
    expect(status).toBe(200);
    return overview.parse(body);
  }

  /** Waits until everything that has been journalled is in the overview. */
  async function settled(): Promise<Overview> {
    let seen = await look();
    await until('the counts have caught up', async () => {
      const [row] = await world.pipeline.database.sql<{ seq: string | null }[]>`
        select max(seq) as seq from actor_transitions`;
      seen = await look();
      return seen.seq >= Number(row?.seq ?? 0);
    });
    return seen;
  }

  const batchIs = (id: string | undefined, expected: Record<string, unknown>) =>
    becomes(() => world.pipeline.batch(id), expected);

  it('agrees at every moment of a run with the journal up to the number it names', async () => {
    const program = await world.cashProgram();
    const running = Promise.all([
      world.pipeline.disburse(program, [['10', '20'], ['30'], ['40.50']]),
      world.disburse('COMMODITY', [[world.living(0, '1'), world.living(1, '2')]]),
      world.disburse('CASH_PHYSICAL', [[world.living(2, '5'), world.living(2, '6')]]),
    ]);
    let looks = 0;
    let last = 0;
    await until('everything has been paid and everybody notified', async () => {
      const { seq, stages, money } = await look();
      expect(seq).toBeGreaterThanOrEqual(last);
      last = seq;
      const expected = await tallied(world, seq);
      for (const { machine, region, states, tally } of stages) {
        for (const part of Object.keys(tally) as (keyof Tally)[]) {
          const state = states[part];
          const count = state === null ? 0 : (expected.get(`${machine}.${region}.${state}`) ?? 0);
          expect(tally[part], `${machine}.${region} ${part} at ${seq}`).toBe(count);
        }
      }
      for (const { declared, received, shipped } of money) {
        expect(Number(received)).toBeLessThanOrEqual(Number(declared));
        expect(Number(shipped)).toBeLessThanOrEqual(Number(received));
      }
      looks += 1;
      const [open] = await world.pipeline.database.sql<{ count: number }[]>`
        select count(*)::int as count from disbursement_batch_control b
        left join disbursement_resolution_geo_address a on a.disbursement_batch_control_id = b.id
        where b.fa_resolution_status <> 'PROCESSED' and b.benefit_type = 'CASH_DIGITAL'
          or b.benefit_type like 'CASH%' and b.sponsor_bank_dispatch_status <> 'PROCESSED'
          or b.benefit_type <> 'CASH_DIGITAL' and a.beneficiary_notification_status is distinct from 'PROCESSED'`;
      return open?.count === 0 && looks > 5;
    });
    await running;
    const end = await settled();
    const stage = (name: string) => end.stages.find((one) => one.stage === name);
    expect(stage('mapper_resolution')?.tally).toEqual({
      pending: 0,
      ask_again: 0,
      processing: 0,
      processed: 3,
      error: 0,
    });
    expect(stage('disburse_funds_from_bank')?.tally.processed).toBe(4);
    expect(stage('beneficiary_notification')?.tally.processed).toBe(4);
    expect(end.stages.map(({ stage: name }) => name)).toEqual(
      world.pipeline.system.store.registry.stages.map(({ name }) => name),
    );
  });

  it('sums the cash of envelopes that stand, unit by unit, exactly', async () => {
    const program = await world.cashProgram();
    const unit = `U${newId('M').slice(-4)}`.toUpperCase();
    const disbursing = await world.pipeline.announce(program, [['0.10', '0.20'], ['7']], {
      measurement_unit: unit,
    });
    const [first] = disbursing.batches;
    if (!first) throw new Error('There is a first batch.');
    await world.pipeline.receive(first);
    const { money } = await look();
    expect(money.find(({ measurement_unit: one }) => one === unit)).toMatchObject({
      declared: '7.3',
      received: '0.3',
      blocked: '0',
      shipped: '0',
      in_flight: '0',
    });
    expect(money.map(({ measurement_unit: one }) => one)).not.toContain('KG');
  });

  it('has what is shipped in flight until a statement shows it', async () => {
    const program = await world.cashProgram();
    const before = (await look()).money.find(({ measurement_unit: unit }) => unit === 'USD');
    const { batches, ids } = await world.pipeline.disburse(program, [['12.34', '1.66']]);
    await batchIs(batches[0]?.row.id, { sponsor_bank_dispatch_status: 'PROCESSED' });
    const changed = async (column: 'shipped' | 'in_flight' | 'reconciled') => {
      const after = (await look()).money.find(({ measurement_unit: unit }) => unit === 'USD');
      return Number(after?.[column]) - Number(before?.[column]);
    };
    await until('the envelope knows that it is shipped', async () => (await changed('shipped')) === 14);
    expect(await changed('in_flight')).toBeCloseTo(14);
    await world.pipeline.upload(statementText(program.account, [debit(ids[0] ?? '', '12.34')]));
    await until('one is reconciled', async () => Math.abs((await changed('reconciled')) - 12.34) < 0.001);
    expect(await changed('in_flight')).toBeCloseTo(1.66);
  });

  it('counts envelopes by state, and every one once', async () => {
    const { envelopes } = await settled();
    const [row] = await world.pipeline.database.sql<{ count: number }[]>`
      select count(*)::int as count from disbursement_envelopes`;
    expect(Object.values(envelopes).reduce((sum, count) => sum + count, 0)).toBe(row?.count);
    expect(envelopes.receiving).toBe(1);
  });

  it('says what was done minute by minute', async () => {
    const before = await settled();
    const minute = Math.floor(clock.now().getTime() / 60_000) * 60_000;
    const done = before.stages.find(({ stage }) => stage === 'mapper_resolution')?.tally.processed;
    const { status, body } = await viewer.get('/operator/throughput?minutes=5');
    expect(status).toBe(200);
    const { stages, from, to } = throughput.parse(body);
    expect(Date.parse(from)).toBe(minute - 4 * 60_000);
    expect(Date.parse(to)).toBeGreaterThanOrEqual(minute);
    const points = stages.find(({ stage }) => stage === 'mapper_resolution')?.points ?? [];
    expect(points.reduce((sum, { processed }) => sum + processed, 0)).toBe(done);
    clock.advance(60_000);
    const after = (await look()).stages.find(({ stage }) => stage === 'mapper_resolution');
    expect(after?.per_minute).toBe(
      points.find(({ minute: one }) => Date.parse(one) === minute)?.processed ?? 0,
    );
    expect((await viewer.get('/operator/throughput?minutes=4')).status).toBe(400);
    expect((await viewer.get('/operator/throughput?minutes=100000')).status).toBe(400);
  });

  it('names what needs a person, what is about money first', async () => {
    const program = await world.cashProgram();
    const { batches } = await world.pipeline.disburse(program, [[{ quantity: '1', address: null }]]);
    await batchIs(batches[0]?.row.id, { fa_resolution_status: 'ERROR' });
    const unpaid = await world.pipeline.disburse(program, [['2']]);
    const unpaidId = unpaid.batches[0]?.row.id ?? '';
    await batchIs(unpaidId, { sponsor_bank_dispatch_status: 'PROCESSED' });
    await world.pipeline.database.sql`
      update disbursement_batch_control set sponsor_bank_dispatch_status = 'ERROR',
        sponsor_bank_dispatch_latest_error_code = 'PAYMENT_OUTCOME_UNKNOWN' where id = ${unpaidId}`;
    // What has been submitted may be paid, whatever the code.
    const more = await world.pipeline.disburse(program, [['3'], ['4']]);
    const [staleId = '', refusedId = ''] = more.batches.map(({ row }) => row.id ?? '');
    for (const id of [staleId, refusedId]) await batchIs(id, { sponsor_bank_dispatch_status: 'PROCESSED' });
    await world.pipeline.database.sql`
      update disbursement_batch_control set sponsor_bank_dispatch_status = 'ERROR',
        sponsor_bank_dispatch_latest_error_code = case id when ${staleId} then 'STALE' else 'BANK_REFUSED' end,
        sponsor_bank_dispatch_submitted_at = case id when ${staleId} then ${clock.now()}::timestamptz end
      where id in (${staleId}, ${refusedId})`;
    await world.pipeline.database.sql`
      insert into actor_parked (machine, actor_id, reason, parked_at)
      values ('geo', 'G-1', 'It is in a state that nobody knows.', ${clock.now()})`;
    const { attention } = await settled();
    expect(attention[0]).toMatchObject({
      kind: 'outcome_unknown',
      severity: 'high',
      count: 1,
      stage: 'disburse_funds_from_bank',
      code: 'PAYMENT_OUTCOME_UNKNOWN',
    });
    const withCode = (code: string) => attention.find((one) => one.code === code);
    expect(withCode('STALE')).toMatchObject({ kind: 'outcome_unknown', severity: 'high', count: 1 });
    expect(withCode('BANK_REFUSED')).toMatchObject({ kind: 'errors', severity: 'medium', count: 1 });
    const errors = attention.find(({ stage, kind }) => kind === 'errors' && stage === 'mapper_resolution');
    expect(errors).toMatchObject({ severity: 'medium', count: 1, code: 'FA_UNRESOLVED' });
    expect(errors?.sentence).toContain('Resolve accounts');
    expect(attention.find(({ kind }) => kind === 'parked')?.count).toBe(1);
    expect(attention.map(({ kind }) => kind)).not.toContain('no_worker');
    await world.pipeline.database.sql`
      update disbursement_batch_control set sponsor_bank_dispatch_status = 'PROCESSED',
        sponsor_bank_dispatch_latest_error_code = null where sponsor_bank_dispatch_status = 'ERROR'`;
    await world.pipeline.database.sql`delete from actor_parked`;
  });

  it('tells of envelopes that wait for money', async () => {
    const program = await world.cashProgram();
    await world.pipeline.disburse(program, [['2000000000']]);
    await until('the bank has said no', async () =>
      (await look()).attention.some(
        ({ kind, stage }) => kind === 'no_funds' && stage === 'check_funds_with_bank',
      ),
    );
  });

  it('tells of a stage that is paused, as long as it is', async () => {
    const { system } = world.pipeline;
    await system.pauses.pause('disburse_funds_from_bank', { by: 'ana', reason: 'The bank calls back' });
    const { stages, attention } = await look();
    expect(stages.find(({ stage }) => stage === 'disburse_funds_from_bank')?.paused).toMatchObject({
      by: 'ana',
      reason: 'The bank calls back',
    });
    expect(attention.find(({ kind }) => kind === 'paused')).toMatchObject({
      severity: 'high',
      stage: 'disburse_funds_from_bank',
    });
    await system.pauses.resume('disburse_funds_from_bank', { by: 'ana', reason: 'Settled with the bank' });
    expect((await look()).attention.some(({ kind }) => kind === 'paused')).toBe(false);
  });

  it('tells of payments that no statement shows and of entries that match none, after a while', async () => {
    const program = await world.cashProgram();
    const { batches, envelope } = await world.pipeline.disburse(program, [['5', '6']]);
    await batchIs(batches[0]?.row.id, { sponsor_bank_dispatch_status: 'PROCESSED' });
    await world.pipeline.upload(statementText(program.account, [debit(newId('D'), '5')]));
    await until('the entry is known for none of ours', async () =>
      (await look()).attention.some(({ kind, count }) => kind === 'mismatches' && count === 1),
    );
    // Somebody who begins to look later: what is missing is counted anew.
    clock.advance(4 * DAY_MS);
    const later = await serveOperators({
      system: Object.create(world.pipeline.system),
      database: world.pipeline.database,
    });
    try {
      const client = later.as('viewer');
      const money = async () => (await client.get(`/operator/envelopes/${envelope.id}`)).body.money;
      await until('it has been counted', async () => (await money()).missing !== null);
      expect((await money()).missing).toMatchObject({ count: 2, quantity: '11' });
      const { attention } = overview.parse((await client.get('/operator/overview')).body);
      const found = attention.find(({ kind }) => kind === 'missing_payments');
      expect(found?.count).toBeGreaterThanOrEqual(2);
      expect(found?.sentence).toContain('3 days');
    } finally {
      await later.close();
    }
  });

  it('says since when work is due that nothing takes up', async () => {
    const program = await world.cashProgram();
    const { batches } = await world.pipeline.disburse(program, [['1']]);
    const id = batches[0]?.row.id ?? '';
    await batchIs(id, { sponsor_bank_dispatch_status: 'PROCESSED' });
    const due = new Date(clock.now().getTime() - 3 * 3_600_000);
    // As if what makes work go on had forgotten it.
    await world.pipeline.database.sql`
      update disbursement_batch_control set geo_resolution_status = 'PENDING', geo_resolution_due_at = ${due} where id = ${id}`;
    const seen = await look();
    expect(seen.stages.find(({ stage }) => stage === 'geo_resolution')?.oldest_due_at).toBe(
      due.toISOString(),
    );
    await world.pipeline.database.sql`
      update disbursement_batch_control set geo_resolution_status = 'NOT_APPLICABLE', geo_resolution_due_at = null where id = ${id}`;
    const after = await look();
    expect(after.stages.find(({ stage }) => stage === 'geo_resolution')?.oldest_due_at).toBeNull();
  });

  it('is for those who are signed in', async () => {
    const answer = await fetch(`${surface.url}/operator/overview`);
    expect(answer.status).toBe(401);
  });
});
