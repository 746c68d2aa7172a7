import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openShop, type Shop } from '../support/toy.ts';
import { until } from '../support/wait.ts';

describe('work flows', () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await openShop();
  });
  afterEach(() => shop.close());

  it('takes every record through all its stages and tells the parent, exactly once each', async () => {
    const performed: string[] = [];
    const system = await shop.join({}, {
      printing: async (work) => {
        performed.push(work.id);
        return { kind: 'succeeded' };
      },
    });
    const ids = await shop.receive(system, 'o1', 30);
    await until('all pages are counted', async () => {
      const [row] = await shop.database.sql<{ pages_printed: number }[]>`select pages_printed from toy_orders`;
      return row?.pages_printed === 60;
    });
    expect(performed.toSorted()).toEqual(ids);
    for (const row of await shop.documents()) {
      expect(row).toMatchObject({
        typesetting_status: 'PROCESSED',
        printing_status: 'PROCESSED',
        typesetting_attempts: 1,
        printing_job_id: null,
      });
    }
    const [left] = await shop.database.sql<{ n: number }[]>`select count(*)::int as n from actor_messages`;
    expect(left?.n).toBe(0);
  });
});
