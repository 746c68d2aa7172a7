import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR_ENDPOINTS } from '../../src/api/operator/index.ts';
import { ROLES, type Role } from '../../src/api/operator/wire/common.ts';
import { openOperatorApi, readReply, type TestOperatorApi } from '../support/operators.ts';
import { debit, newId, statementText } from '../support/records.ts';
import { storedBatches, storedEnvelope } from '../support/stopped-work.ts';

let api: TestOperatorApi;
beforeAll(async () => {
  api = await openOperatorApi();
});
afterAll(() => api.close());
// What one test has paused, the next must not find so.
afterEach(async () => {
  for (const stage of api.system.pauses.list().keys())
    await api.system.pauses.resume(stage, { by: 'the test', reason: 'it is over' });
});

const reason = 'to see who may';

/** A batch that stands in ERROR. */
async function batchIn(region: string, code: string, more: { submittedAt?: Date } = {}): Promise<string> {
  const [id = ''] = await storedBatches(api.database, await storedEnvelope(api.database), 1, {
    region,
    status: 'ERROR',
    code,
    ...more,
  });
  return id;
}

/** An envelope whose block stands in ERROR. */
async function envelopeWithBlock(code: string): Promise<string> {
  const money = { funds_blocked_with_bank: 'ERROR', funds_blocked_latest_error_code: code };
  const { id = '' } = await storedEnvelope(api.database, {}, money);
  return id;
}

/** A batch that waits. */
async function waitingBatch(
  region: string,
  code: string | null,
  more: { submittedAt?: Date } = {},
): Promise<string> {
  const standing = { region, status: 'PENDING', code, dueAt: new Date(0), ...more };
  const [id = ''] = await storedBatches(api.database, await storedEnvelope(api.database), 1, standing);
  return id;
}

const work = (action: string, stage: string, id: Promise<string>) =>
  id.then((one) => ({
    path: `/operator/actions/${action}`,
    body: { target: { stage, ids: [one] }, reason },
  }));
const stage = (name: string, action: string) =>
  Promise.resolve({ path: `/operator/stages/${name}/${action}`, body: { reason } });
const PAY = 'disburse_funds_from_bank';
const OUT = { submittedAt: new Date(0) };

/** Everything that changes something: who may do it at least. */
const ACTIONS: readonly [what: string, least: Role, ask: () => Promise<{ path: string; body: object }>][] = [
  ['retry', 'operator', () => work('retry', 'mapper_resolution', batchIn('fa_resolution', 'FA_UNRESOLVED'))],
  [
    'retry a payment that was refused',
    'operator',
    () => work('retry', PAY, batchIn('sponsor_bank_dispatch', 'BANK_REFUSED')),
  ],
  [
    'retry an unknown outcome',
    'payer',
    () => work('retry', PAY, batchIn('sponsor_bank_dispatch', 'PAYMENT_OUTCOME_UNKNOWN')),
  ],
  [
    'retry a list that differs',
    'payer',
    () => work('retry', PAY, batchIn('sponsor_bank_dispatch', 'PAYMENT_LIST_DIFFERS')),
  ],
  [
    'retry what may have been paid before a restore',
    'payer',
    () => work('retry', PAY, batchIn('sponsor_bank_dispatch', 'PAYMENT_MAY_BE_FORGOTTEN')),
  ],
  [
    'retry what may have been blocked before a restore',
    'operator',
    () => work('retry', 'block_funds_with_bank', envelopeWithBlock('BLOCK_MAY_BE_FORGOTTEN')),
  ],
  [
    'retry a payment that was submitted, whatever its error',
    'payer',
    () => work('retry', PAY, batchIn('sponsor_bank_dispatch', 'STALE', OUT)),
  ],
  ['release', 'payer', () => work('release', 'mapper_resolution', batchIn('fa_resolution', 'FA_UNRESOLVED'))],
  [
    'release a payment',
    'payer',
    () => work('release', PAY, batchIn('sponsor_bank_dispatch', 'PAYMENT_OUTCOME_UNKNOWN')),
  ],
  ['dispatch', 'operator', () => work('dispatch', 'mapper_resolution', waitingBatch('fa_resolution', null))],
  [
    'dispatch an unknown outcome',
    'payer',
    () => work('dispatch', PAY, waitingBatch('sponsor_bank_dispatch', 'PAYMENT_OUTCOME_UNKNOWN')),
  ],
  [
    'dispatch a payment that was submitted, whatever its error',
    'payer',
    () => work('dispatch', PAY, waitingBatch('sponsor_bank_dispatch', null, OUT)),
  ],
  [
    'cancel',
    'operator',
    async () => ({
      path: `/operator/envelopes/${(await storedEnvelope(api.database)).id}/cancel`,
      body: { reason },
    }),
  ],
  ['tick', 'operator', () => stage('geo_resolution', 'tick')],
  ['pause', 'operator', () => stage('geo_resolution', 'pause')],
  ['resume', 'operator', () => stage('geo_resolution', 'resume')],
  ['pause payments', 'operator', () => stage(PAY, 'pause')],
  ['resume payments', 'payer', () => stage(PAY, 'resume')],
];

