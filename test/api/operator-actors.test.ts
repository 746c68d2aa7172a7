import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  actorDetail,
  children,
  found,
  type JobDetail,
  job,
  machines,
  transitions,
} from '../../src/api/operator/wire/actors.ts';
import type { Actor } from '../../src/runtime/actor.ts';
import { batchActor, envelopeActor } from '../../src/stages/actors.ts';
import { becomes } from '../support/becomes.ts';
import { type OperatorClient, type OperatorSurface, serveOperators } from '../support/operators.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { debit, newId, statementText } from '../support/records.ts';

const PAID = newId('E');
/** What the former system, or somebody by hand, may have used as an id. */
const ODD_ID = `E/1?a=b&c#%41 ü名 ${newId('X')}`;

describe('actors as operators see them', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  let surface: OperatorSurface;
  let viewer: OperatorClient;
  let paid: Disbursing;
  let failed: Disbursing;
  let statement: string;

  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, { settings: { mapper_resolution_max_attempts: '1' } });
    surface = await serveOperators({ system: pipeline.system, database: pipeline.database });
    viewer = surface.as('viewer');
    const program = await pipeline.program();
    paid = await pipeline.disburse(program, [['10.50', '20'], ['3']], { id: PAID });
    await becomes(() => pipeline.envelope(PAID), { number_of_disbursements_shipped: 3 });
    const [one = ''] = paid.ids;
    const uploaded = await pipeline.upload(statementText(program.account, [debit(one, '10.50')]));
    statement = uploaded[0] ?? '';
    await becomes(() => pipeline.statement(statement), { statement_process_status: 'PROCESSED' });
    await pipeline.announce(program, [['1']], { id: ODD_ID });
    failed = await pipeline.disburse(program, [['5', { quantity: '6', address: null }]]);
    await becomes(() => pipeline.batch(failed.batches[0]?.row.id), { fa_resolution_status: 'ERROR' });
  });
  afterAll(async () => {
    await surface.close();
    await pipeline.close();
    await outside.close();
  });

  const pathOf = (machine: string, id: string) =>
    `/operator/actors/${encodeURIComponent(machine)}/${encodeURIComponent(id)}`;
  async function detailOf(actor: Actor | { name: string }, id: string) {
    const { status, body } = await viewer.get(pathOf(actor.name, id));
    expect(status, surface.logs.at(-1)).toBe(200);
    return actorDetail.parse(body);
  }
  const batchId = (disbursing: Disbursing, n = 0) => disbursing.batches[n]?.row.id ?? '';
  const regionOf = ({ regions }: Awaited<ReturnType<typeof detailOf>>, name: string) =>
    regions.find(({ region }) => region === name);

  it('are drawn with all their machines', async () => {
    const { machines: charts } = machines.parse((await viewer.get('/operator/machines')).body);
    expect(charts.map(({ machine, title }) => [machine, title])).toEqual([
      ['envelope', 'Envelope'],
      ['batch', 'Batch'],
      ['geo', 'Geo record'],
      ['beneficiary', 'Beneficiary record'],
      ['statement', 'Statement'],
    ]);
    const stages = charts.flatMap(({ regions }) => regions.map(({ region, stage }) => [region, stage]));
    expect(stages).toContainEqual(['sponsor_bank_dispatch', 'disburse_funds_from_bank']);
    expect(stages).toContainEqual(['receipt', null]);
  });

  it('show the envelope with what it belongs together with', async () => {
    const detail = await detailOf(envelopeActor, PAID);
    expect(detail).toMatchObject({
      machine: 'envelope',
      id: PAID,
      envelope: PAID,
      parent: null,
      children: [{ machine: 'batch', count: 2 }],
      parked: null,
      taken_since: null,
    });
    expect(regionOf(detail, 'funds_blocked')).toMatchObject({
      stage: 'block_funds_with_bank',
      state: 'FUNDS_BLOCK_SUCCESS',
      attempts: 1,
      max_attempts: 3,
      error: null,
      job: null,
      actions: [],
    });
    expect(regionOf(detail, 'receipt')).toMatchObject({ stage: null, state: 'RECEIVED', max_attempts: null });
    expect(regionOf(detail, 'receipt')?.since).not.toBeNull();
    expect(regionOf(detail, 'cancellation')).toMatchObject({ state: 'Not_Cancelled', since: null });
    expect(detail.row).toContainEqual({
      table: 'envelope_batch_status_for_cash',
      column: 'quantity_shipped',
      value: '33.5',
    });
    expect(detail.row).toContainEqual({
      table: 'disbursement_envelopes',
      column: 'cancellation_timestamp',
      value: null,
    });
    expect(detail.row[0]).toEqual({ table: 'disbursement_envelopes', column: 'id', value: PAID });
  });

  it('have ids of any characters', async () => {
    expect(await detailOf(envelopeActor, ODD_ID)).toMatchObject({ id: ODD_ID, children: [{ count: 0 }] });
    const told = transitions.parse((await viewer.get(`${pathOf('envelope', ODD_ID)}/transitions`)).body);
    expect(told.transitions.map(({ id }) => id)).toContain(ODD_ID);
    const none = await viewer.get(`${pathOf('envelope', ODD_ID)}/children?machine=batch`);
    expect(children.parse(none.body).children).toEqual([]);
    const { body } = await viewer.get(`/operator/find?q=${encodeURIComponent(ODD_ID)}`);
    expect(found.parse(body).found).toMatchObject([{ kind: 'envelope', id: ODD_ID }]);
  });

  it('count exactly what the journal has, on edges of their charts', async () => {
    const { machines: charts } = machines.parse((await viewer.get('/operator/machines')).body);
    const ids = [
      ['envelope', PAID],
      ['envelope', failed.envelope.id ?? ''],
      ['batch', batchId(paid)],
      ['batch', batchId(failed)],
      ['statement', statement],
    ] as const;
    for (const [machine, id] of ids) {
      const detail = await detailOf({ name: machine }, id);
      const chart = charts.find((one) => one.machine === machine);
      const entries = await pipeline.database.sql<{ n: number; last: Date }[]>`
        select count(*)::int as n, max(at) as last from actor_transitions
        where machine = ${machine} and actor_id = ${id} and event <> 'late'`;
      expect(detail.taken.reduce((sum, { count }) => sum + count, 0)).toBe(entries[0]?.n);
      expect(
        detail.taken
          .map(({ last_at }) => last_at)
          .sort()
          .at(-1),
      ).toBe(entries[0]?.last.toISOString());
      for (const { region, event, from, to } of detail.taken) {
        const known =
          region === ''
            ? [...(chart?.events ?? []), ...(chart?.regions.flatMap((one) => one.transitions) ?? [])]
            : chart?.regions.find((one) => one.region === region)?.transitions;
        const edge = region === '' ? { event } : { event, from, to };
        expect(known).toContainEqual(expect.objectContaining(edge));
      }
    }
  });

  it('show the batch that failed: its error in full, and what can be done', async () => {
    const detail = await detailOf(batchActor, batchId(failed));
    expect(detail.parent).toEqual({ machine: 'envelope', id: failed.envelope.id });
    expect(detail.children).toEqual([{ machine: 'geo', count: 0 }]);
    const region = regionOf(detail, 'fa_resolution');
    expect(region).toMatchObject({
      stage: 'mapper_resolution',
      state: 'ERROR',
      attempts: 1,
      max_attempts: 1,
      actions: ['retry', 'release'],
    });
    expect(region?.error?.code).toBe('FA_UNRESOLVED');
    expect(region?.error?.message).toContain(`1 of 2 disbursements of batch ${batchId(failed)}`);
    expect(regionOf(detail, 'sponsor_bank_dispatch')).toMatchObject({ actions: [], error: null });
  });

  it('may be begun by hand when they wait for their turn, but not while their stage is paused', async () => {
    const id = batchId(failed);
    const { sql } = pipeline.database;
    const before = await pipeline.batch(id);
    try {
      await sql`update disbursement_batch_control set fa_resolution_status = 'PENDING',
        fa_resolution_due_at = now() + interval '1 hour' where id = ${id}`;
      expect(regionOf(await detailOf(batchActor, id), 'fa_resolution')?.actions).toEqual(['dispatch']);
      await pipeline.system.pauses.pause('mapper_resolution', { by: 'a person', reason: 'to see' });
      expect(regionOf(await detailOf(batchActor, id), 'fa_resolution')?.actions).toEqual([]);
    } finally {
      await sql`update disbursement_batch_control set fa_resolution_status = 'ERROR',
        fa_resolution_due_at = ${before.fa_resolution_due_at as Date | null} where id = ${id}`;
      await pipeline.system.pauses.resume('mapper_resolution', { by: 'a person', reason: 'seen' });
    }
  });

  it('are shown with the reason when their row cannot be read, and nothing can be done to them', async () => {
    const id = batchId(failed);
    const { sql } = pipeline.database;
    await sql`insert into actor_parked values ('batch', ${id}, 'Nobody knows this state.', now())`;
    const detail = await detailOf(batchActor, id);
    await sql`delete from actor_parked`;
    expect(detail.parked).toBe('Nobody knows this state.');
    expect(detail.regions.flatMap(({ actions }) => actions)).toEqual([]);
  });

  it('have a sequence number after which the feed tells what comes next', async () => {
    const { seq } = await detailOf(envelopeActor, PAID);
    const [row] = await pipeline.database.sql<{ latest: string }[]>`
      select max(seq) as latest from actor_transitions`;
    expect(seq).toBeLessThanOrEqual(Number(row?.latest));
    expect(seq).toBeGreaterThan(0);
  });

  it('page through their journal, the latest first, without losing or repeating anything', async () => {
    const seen: number[] = [];
    let path = `${pathOf('envelope', PAID)}/transitions?limit=3`;
    for (;;) {
      const { transitions: page, next_cursor: next } = transitions.parse((await viewer.get(path)).body);
      expect(page.length).toBeLessThanOrEqual(3);
      for (const one of page) expect([one.machine, one.id, one.envelope]).toEqual(['envelope', PAID, PAID]);
      seen.push(...page.map(({ seq }) => seq));
      if (next === null) break;
      path = `${pathOf('envelope', PAID)}/transitions?limit=3&cursor=${next}`;
    }
    const rows = await pipeline.database.sql<{ seq: string }[]>`
      select seq from actor_transitions where machine = 'envelope' and actor_id = ${PAID} order by seq desc`;
    expect(seen).toEqual(rows.map(({ seq }) => Number(seq)));
    expect(seen.length).toBeGreaterThan(6);
  });

  it('page through their children by id', async () => {
    const first = await viewer.get(`${pathOf('envelope', PAID)}/children?machine=batch&limit=1`);
    const one = children.parse(first.body);
    const second = await viewer.get(
      `${pathOf('envelope', PAID)}/children?machine=batch&limit=1&cursor=${one.next_cursor}`,
    );
    const two = children.parse(second.body);
    expect(two.next_cursor).toBeNull();
    const ids = [...one.children, ...two.children].map(({ id }) => id);
    expect(ids).toEqual([batchId(paid), batchId(paid, 1)].sort());
    expect(one.children[0]?.regions).toContainEqual({ region: 'sponsor_bank_dispatch', state: 'PROCESSED' });
    const none = children.parse(
      (await viewer.get(`${pathOf('batch', batchId(paid))}/children?machine=geo`)).body,
    );
    expect(none).toEqual({ children: [], next_cursor: null });
  });

  it('lead to their jobs', async () => {
    const [entry] = await pipeline.database.sql<{ job_id: string }[]>`
      select job_id from actor_transitions
      where machine = 'batch' and actor_id = ${batchId(paid)} and region = 'sponsor_bank_dispatch'
        and event = 'dispatch'`;
    const path = `/operator/jobs/disburse_funds_from_bank/${entry?.job_id}`;
    const shown: JobDetail = job.parse((await viewer.get(path)).body);
    expect(shown).toMatchObject({
      id: entry?.job_id,
      queue: 'disburse_funds_from_bank_worker',
      state: 'completed',
      deliveries: 0,
      process: null,
      data: { machine: 'batch', id: batchId(paid), region: 'sponsor_bank_dispatch' },
    });
    expect(shown.completed_at).not.toBeNull();
    const elsewhere = await viewer.get(`/operator/jobs/mapper_resolution/${entry?.job_id}`);
    expect([elsewhere.status, elsewhere.body.code]).toEqual([404, 'JOB_UNKNOWN']);
    const none = await viewer.get(`/operator/jobs/mapper_resolution/${encodeURIComponent('%/none')}`);
    expect([none.status, none.body.code]).toEqual([404, 'JOB_UNKNOWN']);
    const unknown = await viewer.get(`/operator/jobs/none/${entry?.job_id}`);
    expect([unknown.status, unknown.body.code]).toEqual([404, 'STAGE_UNKNOWN']);
  });

  it('are found by whatever has an id', async () => {
    const foundBy = async (q: string) =>
      found.parse((await viewer.get(`/operator/find?q=${encodeURIComponent(q)}`)).body).found;
    expect(await foundBy(PAID)).toMatchObject([
      { kind: 'envelope', id: PAID, actor: { machine: 'envelope', id: PAID }, envelope: PAID },
    ]);
    expect((await foundBy(` ${batchId(paid)} `))[0]).toMatchObject({ kind: 'batch', envelope: PAID });
    expect(await foundBy(statement)).toMatchObject([{ kind: 'statement', envelope: null }]);
    const [disbursement = ''] = paid.ids;
    const paying = { kind: 'disbursement', id: disbursement, actor: { machine: 'batch', id: batchId(paid) } };
    expect(await foundBy(disbursement)).toMatchObject([paying]);
    expect(await foundBy(`ben-of-${disbursement}`)).toMatchObject([paying]);
    expect(await foundBy("nobody's ' % _")).toEqual([]);
  });

  it('are not there under an unknown name', async () => {
    const asked = async (path: string) => {
      const { status, body } = await viewer.get(path);
      return [status, body.code];
    };
    for (const id of ['none', '%', 'a/b', "'", 'x'.repeat(200), '名']) {
      expect(await asked(pathOf('batch', id))).toEqual([404, 'ACTOR_UNKNOWN']);
      expect(await asked(`${pathOf('batch', id)}/transitions`)).toEqual([404, 'ACTOR_UNKNOWN']);
      expect(await asked(`${pathOf('batch', id)}/children?machine=geo`)).toEqual([404, 'ACTOR_UNKNOWN']);
    }
    expect(await asked(pathOf('none', PAID))).toEqual([404, 'MACHINE_UNKNOWN']);
    expect(await asked(`${pathOf('batch', 'B')}/children?machine=none`)).toEqual([404, 'MACHINE_UNKNOWN']);
    expect(await asked(`${pathOf('batch', 'B')}/children?machine=batch`)).toEqual([400, 'NOT_CHILDREN']);
    expect(await asked(`${pathOf('batch', 'B')}/children`)).toEqual([400, 'REQUEST_INVALID']);
    expect(await asked(pathOf('batch', '\0'))).toEqual([400, 'REQUEST_INVALID']);
    expect(await asked('/operator/find?q=%00')).toEqual([400, 'REQUEST_INVALID']);
    expect(await asked(`${pathOf('envelope', PAID)}/transitions?cursor=x`)).toEqual([400, 'CURSOR_INVALID']);
    expect(await asked(`${pathOf('envelope', PAID)}/children?machine=batch&cursor=x`)).toEqual([
      400,
      'CURSOR_INVALID',
    ]);
  });

  it('keep what happened to those that are gone', async () => {
    const id = newId('gone');
    await pipeline.database.sql`
      insert into actor_transitions (at, machine, actor_id, correlation_id, region, event, from_state, to_state, attempt)
      values (now(), 'geo', ${id}, ${PAID}, 'agency_notification', 'enable', 'NOT_APPLICABLE', 'PENDING', 0)`;
    const { body } = await viewer.get(`${pathOf('geo', id)}/transitions`);
    expect(transitions.parse(body).transitions).toMatchObject([{ machine: 'geo', id, envelope: PAID }]);
    expect((await viewer.get(pathOf('geo', id))).status).toBe(404);
  });

  it('are shown also when their history was removed, which is said', async () => {
    const { sql } = pipeline.database;
    const path = pathOf('envelope', ODD_ID);
    const whole = transitions.parse((await viewer.get(`${path}/transitions`)).body);
    expect(whole.removed_at).toBeNull();
    await sql`insert into actor_pruned values (${ODD_ID}, 1000000, '2026-03-01T10:00:00Z', true)`;
    await sql`delete from actor_transitions where correlation_id = ${ODD_ID}`;
    const left = transitions.parse((await viewer.get(`${path}/transitions`)).body);
    expect(left).toEqual({ transitions: [], next_cursor: null, removed_at: '2026-03-01T10:00:00.000Z' });
    expect(await detailOf(envelopeActor, ODD_ID)).toMatchObject({ id: ODD_ID, taken: [] });
  });

  it('are nobody’s who is not signed in', async () => {
    const { status } = await fetch(`${surface.url}/operator/machines`);
    expect(status).toBe(401);
  });
});
