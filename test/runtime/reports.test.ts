import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { until } from '../support/wait.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const reports = async () => {
  const rows = await shop.database.sql<{ report: unknown; reported_at: Date | null }[]>`
    select report, reported_at from actor_processes order by number`;
  return rows.map(({ report, reported_at }) => ({ report, at: reported_at?.getTime() ?? 0 }));
};

describe('what a process says of itself', () => {
  it('is there when it has started, is renewed by itself and when it is asked for, and goes with it', async () => {
    let times = 0;
    const system = await shop.join({ works: false, report: () => ({ times: ++times, circuits: ['bank'] }) });
    const [first] = await reports();
    expect(first?.report).toEqual({ times: 1, circuits: ['bank'] });
    await system.reportNow();
    const [second] = await reports();
    expect(second?.report).toMatchObject({ times: 2 });
    await until('it has reported by itself', async () => ((await reports())[0]?.at ?? 0) > (second?.at ?? 0));
    expect((await reports())[0]?.report).toMatchObject({ times: 3 });
    await system.stop();
    expect(await reports()).toEqual([]);
  });

  it('stays when its connections broke and it has registered again', async () => {
    await shop.join({ works: false, report: () => ({ alive: true }) });
    const before = await reports();
    await shop.breakConnections();
    const first = 'number = (select min(number) from actor_processes where number > 1)';
    await until('it has registered again', async () => (await shop.count('actor_processes', first)) === 1);
    // For a moment it may be in the list twice.
    await until('its report is there again', async () => isDeepStrictEqual(await reports(), before));
  });

  it('that cannot be said stops nothing', async () => {
    const { heard, observer } = listen();
    const report = () => {
      throw new Error('Nothing to say.');
    };
    const system = await shop.join({ works: false, observer, report });
    expect(heard.troubled).toEqual(['reports: Nothing to say.']);
    await expect(system.reportNow()).rejects.toThrow('Nothing to say.');
    expect(await reports()).toEqual([{ report: null, at: 0 }]);
  });
});
