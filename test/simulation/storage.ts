import type { Queryable } from '../../src/db/connection.ts';
import type { Actor } from '../../src/runtime/actor.ts';
import type { Row } from '../../src/runtime/codec.ts';
import type { Session } from '../../src/runtime/session.ts';
import type { Search, Storage } from '../../src/runtime/storage.ts';
import { type Client, inTransaction, type SimulatedSession } from './client.ts';
import { type Tables, tablesOf } from './rows.ts';
import { locking } from './tables.ts';
import { atOnce, type Statement, type Transaction } from './transaction.ts';

/** The connection that the runtime passes around as `sql`. */
export const sessionOf = (sql: Queryable): SimulatedSession => sql as unknown as SimulatedSession;

const text = (value: unknown) => String(value);
const byText = (a: string, b: string) => (a < b ? -1 : Number(a > b));
/** First number, then text: like `order by` of a time and then of something unique. */
const times = (value: unknown) => (value instanceof Date ? value.getTime() : Number.POSITIVE_INFINITY);

/** The runtime's storage in memory, one for each process: what PostgreSQL does, as far as it matters, see {@link Table}. */
export function simulatedStorage(client: Client): Storage {
  const { server, process, world } = client;
  const tables = tablesOf(server);
  const ask = <T>(sql: Queryable, name: string, work: (tx: Transaction) => Statement<T>): Promise<T> =>
    sessionOf(sql).request(name, work);
  return {
    openSession: (_name, onLost) => client.open(onLost),
    inTransaction: (session: Session, work) =>
      inTransaction(session as SimulatedSession, (open) => work(open as never)),
    async listen(channel, heard, listening) {
      const session = await client.open();
      await session.close();
      const listener = { process, channel, heard, deafUntil: 0, listening };
      server.listeners.add(listener);
      process.onDeath.push(() => server.listeners.delete(listener));
      listening?.();
      return {
        unlisten: async () => {
          server.listeners.delete(listener);
        },
      };
    },
    now: (sql) =>
      ask(
        sql,
        'now',
        atOnce(() => {
          return new Date(world.now);
        }),
      ),
    ...rowsOf(tables, client, ask),
    ...mailOf(tables, client, ask),
    ...pausingOf(tables, client, ask),
    ...membersOf(tables, client, ask),
    ...claimsOf(tables, ask),
  };
}

type Ask = <T>(sql: Queryable, name: string, work: (tx: Transaction) => Statement<T>) => Promise<T>;

function rowsOf(tables: Tables, { server }: Client, ask: Ask) {
  const idOf = (actor: Actor, row: Row) => text(row[actor.tables[0].id]);
  return {
    async lockRows(tx, actor, ids) {
      const wanted = new Set(ids);
      const table = tables.actors(actor.name);
      await ask(tx, 'lockRows', (t) =>
        table.update(t, (row) => wanted.has(idOf(actor, row)), locking, {
          order: (a, b) => byText(idOf(actor, a), idOf(actor, b)),
        }),
      );
      return ask(
        tx,
        'readRows',
        atOnce((t) => {
          return table.select(t, (row) => wanted.has(idOf(actor, row)));
        }),
      );
    },
    async updateRows(tx, actor, changes) {
      const next = new Map(changes.map((change) => [change.id, change.next]));
      await ask(tx, 'updateRows', (t) =>
        tables.actors(actor.name).update(
          t,
          (row) => next.has(idOf(actor, row)),
          (row) => ({ ...row, ...next.get(idOf(actor, row)) }),
        ),
      );
    },
    search: (tx, by: Search) =>
      ask(tx, 'search', function* (t) {
        const { actor } = by;
        const matches = (row: Row) =>
          by.states.includes(text(row[by.statusColumn])) && times(row[by.timeColumn]) <= by.until.getTime();
        const left = (row: Row) =>
          tables.parked.get(t, `${actor.name} ${idOf(actor, row)}`) === null &&
          !(
            by.unlessMailWaits &&
            tables.messages.select(t, (m) => m.machine === actor.name && m.actor_id === idOf(actor, row))
              .length > 0
          );
        const rows = yield* tables.actors(actor.name).update(t, (row) => matches(row) && left(row), locking, {
          skipLocked: true,
          order: (a, b) => times(a[by.timeColumn]) - times(b[by.timeColumn]),
          limit: by.limit,
        });
        return rows.map((row) => idOf(actor, row));
      }),
    park: (tx, machine, id, _reason, at) =>
      ask(tx, 'park', function* (t) {
        const key = `${machine} ${id}`;
        yield* tables.parked.insert(t, key, { machine, id, at });
      }),
    takeParked: (tx, machine, limit) =>
      ask(tx, 'takeParked', function* (t) {
        const taken = yield* tables.parked.update(
          t,
          (row) => row.machine === machine,
          () => null,
          { skipLocked: true, order: (a, b) => times(a.at) - times(b.at), limit },
        );
        return taken.map(({ id }) => id);
      }),
    async appendJournal(tx, entries) {
      if (entries.length === 0) return;
      await ask(tx, 'appendJournal', function* (t) {
        for (const entry of entries) {
          const seq = server.nextNumber();
          yield* tables.journal.insert(t, seq, { ...entry, seq });
        }
      });
    },
    async lockNames(tx, names) {
      if (names.length === 0) return;
      await ask(tx, 'lockNames', function* (t) {
        for (const name of [...new Set(names)].sort()) yield* t.lock(server.named(`name ${name}`));
      });
    },
    // Only shown to people.
    keepTick: async () => {},
  } satisfies Partial<Storage>;
}

