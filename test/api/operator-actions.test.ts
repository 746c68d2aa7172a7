import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOperatorApi, type TestOperatorApi } from '../support/operators.ts';
import { newId } from '../support/records.ts';
import { statesOf, storedBatches, storedEnvelope } from '../support/stopped-work.ts';
import { until } from '../support/wait.ts';

const REASON = 'the mapper is back';
const MINUTE_MS = 60_000;

let api: TestOperatorApi;
beforeAll(async () => {
  api = await openOperatorApi();
});
afterAll(() => api.close());

const RESOLUTION = { region: 'fa_resolution', status: 'ERROR', code: 'FA_UNRESOLVED' };
const PAYMENT = { region: 'sponsor_bank_dispatch', status: 'ERROR' };
const OUTCOME_UNKNOWN = { ...PAYMENT, code: 'PAYMENT_OUTCOME_UNKNOWN' };

const stopped = async (count: number, standing: Parameters<typeof storedBatches>[3]) => {
  const envelope = await storedEnvelope(api.database);
  return { envelope: envelope.id, ids: await storedBatches(api.database, envelope, count, standing) };
};

/** Acts as an operator unless told otherwise. */
const act = (action: string, target: object, role: 'viewer' | 'operator' | 'payer' = 'operator') =>
  api.as(role).post(`/operator/actions/${action}`, { target, reason: REASON });

const preview = async (action: string, target: object) =>
  (await api.as('viewer').post('/operator/actions/preview', { action, target })).body;

const journalOf = (ids: readonly string[], event: string) => api.database.sql`
  select actor_id, by, reason, to_state from actor_transitions
  where actor_id = any(${ids as string[]}) and event = ${event} order by seq`;

const latestAudit = async () => (await api.as('viewer').get('/operator/audit?limit=1')).body.actions[0];

