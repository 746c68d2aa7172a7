import { describe, expect, it } from 'vitest';
import type { OutcomeTransaction, Submission, Work } from '../../src/runtime/stage.ts';
import { type Child, startToyProcess } from '../support/child.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { until } from '../support/wait.ts';

/** A dead process is noticed by its lock; waiting for its heartbeat would take half a minute. */
const HANDED_ON_WITHIN_MS = 8_000;

/** Runs a test in a shop of its own, in which it can start processes. */
async function inShop(test: (shop: Shop, start: (behaviour: string) => Promise<Child>) => Promise<void>) {
  const shop = await openShop();
  const children: Child[] = [];
  try {
    await test(shop, async (behaviour) => {
      const child = startToyProcess(shop.url, behaviour);
      children.push(child);
      await child.said('ready');
      return child;
    });
  } finally {
    await Promise.all(children.map((child) => child.kill()));
    await shop.close();
  }
}

const printing = async (work: Work) =>
  ({
    kind: 'succeeded',
    async write({ sql }: OutcomeTransaction) {
      await sql`insert into toy_prints (document_id, note) values (${work.id}, 'a living one')`;
    },
  }) as const;

describe('a process that is killed', () => {
  it('while it performs: another performs its work within seconds', () =>
    inShop(async (shop, start) => {
      const victim = await start('hang');
      const sender = await shop.join({ works: false });
      const ids = await shop.receive(sender, 'o1', 4);
      await victim.said('performing');
      await sender.stop();
      const { heard, observer } = listen();
      await shop.join({ observer }, { printing });
      const killedAt = Date.now();
      await victim.kill();
      await allDoneOnce(shop, ids);
      expect(Date.now() - killedAt).toBeLessThan(HANDED_ON_WITHIN_MS);
      await until('no claim is left', async () => (await shop.count('actor_claims')) === 0);
      expect(heard.recovered).toBeGreaterThan(0);
      expect(heard.troubled).toEqual([]);
    }));

  it('while it records: nothing of its record stays, and another does it again', () =>
    inShop(async (shop) => {
      const victim = startToyProcess(shop.url, 'die-while-recording');
      const sender = await shop.join({ works: false });
      const ids = await shop.receive(sender, 'o1', 3);
      expect(await victim.ended()).toBe('SIGKILL');
      expect(await shop.count('toy_prints')).toBe(0);
      await shop.join({}, { printing });
      await allDoneOnce(shop, ids);
    }));

  it('and started again goes on with what it left', () =>
    inShop(async (shop, start) => {
      const sender = await shop.join({ works: false });
      const first = await start('hang');
      const ids = await shop.receive(sender, 'o1', 5);
      await first.said('performing');
      await first.kill();
      await start('print');
      await allDoneOnce(shop, ids);
    }));

  it('between fetching work and saying that it has it: another performs it within seconds', () =>
    inShop(async (shop) => {
      const sender = await shop.join({ works: false });
      const ids = await shop.receive(sender, 'o1', 2);
      await sender.store.jobs.boss.fetch('toy_typesetting_worker', { batchSize: 2 });
      await shop.database.sql`
        insert into actor_processes (role, host, pid, started_at) values ('worker', 'gone', 1, now())`;
      await shop.join({}, { printing });
      await allDoneOnce(shop, ids, HANDED_ON_WITHIN_MS);
    }));

  it('after it announced a submission: the next worker is told that it may have been sent', () =>
    inShop(async (shop, start) => {
      const victim = await start('submit');
      const sender = await shop.join({ works: false });
      const [id = ''] = await shop.receive(sender, 'o1', 1);
      await victim.said(`submitted ${id}`);
      expect((await shop.document(id)).printing_submitted_at).not.toBeNull();
      const seen: Submission[] = [];
      const asking = async (work: Work) => {
        seen.push(await work.submitting());
        return printing(work);
      };
      await shop.join({}, { printing: asking });
      await victim.kill();
      await allDoneOnce(shop, [id]);
      expect(seen).toEqual([{ number: 1, maybeSent: true }]);
    }));

  it('between a commit and the delivery of its message: another delivers it', () =>
    inShop(async (shop) => {
      const other = await shop.join({}, { printing });
      await shop.receive(other, 'o1', 0);
      const victim = startToyProcess(shop.url, 'die-after-commit');
      expect(await victim.ended()).toBe('SIGKILL');
      await until('its message and its work are done', async () => (await shop.pagesPrinted()) === 3 + 3);
      expect(await shop.count('actor_messages')).toBe(0);
    }));

  /** Waits until everything has been done, and throws unless each piece was done once and nothing is left over. */
  async function allDoneOnce(shop: Shop, ids: readonly string[], withinMs = 20_000): Promise<void> {
    await until(
      'all pages are counted',
      async () => (await shop.pagesPrinted()) === 2 * ids.length,
      withinMs,
    );
    const prints = await shop.database.sql<{ document_id: string }[]>`
      select document_id from toy_prints order by 1`;
    const entries = await shop.journal();
    const done = entries.filter(({ region, event }) => region === 'printing' && event === 'succeeded');
    const found = {
      prints: prints.map(({ document_id }) => document_id),
      results: done.map(({ actor_id }) => actor_id).toSorted(),
      attempts: await shop.count('toy_documents', "printing_status = 'PROCESSED' and printing_attempts = 1"),
      messages: await shop.count('actor_messages'),
    };
    const wanted = { prints: ids, results: ids, attempts: ids.length, messages: 0 };
    if (JSON.stringify(found) !== JSON.stringify(wanted)) {
      throw new Error(`Not everything was done once: ${JSON.stringify({ found, wanted })}`);
    }
  }
});
