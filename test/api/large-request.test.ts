import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApi, type TestApi } from '../support/api.ts';
import { disbursementFixtures, envelopeFixture, messageFixture } from '../support/payloads.ts';

const COUNT = 10_000;

describe('a request of 10,000 disbursements', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openApi();
  });
  afterAll(() => api.close());

  it.each([
    ['amounts of few digits', 1250.55, '12505500'],
    ['amounts of more digits than a double keeps', '"12345678901234567.89"', '123456789012345678900'],
  ])('is taken whole with %s, and said to have taken so long', async (_name, quantity, total) => {
    for (const round of [1, 2, 3]) {
      const envelope = envelopeFixture({
        number_of_beneficiaries: COUNT,
        number_of_disbursements: COUNT,
        total_disbursement_quantity: total,
      });
      const id = String(envelope.id);
      await api.call('/create_disbursement_envelopes', [envelope]);
      const message = JSON.stringify(messageFixture(disbursementFixtures(id, COUNT, { disbursement_quantity: 0 })));
      const body = message.replaceAll('"disbursement_quantity":0', `"disbursement_quantity":${quantity}`.replaceAll('"12', '12').replaceAll('89"', '89'));
      const before = process.memoryUsage().rss;
      const startedAt = performance.now();
      const reply = await api.post('/create_disbursements', body);
      const tookMs = performance.now() - startedAt;
      const grownMb = (process.memoryUsage().rss - before) / 2 ** 20;
      expect(reply.header.response_error_message).toBeNull();
      const [row] = await api.database.sql`
        select count(*)::int as n, sum(disbursement_quantity)::text as total, count(distinct disbursement_batch_control_id)::int as batches
        from disbursements where disbursement_envelope_id = ${id}`;
      expect(row).toMatchObject({ n: COUNT, batches: 1 });
      console.log(`round ${round}: ${body.length} bytes taken in ${Math.round(tookMs)} ms, memory grew by ${Math.round(grownMb)} MB (client included)`);
    }
  });
});