describe('an action on work', () => {
  it('is for what the preview counts, and says in the journal and the audit log who did it and why', async () => {
    const { envelope, ids } = await stopped(7, RESOLUTION);
    await stopped(2, RESOLUTION);
    const target = { stage: 'mapper_resolution', code: 'FA_UNRESOLVED', envelope };
    expect(await preview('retry', target)).toMatchObject({ matching: 7, payer_only: false });
    const { status, body } = await act('retry', target);
    expect([status, body]).toEqual([200, { accepted: 7, refused: 0, remaining: 0 }]);
    expect(await statesOf(api.database, 'fa_resolution', ids)).toEqual({ PENDING: 7 });
    const entries = await journalOf(ids, 'retry');
    expect(entries).toHaveLength(7);
    for (const entry of entries)
      expect(entry).toMatchObject({
        by: api.as('operator').operator.name,
        reason: REASON,
        to_state: 'PENDING',
      });
    expect(await latestAudit()).toMatchObject({
      operator: api.as('operator').operator,
      action: 'retry',
      target,
      reason: REASON,
      accepted: 7,
      refused: 0,
      problem: null,
    });
    expect(await preview('retry', target)).toMatchObject({ matching: 0 });
  });

  it('is for single records of those that fit the rest; others are refused and left alone', async () => {
    const { ids } = await stopped(3, RESOLUTION);
    const other = await stopped(1, { ...RESOLUTION, code: 'MAPPER_UNREACHABLE' });
    const target = {
      stage: 'mapper_resolution',
      ids: [ids[0], ids[1], ids[1], other.ids[0], 'nobody'],
      code: 'FA_UNRESOLVED',
    };
    expect(await preview('retry', target)).toMatchObject({ matching: 2 });
    expect((await act('retry', target)).body).toEqual({ accepted: 2, refused: 2, remaining: 0 });
    expect(await statesOf(api.database, 'fa_resolution', [...ids, ...other.ids])).toEqual({
      ERROR: 2,
      PENDING: 2,
    });
    expect(await latestAudit()).toMatchObject({ accepted: 2, refused: 2, target: { number_of_ids: 5 } });
  });

  it('does nothing where nothing fits, and says so in the audit log too', async () => {
    const { body } = await act('retry', { stage: 'mapper_resolution', code: 'NO_SUCH_CODE' });
    expect(body).toEqual({ accepted: 0, refused: 0, remaining: 0 });
    expect(await latestAudit()).toMatchObject({ accepted: 0, refused: 0, target: { code: 'NO_SUCH_CODE' } });
    const unknown = await act('retry', { stage: 'mapper_resolution', ids: ['nobody'] });
    expect(unknown.body).toEqual({ accepted: 0, refused: 1, remaining: 0 });
  });

  it('leaves alone what has come to stand there since the preview', async () => {
    const { envelope, ids } = await stopped(2, RESOLUTION);
    const target = { stage: 'mapper_resolution', envelope };
    const { as_of } = await preview('retry', target);
    const since = new Date(Date.parse(as_of) + MINUTE_MS);
    await api.database.sql`
      update disbursement_batch_control set fa_resolution_timestamp = ${since} where id = ${ids[0] ?? ''}`;
    expect((await act('retry', { ...target, as_of })).body).toEqual({
      accepted: 1,
      refused: 0,
      remaining: 0,
    });
    expect((await act('retry', { ...target, ids, as_of })).body).toMatchObject({ accepted: 0, refused: 2 });
    expect(await statesOf(api.database, 'fa_resolution', ids)).toEqual({ ERROR: 1, PENDING: 1 });
  });

  it('leaves records alone that cannot be read, and does not count them', async () => {
    const { envelope, ids } = await stopped(2, RESOLUTION);
    await api.database.sql`
      insert into actor_parked (machine, actor_id, reason, parked_at)
      values ('batch', ${ids[0] ?? ''}, 'unreadable', now())`;
    const target = { stage: 'mapper_resolution', envelope };
    expect(await preview('retry', target)).toMatchObject({ matching: 1 });
    expect((await act('retry', target)).body).toEqual({ accepted: 1, refused: 0, remaining: 0 });
  });

  it('finds the work of envelopes, whose money has a table of its own', async () => {
    const error = { funds_available_with_bank: 'ERROR', funds_available_latest_error_code: 'BANK_TIMEOUT' };
    const [one] = [
      await storedEnvelope(api.database, {}, error),
      await storedEnvelope(api.database, {}, error),
    ];
    const target = { stage: 'check_funds_with_bank', code: 'BANK_TIMEOUT' };
    expect(await preview('retry', target)).toMatchObject({ matching: 2 });
    expect((await act('retry', { ...target, envelope: one.id })).body).toMatchObject({ accepted: 1 });
    expect((await act('retry', target)).body).toMatchObject({ accepted: 1, remaining: 0 });
  });

  it.each([
    ['a stage that nobody knows', 'retry', { stage: 'no_such_stage' }, 404, 'STAGE_UNKNOWN'],
    [
      'a stage that cannot be left out',
      'release',
      { stage: 'warehouse_allocation' },
      409,
      'STAGE_NOT_RELEASABLE',
    ],
    ['no stage', 'retry', {}, 400, 'REQUEST_INVALID'],
    [
      'too many records',
      'retry',
      { stage: 'mapper_resolution', ids: Array(1_001).fill('x') },
      400,
      'REQUEST_INVALID',
    ],
    ['an id that is none', 'retry', { stage: 'mapper_resolution', ids: ['a\0b'] }, 400, 'REQUEST_INVALID'],
    ['half a character', 'retry', { stage: 'mapper_resolution', code: '\ud800' }, 400, 'REQUEST_INVALID'],
    [
      'a moment that is none',
      'retry',
      { stage: 'mapper_resolution', as_of: 'today' },
      400,
      'REQUEST_INVALID',
    ],
    [
      'a year that the database does not have',
      'retry',
      { stage: 'mapper_resolution', as_of: '0000-06-01T00:00:00.000Z' },
      400,
      'REQUEST_INVALID',
    ],
  ])('is refused for %s', async (_what, action, target, status, code) => {
    const reply = await act(action, target, 'payer');
    expect([reply.status, reply.body.code]).toEqual([status, code]);
    const asked = await api.as('payer').post('/operator/actions/preview', { action, target });
    expect([asked.status, asked.body.code]).toEqual([status, code]);
  });

  it.each([undefined, '', '  ', 'no', 'x'.repeat(501), 'a\0b', 12])(
    'needs a reason, not %j',
    async (reason) => {
      const { ids } = await stopped(1, RESOLUTION);
      const target = { stage: 'mapper_resolution', ids };
      const reply = await api.as('operator').post('/operator/actions/retry', { target, reason });
      expect([reply.status, reply.body.code]).toEqual([400, 'REQUEST_INVALID']);
      expect(reply.body.detail).toContain('reason');
      expect(await statesOf(api.database, 'fa_resolution', ids)).toEqual({ ERROR: 1 });
    },
  );
});

