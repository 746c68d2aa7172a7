import { expect, it } from 'vitest';
import { tickQueue } from '../../src/runtime/jobs.ts';
import { listen, openShop } from '../support/shop.ts';
import { toyStages } from '../support/toy.ts';
import { until } from '../support/wait.ts';

it('the tick of a process that died is run by another when its heartbeat has lapsed', async () => {
  const shop = await openShop();
  try {
    const [stage] = toyStages();
    if (!stage) throw new Error('A stage is needed.');
    const sender = await shop.join({ works: false });
    await sender.store.jobs.sendOnce(tickQueue(stage), stage.name, stage.frequencySeconds);
    const { boss } = sender.store.jobs;
    expect(await boss.fetch(tickQueue(stage))).toHaveLength(1);
    await shop.database.sql`
      update pgboss.job set heartbeat_on = heartbeat_on - interval '31 seconds' where name = ${tickQueue(stage)}`;
    await boss.supervise(tickQueue(stage));
    const { heard, observer } = listen();
    await shop.join({ observer });
    await until('it was run', () => heard.ticks.some((tick) => tick.stage === stage.name));
  } finally {
    await shop.close();
  }
});
