import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Processes } from '../../src/runtime/processes.ts';
import { openShop, type Shop } from '../support/shop.ts';
import { until } from '../support/wait.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

describe('a process that was handed the same job twice', () => {
  it('keeps the later one when it is done with the earlier one', async () => {
    const { store } = await shop.join({ works: false });
    const processes = new Processes(store, 'twice', 20, () => {});
    await processes.start();
    const claimed = () =>
      shop.database.sql`select job_id, delivery from actor_claims where process = ${processes.number}`;
    const [job, dropped] = [store.jobs.newId(), store.jobs.newId()];
    const [earlier, later] = [
      { id: job, delivery: 0 },
      { id: job, delivery: 1 },
    ];
    await processes.claim('toy_printing_worker', [earlier]);
    await processes.claim('toy_printing_worker', [later]);
    processes.performed([earlier]);
    await shop.database.sql`
      insert into actor_claims (job_id, queue, delivery, process, claimed_at)
      values (${dropped}, 'toy_printing_worker', 0, ${processes.number}, now())`;
    processes.suspectUnclaimed();
    await until('what nobody performs is handed back', async () => (await claimed()).length < 2);
    expect([...(await claimed())]).toEqual([{ job_id: job, delivery: 1 }]);
    await processes.stop();
  });
});
