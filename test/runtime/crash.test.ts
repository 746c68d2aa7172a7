import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OutcomeTransaction, Submission, Work } from '../../src/runtime/stage.ts';
import { type Child, startToyProcess } from '../support/child.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { until } from '../support/wait.ts';

/** A dead process is noticed by its lock; waiting for its heartbeat would take half a minute. */
const HANDED_ON_WITHIN_MS = 8_000;

let shop: Shop;
let children: Child[];
beforeEach(async () => {
  shop = await openShop();
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill()));
  await shop.close();
});

async function start(behaviour: string): Promise<Child> {
  const child = startToyProcess(shop.url, behaviour);
  children.push(child);
  await child.said('ready');
  return child;
}

const printing = async (work: Work) =>
  ({
    kind: 'succeeded',
    async write({ sql }: OutcomeTransaction) {
      await sql`insert into toy_prints (document_id, note) values (${work.id}, 'a living one')`;
    },
  }) as const;

/** Everything that was received has been done once, and nothing is left over. */
async function expectAllDoneOnce(ids: readonly string[]): Promise<void> {
  await until('all pages are counted', async () => (await shop.pagesPrinted()) === 2 * ids.length);
  const prints = await shop.database.sql<
    { document_id: string }[]
  >`select document_id from toy_prints order by 1`;
  expect(prints.map(({ document_id }) => document_id)).toEqual(ids);
  expect(await shop.count('toy_documents', "printing_status = 'PROCESSED' and printing_attempts = 1")).toBe(
    ids.length,
  );
  const done = (await shop.journal()).filter(
    ({ region, event }) => region === 'printing' && event === 'succeeded',
  );
  expect(done.map(({ actor_id }) => actor_id).toSorted()).toEqual(ids);
  expect(await shop.count('actor_messages')).toBe(0);
}

describe('a process that is killed', () => {
  it('while it performs: another performs its work within seconds', async () => {
    const victim = await start('hang');
    const sender = await shop.join({ works: false });
    const ids = await shop.receive(sender, 'o1', 4);
    await victim.said('performing');
    const { heard, observer } = listen();
    await shop.join({ observer }, { printing });
    const killedAt = Date.now();
    await victim.kill();
    await expectAllDoneOnce(ids);
    expect(Date.now() - killedAt).toBeLessThan(HANDED_ON_WITHIN_MS);
    await until('no claim is left', async () => (await shop.count('actor_claims')) === 0);
    expect(heard.troubled).toEqual([]);
  });

  it('while it records: nothing of its record stays, and another does it again', async () => {
    const victim = await start('die-while-recording');
    const sender = await shop.join({ works: false });
    const ids = await shop.receive(sender, 'o1', 3);
    expect(await victim.ended()).toBe('SIGKILL');
    expect(await shop.count('toy_prints')).toBe(0);
    await shop.join({}, { printing });
    await expectAllDoneOnce(ids);
  });

  it('and started again goes on with what it left', async () => {
    const sender = await shop.join({ works: false });
    const first = await start('hang');
    const ids = await shop.receive(sender, 'o1', 5);
    await first.said('performing');
    await first.kill();
    await start('print');
    await expectAllDoneOnce(ids);
  });

  it('after it announced a submission: the next worker is told that it may have been sent', async () => {
    const victim = await start('submit');
    const sender = await shop.join({ works: false });
    const [id = ''] = await shop.receive(sender, 'o1', 1);
    await victim.said(`submitted ${id}`);
    expect((await shop.document(id)).printing_submitted_at).not.toBeNull();
    const seen: Submission[] = [];
    await shop.join(
      {},
      {
        async printing(work) {
          seen.push(await work.submitting());
          return printing(work);
        },
      },
    );
    await victim.kill();
    await expectAllDoneOnce([id]);
    expect(seen).toEqual([{ number: 1, maybeSent: true }]);
  });

  it('between a commit and the delivery of its message: another delivers it', async () => {
    const other = await shop.join({}, { printing });
    await shop.receive(other, 'o1', 0);
    const victim = startToyProcess(shop.url, 'die-after-commit');
    expect(await victim.ended()).toBe('SIGKILL');
    await until('its message and its work are done', async () => (await shop.pagesPrinted()) === 3 + 3);
    expect(await shop.count('actor_messages')).toBe(0);
  });
});