/** Fields of events that hold a time: the database keeps events as JSON. */
const stored = <T>(event: T): T => JSON.parse(JSON.stringify(event));
const revived = (event: object, at: Date) => {
  const copy: Record<string, unknown> = { ...event, at };
  for (const name of ['dueAt', 'retryAt'])
    if (typeof copy[name] === 'string') copy[name] = new Date(copy[name]);
  return copy as unknown as { readonly type: string };
};

function mailOf(tables: Tables, { server }: Client, ask: Ask) {
  const { messages, parked } = tables;
  const isParked = (t: Transaction, machine: string, id: string | null) =>
    parked.get(t, `${machine} ${id}`) !== null;
  return {
    async insertMessages(tx, some) {
      if (some.length === 0) return;
      await ask(tx, 'insertMessages', function* (t) {
        for (const message of some) {
          const seq = server.nextNumber();
          yield* messages.insert(t, seq, { ...message, event: stored(message.event), seq });
        }
      });
    },
    machinesWithMail: (sql, machines, now) =>
      ask(
        sql,
        'machinesWithMail',
        atOnce((t) => {
          const found = messages
            .select(t, ({ deliver_at }) => deliver_at <= now)
            .map(({ machine }) => machine);
          return machines.filter((machine) => found.includes(machine));
        }),
      ),
    nextDelivery: (sql, machines) =>
      ask(
        sql,
        'nextDelivery',
        atOnce((t) => {
          const open = messages.select(
            t,
            ({ machine, actor_id }) => machines.includes(machine) && !isParked(t, machine, actor_id),
          );
          return open.length === 0
            ? null
            : new Date(Math.min(...open.map(({ deliver_at }) => deliver_at.getTime())));
        }),
      ),
    addressToChildren: (tx, actor, now) =>
      ask(tx, 'addressToChildren', function* (t) {
        const [main] = actor.tables;
        const taken = yield* messages.update(
          t,
          (m) => m.machine === actor.name && m.actor_id === null && m.deliver_at <= now,
          () => null,
          { order: (a, b) => a.seq - b.seq, limit: 50 },
        );
        for (const { parent_id, event, deliver_at } of taken) {
          const children = tables.actors(actor.name).select(t, (row) => row[actor.parent] === parent_id);
          for (const id of children.map((row) => text(row[main.id])).sort(byText)) {
            const seq = server.nextNumber();
            const message = { machine: actor.name, actor_id: id, parent_id: null, event, deliver_at };
            yield* messages.insert(t, seq, { ...message, seq });
          }
        }
      }),
    actorsWithMail: (sql, machine, now, limit) =>
      ask(
        sql,
        'actorsWithMail',
        atOnce((t) => {
          const due = messages
            .select(
              t,
              (m) =>
                m.machine === machine &&
                m.actor_id !== null &&
                m.deliver_at <= now &&
                !isParked(t, machine, m.actor_id),
            )
            .sort((a, b) => a.deliver_at.getTime() - b.deliver_at.getTime() || a.seq - b.seq);
          return [...new Set(due.map(({ actor_id }) => text(actor_id)))].slice(0, limit);
        }),
      ),
    takeMessages: (tx, machine, ids, now, limit) =>
      ask(tx, 'takeMessages', function* (t) {
        const taken = yield* messages.update(
          t,
          (m) => m.machine === machine && ids.includes(text(m.actor_id)) && m.deliver_at <= now,
          () => null,
          { order: (a, b) => a.seq - b.seq, limit },
        );
        return taken.map(({ seq, actor_id, event }) => ({
          seq: text(seq),
          actor_id: text(actor_id),
          event: revived(event, now),
        }));
      }),
  } satisfies Partial<Storage>;
}

