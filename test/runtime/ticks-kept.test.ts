import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openShop, type Shop } from '../support/shop.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const kept = () => shop.database.sql`select stage, at, dispatched, stale from actor_ticks order by stage`;

describe('a tick that is asked for', () => {
  it('runs in a process that does no work, and is kept as the last of its stage', async () => {
    let now = new Date('2026-03-01T12:00:00Z');
    const system = await shop.join({
      works: false,
      mode: 'tick',
      tickDispatchMax: 10,
      clock: { now: () => now },
    });
    await shop.receive(system, 'o1', 3, now);
    expect(await system.tickNow('toy_typesetting')).toEqual({ dispatched: 3, stale: 0 });
    expect([...(await kept())]).toEqual([{ stage: 'toy_typesetting', at: now, dispatched: 3, stale: 0 }]);
    now = new Date('2026-03-01T12:01:00Z');
    expect(await system.tickNow('toy_typesetting')).toEqual({ dispatched: 0, stale: 0 });
    await system.tickNow('toy_printing');
    expect([...(await kept())]).toEqual([
      { stage: 'toy_printing', at: now, dispatched: 0, stale: 0 },
      { stage: 'toy_typesetting', at: now, dispatched: 0, stale: 0 },
    ]);
  });

  it('is refused for a stage that does not exist', async () => {
    const system = await shop.join({ works: false });
    await expect(system.tickNow('toy_nothing')).rejects.toMatchObject({ code: 'UNKNOWN_STAGE' });
    expect(await kept()).toHaveLength(0);
  });
});