describe('what only a payer decides', () => {
  it('is a set with unknown outcomes among it: an operator is refused the whole of it', async () => {
    const { envelope, ids } = await stopped(2, { ...PAYMENT, code: 'BANK_REFUSED' });
    const [row] = await api.database.sql`select * from disbursement_envelopes where id = ${envelope}`;
    const unknown = await storedBatches(api.database, row as never, 1, OUTCOME_UNKNOWN);
    const target = { stage: 'disburse_funds_from_bank', envelope };
    expect(await preview('retry', target)).toMatchObject({ matching: 3, payer_only: true });
    const refused = await act('retry', target);
    expect([refused.status, refused.body.code]).toEqual([403, 'ROLE_MISSING']);
    expect(refused.body.detail).toMatch(
      /^The money of 1 record of Pay may be out .*PAYMENT_OUTCOME_UNKNOWN.*payer.*operator/,
    );
    expect(await statesOf(api.database, 'sponsor_bank_dispatch', [...ids, ...unknown])).toEqual({ ERROR: 3 });
    expect(await latestAudit()).toMatchObject({ target, accepted: 0, refused: 0, problem: 'ROLE_MISSING' });
    // Those that are an operator's to retry, by their code.
    expect(await preview('retry', { ...target, code: 'BANK_REFUSED' })).toMatchObject({ payer_only: false });
    expect((await act('retry', { ...target, code: 'BANK_REFUSED' })).body).toMatchObject({ accepted: 2 });
    expect((await act('retry', target, 'payer')).body).toMatchObject({ accepted: 1 });
  });

  it('is a single unknown outcome, also where its id is all that is given', async () => {
    const { ids } = await stopped(1, { ...PAYMENT, code: 'PAYMENT_LIST_DIFFERS' });
    const refused = await act('retry', { stage: 'disburse_funds_from_bank', ids });
    expect([refused.status, refused.body.code]).toEqual([403, 'ROLE_MISSING']);
  });

  it('is what has been submitted to the bank, whatever became of the attempt afterwards', async () => {
    const { envelope, ids } = await stopped(2, { ...PAYMENT, code: 'STALE' });
    const [row] = await api.database.sql`select * from disbursement_envelopes where id = ${envelope}`;
    const out = await storedBatches(api.database, row as never, 1, {
      ...PAYMENT,
      code: 'STALE',
      submittedAt: new Date(),
    });
    const target = { stage: 'disburse_funds_from_bank', envelope, code: 'STALE' };
    expect(await preview('retry', target)).toMatchObject({ matching: 3, payer_only: true });
    const refused = await act('retry', target);
    expect([refused.status, refused.body.code]).toEqual([403, 'ROLE_MISSING']);
    expect(refused.body.detail).toContain('1 record of Pay');
    expect(await statesOf(api.database, 'sponsor_bank_dispatch', [...ids, ...out])).toEqual({ ERROR: 3 });
    const single = { stage: 'disburse_funds_from_bank', ids };
    expect(await preview('retry', single)).toMatchObject({ matching: 2, payer_only: false });
    expect((await act('retry', single)).body).toMatchObject({ accepted: 2 });
    expect((await act('retry', target, 'payer')).body).toMatchObject({ accepted: 1 });
  });

  it('is no block of funds: blocking pays nobody', async () => {
    const envelope = await storedEnvelope(
      api.database,
      {},
      {
        funds_blocked_with_bank: 'ERROR',
        funds_blocked_latest_error_code: 'STALE',
        funds_blocked_submitted_at: new Date(),
      },
    );
    const target = { stage: 'block_funds_with_bank', envelope: envelope.id };
    expect(await preview('retry', target)).toMatchObject({ matching: 1, payer_only: false });
    expect((await act('retry', target)).body).toMatchObject({ accepted: 1 });
  });

  it.each([
    ['its outcome is unknown', "sponsor_bank_dispatch_latest_error_code = 'PAYMENT_OUTCOME_UNKNOWN'"],
    ['it has been submitted', 'sponsor_bank_dispatch_submitted_at = now()'],
  ])('is left out when %s after the check and before its turn', async (_what, change) => {
    const { ids } = await stopped(1, { ...PAYMENT, code: 'BANK_REFUSED' });
    const [id = ''] = ids;
    const { sql } = api.database;
    let asked: Promise<Awaited<ReturnType<typeof act>>> | undefined;
    await sql.begin(async (tx) => {
      await tx`select from disbursement_batch_control where id = ${id} for update`;
      asked = act('retry', { stage: 'disburse_funds_from_bank', ids });
      await until('the action waits for the record', async () => {
        const [row] = await sql`
          select count(*)::int as n from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock' and query like '%disbursement_batch_control%'`;
        return row?.n === 1;
      });
      await tx`update disbursement_batch_control set ${tx.unsafe(change)} where id = ${id}`;
    });
    expect((await asked)?.body).toEqual({ accepted: 0, refused: 1, remaining: 0 });
    expect(await statesOf(api.database, 'sponsor_bank_dispatch', ids)).toEqual({ ERROR: 1 });
  });

  it('is every release', async () => {
    const { envelope, ids } = await stopped(2, { ...PAYMENT, code: 'BANK_REFUSED' });
    const target = { stage: 'disburse_funds_from_bank', envelope };
    expect(await preview('release', target)).toMatchObject({ matching: 2, payer_only: true });
    expect((await act('release', target)).status).toBe(403);
    expect((await act('release', target, 'payer')).body).toEqual({ accepted: 2, refused: 0, remaining: 0 });
    expect(await statesOf(api.database, 'sponsor_bank_dispatch', ids)).toEqual({ PROCESSED: 2 });
    expect(await journalOf(ids, 'release')).toMatchObject(
      ids.map(() => ({ by: api.as('payer').operator.name })),
    );
  });
});

