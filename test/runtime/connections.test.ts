import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../src/db/connection.ts';
import { openSession } from '../../src/runtime/session.ts';
import type { OutcomeTransaction, Work } from '../../src/runtime/stage.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { documentActor, toyStages } from '../support/toy.ts';
import { gate, until } from '../support/wait.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

describe('a system whose connections break', () => {
  it('again and again during work ends everything, and everything once', async () => {
    const ears = [listen(), listen()];
    const perform = {
      async printing(work: Work) {
        await work.submitting();
        return {
          kind: 'succeeded',
          async write({ sql }: OutcomeTransaction) {
            await sql`insert into toy_prints (document_id) values (${work.id})`;
          },
        } as const;
      },
    };
    const stages = toyStages(perform, { maxAttempts: 10 });
    const [system] = await Promise.all(ears.map(({ observer }) => shop.join({ observer, stages })));
    if (!system) throw new Error('Two processes were to be started.');
    const ids = await shop.receive(system, 'o1', 150);
    const allDone = async () => (await shop.pagesPrinted()) >= 300;
    let broken = 0;
    for (let times = 0; times < 5 && !(await allDone()); times += 1) {
      await delay(40 + 60 * Math.random());
      broken += await shop.breakConnections();
    }
    expect(broken).toBeGreaterThan(20);
    await until('everything has ended', allDone, 25_000);
    const prints = await shop.database.sql<{ document_id: string }[]>`
      select document_id from toy_prints order by document_id`;
    expect(prints.map(({ document_id }) => document_id)).toEqual(ids);
    expect(await shop.pagesPrinted()).toBe(300);
    await until('no job is left', async () => {
      return (
        (await shop.count(
          'pgboss.job',
          "name like 'toy%worker' and state in ('created', 'retry', 'active')",
        )) === 0
      );
    });
  });

  it('hands on a job soon that it took and could neither claim nor hand back', async () => {
    const { heard, observer } = listen();
    // One worker for each stage: what it complains of is about this job.
    const system = await shop.join({ observer, stages: toyStages({}, { concurrency: 1 }) });
    const admin = connect(new URL('/postgres', shop.url).href, { max: 1 });
    const name = admin.sql(new URL(shop.url).pathname.slice(1));
    const unclaimed = gate();
    const claims = shop.database.sql.begin(async (sql) => {
      await sql`lock table actor_claims in exclusive mode`;
      await shop.receive(system, 'o1', 1);
      await until('a worker is about to claim a job', async () => {
        const waiting = "datname = current_database() and wait_event_type = 'Lock'";
        return (
          (await shop.count('pg_stat_activity', `${waiting} and query like '%into actor_claims%'`)) === 1
        );
      });
      await admin.sql`alter database ${name} allow_connections false`;
      await shop.breakConnections();
      await unclaimed.opened;
    });
    await until('the job could not be handed back', () =>
      heard.troubled.some(
        (trouble) => trouble.startsWith('jobs:') && trouble.includes('toy_typesetting_worker'),
      ),
    );
    await admin.sql`alter database ${name} allow_connections true`;
    await admin.close();
    unclaimed.open();
    await claims;
    await until('the document is printed', async () => (await shop.pagesPrinted()) === 2);
    expect(heard.recovered).toBe(1);
  });

  it('is alive again for the others soon', async () => {
    const system = await shop.join({ works: false });
    const lockHolders = async () => {
      const rows = await shop.database.sql<{ number: number }[]>`
        select number from actor_processes p join pg_locks l
        on l.locktype = 'advisory' and l.objid = p.number and l.objsubid = 2
        where l.database = (select oid from pg_database where datname = current_database())`;
      return rows.map(({ number }) => number);
    };
    const [before] = await lockHolders();
    expect(before).toBeDefined();
    await shop.breakConnections();
    await until('it has registered again', async () => {
      const [now] = await lockHolders();
      return now !== undefined && now !== before;
    });
    await until('its old entry is gone', async () => (await shop.count('actor_processes')) === 1);
    await shop.receive(system, 'o1', 1);
  });
});

