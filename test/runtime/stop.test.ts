import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Work } from '../../src/runtime/stage.ts';
import { startToyProcess } from '../support/child.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { gate, until } from '../support/wait.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const succeeded = { kind: 'succeeded' } as const;
const activeJobs = () => shop.count('pgboss.job', "state = 'active'");

describe('a process that stops', () => {
  it('finishes what is under way, takes no more, and leaves no job behind as active', async () => {
    const mayEnd = gate();
    const started: string[] = [];
    const printing = async (work: Work) => {
      started.push(work.id);
      await mayEnd.opened;
      return succeeded;
    };
    const system = await shop.join({}, { printing });
    await shop.receive(system, 'o1', 6);
    await until('two are being printed', () => started.length === 2);
    const stopped = system.stop(20_000);
    mayEnd.open();
    await stopped;
    expect(started).toHaveLength(2);
    expect(await shop.count('toy_documents', "printing_status = 'PROCESSED'")).toBe(2);
    expect(await activeJobs()).toBe(0);
    expect(await shop.count('actor_claims')).toBe(0);
    expect(await shop.count('actor_processes')).toBe(0);
    await shop.join();
    await until('another has done the rest', async () => (await shop.pagesPrinted()) === 12);
  });

  it('hands back what is not done in time, and another process gets it at once', async () => {
    const mayEnd = gate();
    const signals: AbortSignal[] = [];
    const { heard, observer } = listen();
    const printing = async (work: Work) => {
      signals.push(work.signal);
      await mayEnd.opened;
      return succeeded;
    };
    const slow = await shop.join({ observer }, { printing });
    const [id = ''] = await shop.receive(slow, 'o1', 1);
    await until('it is being printed', () => signals.length === 1);
    const jobs: string[] = [];
    await shop.join(
      {},
      {
        async printing(work) {
          jobs.push(work.job);
          return succeeded;
        },
      },
    );
    const began = Date.now();
    await slow.stop(100);
    expect(Date.now() - began).toBeLessThan(2_000);
    expect(signals[0]?.aborted).toBe(true);
    const handedBack = Date.now();
    await until('another has done it', async () => (await shop.pagesPrinted()) === 2);
    // Workers look by themselves every two seconds.
    expect(Date.now() - handedBack).toBeLessThan(1_000);
    const [dispatch] = (await shop.journal(id)).filter(
      ({ region, event }) => region === 'printing' && event === 'dispatch',
    );
    expect(jobs).toEqual([dispatch?.job_id]);
    mayEnd.open();
    await until('the slow one gives up', () => heard.ended.length === 2 || heard.troubled.length > 0);
    expect(await shop.pagesPrinted()).toBe(2);
    expect(await shop.document(id)).toMatchObject({ printing_status: 'PROCESSED', printing_attempts: 1 });
    expect(await activeJobs()).toBe(0);
  });

  it('when it is told to by SIGTERM, ends by itself within its bound', async () => {
    const child = startToyProcess(shop.url, 'hang');
    await child.said('ready');
    const sender = await shop.join({ works: false });
    await shop.receive(sender, 'o1', 2);
    await child.said('performing');
    const began = Date.now();
    expect(await child.stop()).toBe(0);
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(await activeJobs()).toBe(0);
    await shop.join();
    await until('another has done it', async () => (await shop.pagesPrinted()) === 4);
  });

  it('takes no further units of work', async () => {
    const system = await shop.join({ works: false });
    await system.stop();
    await expect(system.transact(async () => {})).rejects.toMatchObject({ code: 'STOPPED' });
  });
});