function pausingOf({ pauses }: Tables, { server }: Client, ask: Ask) {
  const lock = (stage: string) => server.named(`pause ${stage}`);
  const among = (sql: Queryable, stages: readonly string[]) =>
    ask(
      sql,
      'pausedAmong',
      atOnce((t) => {
        return new Set(pauses.select(t, ({ stage }) => stages.includes(stage)).map(({ stage }) => stage));
      }),
    );
  return {
    readPauses: (sql) =>
      ask(
        sql,
        'readPauses',
        atOnce((t) => {
          return new Map(pauses.select(t).map((row) => [row.stage, row]));
        }),
      ),
    pausedAmong: among,
    async heldPauses(tx, stages) {
      await ask(tx, 'holdPauses', function* (t) {
        for (const stage of [...stages].sort()) yield* t.lock(lock(stage), true);
      });
      return among(tx, stages);
    },
    lockPause: (tx, stage, waitMs) =>
      ask(tx, 'lockPause', function* (t) {
        try {
          yield* t.lock(lock(stage), false, waitMs);
        } catch (error) {
          // It goes on without those who hang.
          if ((error as { code?: string }).code !== '55P03') throw error;
        }
      }),
    storePause: (tx, stage, since, { by, reason }) =>
      ask(tx, 'storePause', (t) => pauses.insert(t, stage, { stage, since, by, reason })),
    deletePause: (tx, stage) =>
      ask(tx, 'deletePause', function* (t) {
        const gone = yield* pauses.update(
          t,
          (row) => row.stage === stage,
          () => null,
        );
        return gone.length > 0;
      }),
    announcePause: (tx, stage) =>
      ask(
        tx,
        'announcePause',
        atOnce((t) => {
          t.notices.push({ channel: 'actor_pauses', payload: stage });
        }),
      ),
  } satisfies Partial<Storage>;
}

function membersOf({ processes, claims }: Tables, { server }: Client, ask: Ask) {
  const lives = (number: number) => [...server.connections].some(({ shows }) => shows.has(number));
  return {
    async register(session) {
      const own = session as SimulatedSession;
      own.begin();
      const number = await own.request('register', function* (t) {
        const next = server.nextNumber();
        yield* processes.insert(t, next, { number: next });
        return next;
      });
      await own.request(
        'showLife',
        atOnce(() => {
          own.connection.shows.add(number);
        }),
      );
      await own.commit();
      return number;
    },
    deadProcesses: (sql) =>
      ask(
        sql,
        'deadProcesses',
        atOnce((t) => {
          const known = new Set([
            ...processes.select(t).map(({ number }) => number),
            ...claims.select(t).flatMap(({ process }) => (process === null ? [] : [process])),
          ]);
          return [...known].filter((number) => !lives(number));
        }),
      ),
    removeProcesses: (sql, numbers) =>
      ask(sql, 'removeProcesses', function* (t) {
        const gone = yield* processes.update(
          t,
          ({ number }) => numbers.includes(number),
          () => null,
        );
        return gone.length;
      }),
    async renumberProcess(tx, before, now) {
      await ask(tx, 'moveClaims', (t) =>
        claims.update(
          t,
          ({ process }) => process === before,
          (row) => ({ ...row, process: now }),
        ),
      );
      await ask(tx, 'removeOldNumber', (t) =>
        processes.update(
          t,
          ({ number }) => number === before,
          () => null,
        ),
      );
    },
    // Only shown to people.
    report: async () => {},
  } satisfies Partial<Storage>;
}

function claimsOf({ claims }: Tables, ask: Ask) {
  return {
    claim: (sql, { queue, claims: some, process }) =>
      ask(sql, 'claim', function* (t) {
        for (const { id, delivery } of some) {
          const row = { id, queue, delivery, process };
          if (yield* claims.insert(t, id, row)) continue;
          yield* claims.update(
            t,
            (before) => before.id === id && before.delivery <= delivery,
            () => row,
          );
        }
      }),
    claimsOf: (sql, process) =>
      ask(
        sql,
        'claimsOf',
        atOnce((t) => {
          return claims.select(t, (row) => row.process === process && process !== null);
        }),
      ),
    async unclaim(sql, some, process) {
      const mine = new Set(some.map(({ id, delivery }) => `${id} ${delivery}`));
      await ask(sql, 'unclaim', (t) =>
        claims.update(
          t,
          (row) => mine.has(`${row.id} ${row.delivery}`) && row.process === process && process !== null,
          () => null,
        ),
      );
    },
    async endClaims(tx, jobs) {
      await ask(tx, 'endClaims', (t) =>
        claims.update(
          t,
          ({ id }) => jobs.includes(id),
          () => null,
        ),
      );
    },
    takeClaims: (tx, numbers) =>
      ask(tx, 'takeClaims', (t) =>
        claims.update(
          t,
          ({ process }) => process !== null && numbers.includes(process),
          () => null,
        ),
      ),
  } satisfies Partial<Storage>;
}