describe('a process that goes without a word', () => {
  it.each(['the pool', 'a session'])(
    'is noticed by the server within a minute, which asks after %s',
    async (kind) => {
      const session = kind === 'a session' ? await openSession(shop.database, 'test') : null;
      const [row] = await (session ?? shop.database).sql`
      select current_setting('tcp_keepalives_idle')::int + current_setting('tcp_keepalives_interval')::int *
        current_setting('tcp_keepalives_count')::int as seconds, inet_server_addr() is not null as over_tcp`;
      await session?.close();
      expect(row).toEqual({ seconds: 60, over_tcp: true });
    },
  );
});

describe('a transaction whose connection breaks', () => {
  it('stores nothing, disturbs no other transaction, and can be tried again', async () => {
    const system = await shop.join({ works: false });
    const ids = await shop.receive(system, 'o1', 2, null);
    const [victim = '', bystander = ''] = ids;
    const due = { type: 'typesetting.due', at: new Date(), dueAt: new Date() } as const;
    const statementsAfterwards: unknown[] = [];
    const broken = system.transact(async (tx) => {
      await tx.send(documentActor, [{ id: victim, event: due }]);
      const [{ pid } = { pid: 0 }] = await tx.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
      await shop.database.sql`select pg_terminate_backend(${pid})`;
      // The work is elsewhere while the connection breaks, and others begin transactions meanwhile.
      const others = Array.from({ length: 8 }, (_, n) =>
        system.transact(async (other) => {
          await other.sql`insert into toy_prints (document_id) values (${`other ${n}`})`;
          await delay(150);
          if (n % 2 === 1) throw new Error('rolls back');
        }),
      );
      await delay(75);
      for (const note of ['one', 'two']) {
        await tx.sql`insert into toy_prints (document_id) values (${note})`.catch((error: unknown) => {
          statementsAfterwards.push(error);
        });
      }
      await Promise.allSettled(others);
    });
    await expect(broken).rejects.toThrow();
    expect(statementsAfterwards).toHaveLength(2);
    const prints = await shop.database.sql<
      { document_id: string }[]
    >`select document_id from toy_prints order by 1`;
    expect(prints.map(({ document_id }) => document_id)).toEqual([
      'other 0',
      'other 2',
      'other 4',
      'other 6',
    ]);
    expect((await shop.document(victim)).typesetting_status).toBe('PENDING');
    for (const id of [victim, bystander]) {
      expect(await system.send(documentActor, id, due)).toMatchObject({ accepted: true });
    }
  });
});

describe('a session', () => {
  it('is never replaced: what is sent after it broke fails', async () => {
    let lost = 0;
    const session = await openSession(shop.database, 'session test', () => {
      lost += 1;
    });
    const asleep = session.sql`select pg_sleep(30)`.catch((error: unknown) => error);
    const queued = session.sql`select ${'x'.repeat(5_000)}::text`.catch((error: unknown) => error);
    await until('it sleeps', async () => {
      return (
        (await shop.count(
          'pg_stat_activity',
          "query like 'select pg_sleep(30)%' and wait_event = 'PgSleep'",
        )) === 1
      );
    });
    await shop.breakConnections();
    for (const result of [asleep, queued]) expect(await result).toBeInstanceOf(Error);
    expect(session.lost).toBe(true);
    expect(lost).toBe(1);
    await expect(session.sql`select 1`).rejects.toThrow();
    await session.close();
    expect(await shop.count('pg_stat_activity', "application_name = 'session test'")).toBe(0);
  });

  it('that cannot be opened says why', async () => {
    const nowhere = connect('postgres://nobody@127.0.0.1:1/nothing');
    await expect(openSession(nowhere, 'session test')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
