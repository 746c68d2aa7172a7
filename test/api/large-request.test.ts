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
    ['that a double keeps', '1250.55', '12505500'],
    ['of more digits than a double keeps', '123456789012345.678901', '1234567890123456789.01'],
  ])('is taken whole, with amounts %s', async (_name, quantity, total) => {
    const envelope = envelopeFixture({
      number_of_beneficiaries: COUNT,
      number_of_disbursements: COUNT,
      total_disbursement_quantity: total,
    });
    const id = String(envelope.id);
    await api.call('/create_disbursement_envelopes', [envelope]);
    const items = disbursementFixtures(id, COUNT, { disbursement_quantity: '?' });
    const body = JSON.stringify(messageFixture(items)).replaceAll('"?"', quantity);

    const before = process.memoryUsage().rss;
    const startedAt = performance.now();
    const reply = await api.post('/create_disbursements', body);
    const tookMs = Math.round(performance.now() - startedAt);
    const grownMb = Math.round((process.memoryUsage().rss - before) / 2 ** 20);
    const megabytes = (body.length / 1e6).toFixed(1);
    console.log(
      `${megabytes} MB taken in ${tookMs} ms; memory, the client's included, grew by ${grownMb} MB`,
    );

    expect(reply.header.response_status).toBe('SUCCESS');
    expect(reply.text.match(new RegExp(`:${quantity.replace('.', '\\.')},`, 'g'))).toHaveLength(COUNT);
    const [row] = await api.database.sql`
      select count(*)::int as disbursements, sum(disbursement_quantity) = ${total} as exact,
        (select receipt_status from envelope_control where disbursement_envelope_id = ${id}) as receipt,
        (select count(*)::int from disbursement_batch_control where disbursement_envelope_id = ${id}) as batches
      from disbursements where disbursement_envelope_id = ${id}`;
    expect(row).toEqual({ disbursements: COUNT, exact: true, receipt: 'RECEIVED', batches: 1 });
  });
});