describe('dispatching', () => {
  const WAITING = { region: 'fa_resolution', status: 'PENDING', attempts: 0 };
  const later = new Date(Date.now() + 60 * MINUTE_MS);
  const earlier = new Date(Date.now() - MINUTE_MS);

  it('is for what is due or waits for another attempt, not for what waits for its day or for something else', async () => {
    const due = await stopped(2, { ...WAITING, dueAt: earlier });
    const retried = await stopped(1, { ...WAITING, dueAt: later, code: 'MAPPER_TIMEOUT' });
    const scheduled = await stopped(1, { ...WAITING, dueAt: later });
    const elsewhere = await stopped(1, WAITING);
    const all = [due, retried, scheduled, elsewhere].flatMap(({ ids }) => ids);
    const target = { stage: 'mapper_resolution', ids: all };
    expect(await preview('dispatch', target)).toMatchObject({ matching: 3 });
    expect((await act('dispatch', target)).body).toEqual({ accepted: 3, refused: 2, remaining: 0 });
    expect(await statesOf(api.database, 'fa_resolution', [...due.ids, ...retried.ids])).toEqual({
      PROCESSING: 3,
    });
    expect(await statesOf(api.database, 'fa_resolution', [...scheduled.ids, ...elsewhere.ids])).toEqual({
      PENDING: 2,
    });
  });

  it('is refused while the stage is paused', async () => {
    const { ids } = await stopped(1, { ...WAITING, dueAt: earlier });
    await api.as('operator').post('/operator/stages/mapper_resolution/pause', { reason: REASON });
    const refused = await act('dispatch', { stage: 'mapper_resolution', ids });
    expect([refused.status, refused.body.code]).toEqual([409, 'STAGE_PAUSED']);
    expect(await latestAudit()).toMatchObject({ action: 'dispatch', accepted: 0, problem: 'STAGE_PAUSED' });
    await api.as('operator').post('/operator/stages/mapper_resolution/resume', { reason: REASON });
    expect((await act('dispatch', { stage: 'mapper_resolution', ids })).body).toMatchObject({ accepted: 1 });
  });

  it.each([
    ['all that fit', (code: string) => ({ code })],
    ['single records', (_code: string, ids: readonly string[]) => ({ ids })],
  ])('says what has been done when the stage is paused in between: %s', async (_what, selecting) => {
    const code = newId('CODE');
    const { ids } = await stopped(700, { ...WAITING, dueAt: earlier, code });
    const { sql } = api.database;
    // The first set is done; when it is stored, the stage is paused.
    await sql.unsafe(`
      create function pause_it() returns trigger language plpgsql as $$ begin
        insert into actor_pauses values ('mapper_resolution', now(), 'otto', 'the mapper is down') on conflict do nothing;
        return new; end $$;
      create trigger pause_it before insert on operator_actions for each row execute function pause_it()`);
    const before = (await latestAudit()).id;
    try {
      const reply = await act('dispatch', { stage: 'mapper_resolution', ...selecting(code, ids) });
      expect([reply.status, reply.body]).toEqual([200, { accepted: 500, refused: 0, remaining: 200 }]);
    } finally {
      await sql.unsafe('drop trigger pause_it on operator_actions; drop function pause_it()');
      await sql`delete from actor_pauses`;
    }
    const entries = await sql`select accepted, refused, problem from operator_actions where id > ${before}`;
    expect(entries).toEqual([{ accepted: 500, refused: 0, problem: null }]);
    expect((await act('dispatch', { stage: 'mapper_resolution', code })).body).toMatchObject({
      accepted: 200,
    });
  });
});

