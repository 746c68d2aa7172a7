import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Overview, overview } from '../../src/api/operator/wire/overview.ts';
import { openOperatorApi, type TestOperatorApi } from '../support/operators.ts';
import { storedEnvelope } from '../support/stopped-work.ts';
import { until } from '../support/wait.ts';

let api: TestOperatorApi;
beforeAll(async () => {
  api = await openOperatorApi();
});
afterAll(() => api.close());

const countOf = ({ envelopes }: Overview) => Object.values(envelopes).reduce((sum, count) => sum + count, 0);

async function look(): Promise<Overview> {
  const { status, body } = await api.as('viewer').get('/operator/overview');
  expect(status).toBe(200);
  return overview.parse(body);
}

/** Looks while the envelopes can be read only after a while. */
async function lookSlowly(): Promise<Overview> {
  const { sql } = api.database;
  const { seen } = await sql.begin(async (tx) => {
    await tx`lock table envelope_control`;
    const looking = look();
    await until('it has taken long', async () => {
      const { count } = await sql`
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
          and query_start < clock_timestamp() - interval '600 milliseconds'`;
      return count > 0;
    });
    return { seen: looking };
  });
  return seen;
}

it('sums of all envelopes that take no time are those of the moment', async () => {
  await storedEnvelope(api.database);
  for (const count of [1, 2]) {
    const seen = await look();
    expect([countOf(seen), seen.sums_as_of]).toEqual([count, seen.as_of]);
    await storedEnvelope(api.database);
  }
});

it('sums that take long are not read for everybody who looks, but again after a while', async () => {
  const first = await lookSlowly();
  await storedEnvelope(api.database);
  const second = await look();
  expect(second.sums_as_of).toBe(first.sums_as_of);
  expect(Date.parse(second.as_of)).toBeGreaterThan(Date.parse(first.as_of));
  expect(second).toMatchObject({ money: first.money, envelopes: first.envelopes });
  let last = second;
  await until('they are read again', async () => {
    last = await look();
    return last.sums_as_of !== first.sums_as_of;
  });
  expect(countOf(last)).toBe(countOf(first) + 1);
});
