import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sql } from '../../src/db/connection.ts';
import type { OutcomeTransaction, Work } from '../../src/runtime/stage.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import type { ActorTransaction } from '../../src/runtime/transaction.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { documentActor, orderActor } from '../support/toy.ts';
import { until } from '../support/wait.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

/** From now on the database refuses, at the commit, transactions that have stored a print of this document. */
async function refuseAtCommit(documentId: string): Promise<void> {
  await shop.database.sql.unsafe(`
    create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'The printer is on fire.' using errcode = 'P0001'; end $$;
    create constraint trigger refuse after insert on toy_prints deferrable initially deferred
      for each row when (new.document_id = '${documentId}') execute function refuse();`);
}

const printedEvent = { type: 'printed', pages: 2 };

/** Collects the statements that a transaction still sends. */
function statementsOf(tx: ActorTransaction): string[] {
  const statements: string[] = [];
  const { options } = tx.sql as unknown as Sql;
  options.debug = (_, text) => {
    statements.push(text.trim().replace(/\s+/g, ' '));
    if (text === 'commit') options.debug = () => {};
  };
  return statements;
}

async function insertDocument(system: ActorSystem, id: string): Promise<void> {
  await system.transact(async (tx) => {
    await tx.sql`insert into toy_documents (id, order_id, pages) values (${id}, 'o1', 1)`;
    await tx.send(documentActor, [{ id, event: { type: 'received', at: tx.now } }]);
    tx.tell({ machine: 'order', id: 'o1' }, printedEvent);
    await tx.sql`insert into toy_prints (document_id) values (${id})`;
  });
}

const everything = async () => ({
  documents: await shop.count('toy_documents'),
  prints: await shop.count('toy_prints'),
  transitions: await shop.count('actor_transitions'),
  messages: await shop.count('actor_messages'),
  jobs: await shop.count('pgboss.job', "name like 'toy%'"),
});

describe('a unit of work', () => {
  it('stores rows, journal, jobs and messages together', async () => {
    const system = await shop.join({ works: false });
    await shop.receive(system, 'o1', 0);
    await shop.database.sql.begin(async (sql) => {
      // The message stays where it is while the order's row is held.
      await sql`select from toy_orders for update`;
      await insertDocument(system, 'd1');
      // Entries: received, enable, dispatch.
      expect(await everything()).toEqual({ documents: 1, prints: 1, transitions: 3, messages: 1, jobs: 1 });
    });
  });

  it('stores nothing at all when its work throws', async () => {
    const system = await shop.join({ works: false });
    const attempt = system.transact(async (tx) => {
      await tx.sql`insert into toy_documents (id, order_id, pages) values ('d1', 'o1', 1)`;
      await tx.send(documentActor, [{ id: 'd1', event: { type: 'received', at: tx.now } }]);
      throw new Error('The ink is dry.');
    });
    await expect(attempt).rejects.toThrow('The ink is dry.');
    expect(await everything()).toEqual({ documents: 0, prints: 0, transitions: 0, messages: 0, jobs: 0 });
  });

  it('stores nothing at all when its commit fails', async () => {
    const system = await shop.join({ works: false });
    await refuseAtCommit('d1');
    await expect(insertDocument(system, 'd1')).rejects.toThrow('The printer is on fire.');
    expect(await everything()).toEqual({ documents: 0, prints: 0, transitions: 0, messages: 0, jobs: 0 });
  });

  it('does not pass for stored when a failed statement was ignored', async () => {
    const system = await shop.join({ works: false });
    const attempt = system.transact(async (tx) => {
      await tx.sql`insert into toy_prints (document_id) values ('d1')`;
      await tx.sql`select 1 / 0`.catch(() => {});
    });
    await expect(attempt).rejects.toMatchObject({ code: expect.stringMatching(/25P02|NOT_COMMITTED/) });
    expect(await shop.count('toy_prints')).toBe(0);
  });

  it('runs again from the start when PostgreSQL asks for it', async () => {
    const system = await shop.join({ works: false });
    let runs = 0;
    await system.transact(async (tx) => {
      runs += 1;
      await tx.sql`insert into toy_prints (document_id) values ('d1')`;
      if (runs < 3) {
        await tx.sql.unsafe(`do $$ begin raise exception 'again' using errcode = '40001'; end $$`);
      }
    });
    expect(runs).toBe(3);
    expect(await shop.count('toy_prints')).toBe(1);
  });

  it('takes the same number of statements for fifty actors as for one', async () => {
    const system = await shop.join({ works: false });
    const statementsFor = async (orderId: string, documents: number): Promise<string[]> => {
      const ids = await shop.receive(system, orderId, documents, null);
      return system.transact(async (tx) => {
        const statements = statementsOf(tx);
        await tx.send(
          documentActor,
          ids.map((id) => ({ id, event: { type: 'typesetting.due', at: tx.now, dueAt: tx.now } })),
        );
        return statements;
      });
    };
    const forOne = await statementsFor('one', 1);
    const forFifty = await statementsFor('fifty', 50);
    expect(forFifty).toEqual(forOne);
    expect(forFifty.filter((text) => text.startsWith('update "toy_documents"'))).toHaveLength(1);
    expect(forFifty.filter((text) => /insert into "actor_transitions"/.test(text))).toHaveLength(1);
    expect(forFifty.filter((text) => /insert into pgboss/i.test(text))).toHaveLength(1);
    expect(await shop.count('toy_documents', "typesetting_status = 'PROCESSING'")).toBe(51);
  });

  it('updates each table of an actor once, and only those that changed', async () => {
    const system = await shop.join({ works: false });
    for (const id of ['o1', 'o2']) await shop.receive(system, id, 0);
    const statements = await system.transact(async (tx) => {
      const sent = statementsOf(tx);
      const printed = { type: 'printed', pages: 7, at: tx.now } as const;
      const recall = { type: 'recall', at: tx.now } as const;
      await tx.send(orderActor, [
        { id: 'o1', event: printed },
        { id: 'o1', event: printed },
        { id: 'o2', event: printed },
      ]);
      expect(tx.peek(orderActor, 'o1')?.context.facts.pages_printed).toBe(14);
      await tx.send(orderActor, [{ id: 'o2', event: recall }]);
      return sent;
    });
    const updates = statements.flatMap((text) => /^update "(\w+)"/.exec(text)?.[1] ?? []);
    expect(updates).toEqual(['toy_orders', 'toy_order_totals']);
    expect(await shop.pagesPrinted()).toBe(21);
    expect(await shop.count('toy_orders', "delivery_status = 'RECALLED'")).toBe(1);
  });

  it('changes nothing and journals nothing for an event that nothing reacts to', async () => {
    const system = await shop.join({ works: false });
    const [id = ''] = await shop.receive(system, 'o1', 1);
    const version = async () => {
      const [row] = await shop.database.sql`select xmin::text, * from toy_documents`;
      return row;
    };
    const before = { row: await version(), journal: await shop.journal() };
    const result = await system.send(documentActor, id, { type: 'printing.retry', at: new Date() });
    expect(result).toMatchObject({ accepted: false, problem: null });
    expect({ row: await version(), journal: await shop.journal() }).toEqual(before);
  });

  it('refuses a message to a machine that does not exist', async () => {
    const system = await shop.join({ works: false });
    const attempt = system.transact(async (tx) => tx.tell({ machine: 'ordr', id: 'o1' }, printedEvent));
    await expect(attempt).rejects.toMatchObject({ code: 'UNKNOWN_MACHINE' });
  });
});