describe('many records', () => {
  it('are acted on in transactions of at most 500, and at most 10,000 by one request', async () => {
    const code = newId('CODE');
    const { ids } = await stopped(10_030, { ...RESOLUTION, code });
    const target = { stage: 'mapper_resolution', code };
    expect((await act('retry', target)).body).toEqual({ accepted: 10_000, refused: 0, remaining: 30 });
    expect(await latestAudit()).toMatchObject({ accepted: 10_000, refused: 0 });
    const [largest] = await api.database.sql`
      select count(*)::int as n from disbursement_batch_control
      where id = any(${ids}) and fa_resolution_status = 'PENDING' group by xmin::text order by n desc limit 1`;
    expect(largest?.n).toBe(500);
    expect((await act('retry', target)).body).toEqual({ accepted: 30, refused: 0, remaining: 0 });
  }, 60_000);

  it('are all retried once when two operators retry them at the same time', async () => {
    const code = newId('CODE');
    const { ids } = await stopped(1_200, { ...RESOLUTION, code });
    const target = { stage: 'mapper_resolution', code };
    const replies = await Promise.all([act('retry', target), act('retry', target, 'payer')]);
    const accepted = replies.reduce((sum, { body }) => sum + body.accepted, 0);
    expect(accepted).toBe(1_200);
    for (const { body } of replies) expect(body.remaining).toBe(0);
    expect(await journalOf(ids, 'retry')).toHaveLength(1_200);
    const [audited] = await api.database.sql`
      select sum(accepted)::int as n from operator_actions where target->>'code' = ${code}`;
    expect(audited?.n).toBe(1_200);
  }, 60_000);

  it('have an entry in the audit log that is right when the action breaks off half-way', async () => {
    const code = newId('CODE');
    const { ids } = await stopped(1_100, { ...RESOLUTION, code });
    const { sql } = api.database;
    // The last of them cannot be stored.
    const last = [...ids].sort().at(-1) ?? '';
    await sql.unsafe(`
      create function break_off() returns trigger language plpgsql as
        $$ begin if new.actor_id = '${last}' then raise exception 'the disk is full'; end if; return new; end $$;
      create trigger break_off before insert on actor_transitions for each row execute function break_off()`);
    try {
      const reply = await act('retry', { stage: 'mapper_resolution', code });
      expect([reply.status, reply.body.code]).toEqual([500, 'INTERNAL_ERROR']);
    } finally {
      await sql.unsafe('drop trigger break_off on actor_transitions; drop function break_off()');
    }
    const { PENDING } = await statesOf(api.database, 'fa_resolution', ids);
    expect(PENDING).toBe(1_000);
    expect(await latestAudit()).toMatchObject({ action: 'retry', accepted: 1_000, refused: 0 });
  }, 60_000);
});
