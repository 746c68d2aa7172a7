import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApi, type Reply, type TestApi } from '../support/api.ts';
import {
  type DisbursementFixture,
  disbursementFixture,
  disbursementFixtures,
  envelopeFixture,
} from '../support/payloads.ts';

const PATH = '/create_disbursements';

describe('disbursements that arrive at the same moment', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openApi({ poolMax: 20 });
  });
  afterAll(() => api.close());

  const announced = async (changes: Record<string, unknown>): Promise<string> => {
    const envelope = envelopeFixture(changes);
    await api.call('/create_disbursement_envelopes', [envelope]);
    return String(envelope.id);
  };
  const receivedBy = async (id: string) => {
    const [row] = await api.database.sql`
      select c.number_of_disbursements_received as count, c.total_disbursement_quantity_received as quantity,
        count(d.id)::int as stored, coalesce(sum(d.disbursement_quantity), 0)::text as sum
      from envelope_control c left join disbursements d using (disbursement_envelope_id)
      where c.disbursement_envelope_id = ${id} group by 1, 2`;
    return row;
  };
  const statuses = (replies: Reply[]) =>
    replies.map((reply) => reply.header.response_error_code ?? 'SUCCESS').toSorted();
  const send = (batches: readonly DisbursementFixture[][], body?: Record<string, unknown>) =>
    Promise.all(batches.map((items) => api.call(PATH, items, body)));

  it('never exceed the number that their envelope declares', async () => {
    const id = await announced({ number_of_disbursements: 50, total_disbursement_quantity: 1_000_000 });
    const replies = await send(Array.from({ length: 20 }, () => disbursementFixtures(id, 7)));
    const taken = replies.filter((reply) => reply.header.response_status === 'SUCCESS').length;
    expect(taken).toBe(7);
    expect(new Set(statuses(replies))).toEqual(new Set(['SUCCESS', 'NO_OF_DISBUESEMENTS_EXCEEDS_DECLARED']));
    expect(await receivedBy(id)).toEqual({ count: 49, quantity: '4900', stored: 49, sum: '4900' });
  });

  it('never exceed the quantity that their envelope declares', async () => {
    const id = await announced({ number_of_disbursements: 1000, total_disbursement_quantity: '10.10' });
    const batch = () => disbursementFixtures(id, 3, { disbursement_quantity: 1.1 });
    const replies = await send(Array.from({ length: 12 }, batch));
    expect(statuses(replies)).toEqual([
      ...Array.from({ length: 3 }, () => 'SUCCESS'),
      ...Array.from({ length: 9 }, () => 'TOTAL_DISBURSEMENT_QUANTITY_EXCEEDS_DECLARED'),
    ]);
    expect(await receivedBy(id)).toEqual({ count: 9, quantity: '9.9', stored: 9, sum: '9.9' });
  });

  it.each([
    ['without a batch id', undefined],
    ['with a batch id', { disbursement_batch_control_id: `BATCH-${randomUUID()}` }],
  ])('as the same request %s have the effect and the answer of one', async (_name, body) => {
    const id = await announced({});
    const items = disbursementFixtures(id, 10);
    const replies = await send(
      Array.from({ length: 10 }, () => items),
      body,
    );
    expect(statuses(replies)).toEqual(replies.map(() => 'SUCCESS'));
    expect(new Set(replies.map((reply) => reply.body.disbursement_batch_control_id)).size).toBe(1);
    expect(await receivedBy(id)).toEqual({ count: 10, quantity: '1000', stored: 10, sum: '1000' });
    const [journal] = await api.database.sql<{ n: number }[]>`
      select count(*)::int as n from actor_transitions
      where actor_id = ${String(replies[0]?.body.disbursement_batch_control_id)} and region = 'fa_resolution'`;
    expect(journal?.n).toBe(1);
  });

  it('as different batches that share ids, in whatever order, are taken once and refused else', async () => {
    const id = await announced({ number_of_disbursements: 1000, total_disbursement_quantity: 1_000_000 });
    const shared = Array.from({ length: 40 }, () => `DISB-${randomUUID()}`);
    const batch = (n: number) => {
      const items = shared.map((disbursement_id) => disbursementFixture(id, { disbursement_id }));
      return n % 2 ? items : items.toReversed();
    };
    const replies = await send(Array.from({ length: 10 }, (_, n) => batch(n)));
    expect(statuses(replies)).toEqual([
      ...Array.from({ length: 9 }, () => 'INVALID_DISBURSEMENT_ID'),
      'SUCCESS',
    ]);
    expect(await receivedBy(id)).toEqual({ count: 40, quantity: '4000', stored: 40, sum: '4000' });
  });
});