describe('a result', () => {
  const printAnd = (write: (tx: OutcomeTransaction, work: Work) => Promise<void>) => ({
    printing: async (work: Work) =>
      ({
        kind: 'succeeded',
        async write(tx: OutcomeTransaction) {
          await tx.sql`insert into toy_prints (document_id) values (${work.id})`;
          await write(tx, work);
        },
      }) as const,
  });
  const printed = async (id: string) => {
    const row = await shop.document(id);
    return {
      status: row.printing_status,
      attempts: row.printing_attempts,
      code: row.printing_latest_error_code,
    };
  };

  it('is stored with what it writes and with the end of its job', async () => {
    const system = await shop.join(
      {},
      printAnd(async () => {}),
    );
    const [id = ''] = await shop.receive(system, 'o1', 1);
    await until('it is counted', async () => (await shop.pagesPrinted()) === 2);
    expect(await printed(id)).toEqual({ status: 'PROCESSED', attempts: 1, code: null });
    expect(await shop.count('toy_prints')).toBe(1);
    expect(await shop.count('pgboss.job', "name like 'toy%' and state <> 'completed'")).toBe(0);
  });

  it('that cannot be written counts as a failed attempt, and leaves nothing behind', async () => {
    const { heard, observer } = listen();
    const noInk = Object.assign(new Error('There is no ink.'), { code: 'NO_INK' });
    const write = async (tx: OutcomeTransaction, work: Work) => {
      tx.tell({ machine: 'order', id: 'o1' }, printedEvent);
      if (work.attempt < 2) throw noInk;
    };
    const system = await shop.join({ observer }, printAnd(write));
    const [id = ''] = await shop.receive(system, 'o1', 1);
    await until('it is printed', async () => (await printed(id)).status === 'PROCESSED');
    expect(await shop.count('toy_prints')).toBe(1);
    const results = (await shop.journal(id)).filter(({ job_id, region, event }) => {
      return region === 'printing' && job_id !== null && event !== 'dispatch';
    });
    expect(results.map(({ event, error_code }) => [event, error_code])).toEqual([
      ['failed', 'NO_INK'],
      ['failed', 'NO_INK'],
      ['succeeded', null],
    ]);
    expect(heard.troubled).toContain('toy_printing record: There is no ink.');
  });

  it('that fails at the commit counts as a failed attempt, and does not spoil the others', async () => {
    const system = await shop.join(
      {},
      printAnd(async () => {}),
    );
    await refuseAtCommit('o1-0003');
    await shop.receive(system, 'o1', 10);
    await until('the bad one has failed', async () => (await printed('o1-0003')).status === 'ERROR');
    await until('the others are counted', async () => (await shop.pagesPrinted()) === 18);
    expect(await printed('o1-0003')).toEqual({ status: 'ERROR', attempts: 3, code: 'P0001' });
    expect(await shop.count('toy_prints')).toBe(9);
    expect((await shop.journal('o1-0003')).filter(({ event }) => event === 'succeeded')).toHaveLength(1);
    expect(await shop.count('pgboss.job', "name like 'toy%' and state <> 'completed'")).toBe(0);
  });
});