const mayDo = (role: Role, least: Role) => ROLES.indexOf(role) >= ROLES.indexOf(least);

describe('who may do what', () => {
  it.each(ROLES.flatMap((role) => ACTIONS.map(([what, least, ask]) => [role, what, least, ask] as const)))(
    '%s: %s',
    async (role, _what, least, ask) => {
      const { path, body } = await ask();
      const before = (await api.as('viewer').get('/operator/audit?limit=1')).body.actions[0]?.id ?? 0;
      const reply = await api.as(role).post(path, body);
      expect([reply.status, reply.body.code]).toEqual(
        mayDo(role, least) ? [200, undefined] : [403, 'ROLE_MISSING'],
      );
      // Whatever became of it, it is on record.
      const [entry] = (await api.as('viewer').get('/operator/audit?limit=1')).body.actions;
      expect(entry.id).toBeGreaterThan(before);
      expect(entry).toMatchObject({
        operator: api.as(role).operator,
        problem: mayDo(role, least) ? null : 'ROLE_MISSING',
      });
      if (path.includes('/actions/') && mayDo(role, least)) expect(reply.body).toMatchObject({ accepted: 1 });
    },
  );

  it.each(ROLES)('%s: upload a statement', async (role) => {
    const form = new FormData();
    const text = statementText('1000200030', [debit(newId('D'), '1')]);
    form.append('statement_file', new Blob([text]), 'statement.sta');
    const { headers } = api.as(role);
    const reply = await readReply(
      await fetch(`${api.url}/operator/statements`, { method: 'POST', headers, body: form }),
    );
    expect([reply.status, reply.body.code]).toEqual(
      role === 'viewer' ? [403, 'ROLE_MISSING'] : [200, undefined],
    );
  });

  it('has a line in this table for every endpoint that changes something', () => {
    const changing = OPERATOR_ENDPOINTS.filter(({ audits }) => audits !== undefined).map(({ path }) => path);
    const kinds = (paths: readonly string[]) => new Set(paths.map((path) => path.split('/').at(-1)));
    expect(kinds(changing)).toEqual(
      new Set(['retry', 'release', 'dispatch', 'cancel', 'tick', 'pause', 'resume']),
    );
    // What is not on record is for everybody who is signed in to see, or for nobody in particular.
    for (const { audits, role, path } of OPERATOR_ENDPOINTS) {
      if (audits === undefined) expect(['viewer', null], path).toContain(role);
    }
  });

  it.each(
    OPERATOR_ENDPOINTS.filter(({ role }) => role !== null).map(({ method, path }) => [method, path] as const),
  )('nobody without a token: %s %s', async (method, path) => {
    const url = api.url + path.replaceAll(/\{\w+\}/g, 'x');
    const type = { 'content-type': 'application/json' };
    for (const headers of [{}, { authorization: 'Bearer nobody' }, { authorization: 'Basic eDp5' }]) {
      const body = method === 'POST' ? '{}' : null;
      const reply = await readReply(await fetch(url, { method, headers: { ...type, ...headers }, body }));
      expect(reply.status).toBe(401);
      expect(reply.headers.get('content-type')).toContain('application/problem+json');
    }
  });
});
