import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FeedMessage, feedMessage } from '../../src/api/operator/wire/feed.ts';
import { appendJournal, type NewTransition } from '../../src/runtime/journal.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { startToyProcess } from '../support/child.ts';
import { type OperatorApiOptions, type OperatorSurface, serveOperators } from '../support/operators.ts';
import { openRaw, openRawSocket, type RawOptions, type RawSocket } from '../support/raw-websocket.ts';
import { openShop, type Shop } from '../support/shop.ts';
import { until } from '../support/wait.ts';

let shop: Shop;
let system: ActorSystem;
let surfaces: OperatorSurface[];
beforeEach(async () => {
  shop = await openShop();
  system = await shop.join({ works: false });
  surfaces = [];
});
afterEach(async () => {
  await Promise.all(surfaces.map((surface) => surface.close()));
  await shop.close();
});

/** Serves the feed of a process. */
async function serve(options: OperatorApiOptions = {}, of = system): Promise<string> {
  const surface = await serveOperators({ system: of, database: shop.database }, options);
  surfaces.push(surface);
  return surface.url;
}

/** What signs a viewer in. */
const headers = () => surfaces[0]?.as('viewer').headers ?? {};
const open = (url: string, query = '', options: RawOptions = {}) =>
  openRawSocket(`${url}/feed${query}`, { headers: headers(), ...options });

const read = ({ messages }: RawSocket): FeedMessage[] =>
  messages.map((text) => feedMessage.parse(JSON.parse(text)));
const transitions = (socket: RawSocket) =>
  read(socket).flatMap((one) => (one.type === 'transition' ? [one] : []));
const summaries = (socket: RawSocket) => read(socket).flatMap((one) => (one.type === 'summary' ? [one] : []));
const seqs = (socket: RawSocket) => transitions(socket).map(({ seq }) => seq);

/** Waits for a number of transitions, besides the greeting. */
const have = (socket: RawSocket, count: number) =>
  until(`${count} transitions have come`, () => socket.messages.length === count + 1);
const greeted = (socket: RawSocket) => have(socket, 0);

const entry = (given: Partial<NewTransition> = {}): NewTransition => ({
  at: new Date('2026-03-01T10:00:00.123Z'),
  machine: 'order',
  actor_id: 'a1',
  correlation_id: 'e1',
  region: 'delivery',
  event: 'printed',
  from_state: 'OPEN',
  to_state: 'OPEN',
  attempt: 0,
  job_id: null,
  due_at: null,
  error_code: null,
  error_message: null,
  by: null,
  reason: null,
  ...given,
});

/** Journals entries in one transaction and announces them, as another process would. */
async function append(...entries: NewTransition[]): Promise<void> {
  await shop.database.sql.begin((tx) => appendJournal(tx, entries));
  await announce();
}
const announce = () => shop.database.sql`select pg_notify('actor_transitions', '')`;
const many = (count: number, given: Partial<NewTransition> = {}) =>
  Array.from({ length: count }, (_, n) => entry({ actor_id: `a${n}`, ...given }));
const journalled = async () => (await shop.journal()).map(({ seq }) => Number(seq));

describe('/feed', () => {
  it('greets, and sends every transition from now on as it is journalled', async () => {
    await append(entry({ actor_id: 'before' }));
    await until('it is known', () => system.feed.position === 1);
    const socket = await open(await serve());
    await greeted(socket);
    await append(
      entry({
        job_id: 'j1',
        attempt: 2,
        to_state: 'ERROR',
        error_code: 'NO_PAPER',
        error_message: 'None left.',
      }),
      entry({ event: 'release', by: 'amina', reason: 'Paid in cash.' }),
      entry({ machine: 'statement', event: 'late', error_message: 'It came too late.' }),
    );
    await have(socket, 3);
    const common = {
      type: 'transition',
      at: '2026-03-01T10:00:00.123Z',
      id: 'a1',
      region: 'delivery',
      from: 'OPEN',
    };
    const plain = { ...common, attempt: 0, job: null, to: 'OPEN', by: null, reason: null };
    expect(read(socket)).toEqual([
      { type: 'hello', protocol: 1, latest: 1, pruned: 0 },
      {
        ...plain,
        ...{ seq: 2, machine: 'order', envelope: 'e1', event: 'printed', to: 'ERROR', attempt: 2, job: 'j1' },
        error: { code: 'NO_PAPER', message: 'None left.' },
      },
      {
        ...plain,
        ...{ seq: 3, machine: 'order', envelope: 'e1', event: 'release', error: null },
        ...{ by: 'amina', reason: 'Paid in cash.' },
      },
      {
        ...plain,
        ...{ seq: 4, machine: 'statement', envelope: null, event: 'late' },
        error: { code: 'LATE', message: 'It came too late.' },
      },
    ]);
  });

  it('says when old entries were removed, and leaves them out only for who agrees', async () => {
    await append(...many(6), entry({ correlation_id: 'e2' }));
    await until('they are known', () => system.feed.position === 7);
    const { sql } = shop.database;
    await sql`delete from actor_transitions where seq in (3, 5)`;
    await sql`insert into actor_pruned values ('e1', 5, now(), true)`;
    const url = await serve();
    const refused = await openRaw(`${url}/feed?after=4`, { headers: headers() });
    expect(refused).toMatchObject({ status: 410 });
    expect(JSON.stringify(refused)).toContain('FEED_PRUNED');
    const sockets = ['?after=4&pruned=skip', '?after=0', '?after=5', '?after=4&envelope=e2', ''];
    const [skips, all, onwards, other, live] = await Promise.all(sockets.map((query) => open(url, query)));
    const expected = [[6, 7], [1, 2, 4, 6, 7], [6, 7], [7], []];
    for (const [n, socket] of [skips, all, onwards, other, live].entries()) {
      if (!socket) continue;
      await have(socket, expected[n]?.length ?? 0);
      expect(seqs(socket)).toEqual(expected[n]);
      expect(read(socket)[0]).toMatchObject({ latest: 7, pruned: n === 3 ? 0 : 5 });
    }
  });

  it('sends only what fulfils all conditions, of what is old and of what is new', async () => {
    const some = [
      entry(),
      entry({ actor_id: 'a2', region: 'paper', to_state: 'IN_STOCK' }),
      entry({ machine: 'document', correlation_id: 'e2', region: 'printing', to_state: 'ERROR' }),
      entry({ actor_id: 'a2', correlation_id: 'e2', to_state: 'RECALLED' }),
    ];
    const expected: [string, number[]][] = [
      ['', [0, 1, 2, 3]],
      ['&machine=order', [0, 1, 3]],
      ['&machine=order&id=a2', [1, 3]],
      ['&envelope=e2', [2, 3]],
      ['&region=delivery', [0, 3]],
      ['&to=ERROR', [2]],
      ['&envelope=e2&region=delivery&to=RECALLED', [3]],
      ['&machine=order&to=ERROR', []],
    ];
    await append(...some);
    await until('they are known', () => system.feed.position === 4);
    const url = await serve();
    const sockets = await Promise.all(expected.map(([query]) => open(url, `?after=0${query}`)));
    await append(...some, entry({ actor_id: 'end', machine: 'end', region: 'end' }));
    const [all] = sockets;
    if (all) await have(all, 9);
    for (const [index, [, which]] of expected.entries()) {
      const socket = sockets[index];
      if (!socket) continue;
      const wanted = [...which.map((n) => n + 1), ...which.map((n) => n + 5)];
      if (index > 0) await have(socket, wanted.length);
      expect(seqs(socket).filter((seq) => seq < 9)).toEqual(wanted);
    }
  });

  it('resumes after any sequence number', async () => {
    await append(...many(2_300));
    await until('they are known', () => system.feed.position === 2_300);
    const url = await serve();
    for (const after of [0, 1, 1_299, 2_299, 2_300]) {
      const socket = await open(url, `?after=${after}`);
      await have(socket, 2_300 - after);
      expect(seqs(socket)).toEqual(Array.from({ length: 2_300 - after }, (_, n) => after + n + 1));
    }
    // One that knows more than this process does yet: nothing is sent to it twice.
    const ahead = await open(url, '?after=2301');
    await greeted(ahead);
    await append(...many(3));
    await have(ahead, 2);
    expect(seqs(ahead)).toEqual([2_302, 2_303]);
  });

  it('yields every transition once, whenever clients lose their connections and whatever order commits end in', async () => {
    const url = await serve();
    const commits = fc.array(
      fc.record({ size: fc.integer({ min: 1, max: 4 }), slow: fc.boolean(), rolledBack: fc.boolean() }),
      { minLength: 5, maxLength: 40 },
    );
    const breaks = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(commits, breaks, async (some, whens) => {
        const before = await journalled();
        const start = before.at(-1) ?? 0;
        const client = reconnecting(url, start, whens);
        const slow: Promise<unknown>[] = [];
        for (const { size, slow: isSlow, rolledBack } of some) {
          const writing = shop.database.sql
            .begin(async (tx) => {
              await appendJournal(tx, many(size));
              if (isSlow) await tx`select pg_sleep(0.01)`;
              if (rolledBack) throw new Error('It is rolled back.');
            })
            .catch(() => {});
          if (isSlow) slow.push(writing);
          else await writing;
          await announce();
        }
        await Promise.all(slow);
        await append(...many(1));
        const expected = (await journalled()).slice(before.length);
        const got = await client.until(expected.at(-1) ?? 0);
        expect(got).toEqual(expected);
      }),
      { numRuns: 12 },
    );
  });

  it('shows what processes do that only work', async () => {
    const [first = ''] = await shop.receive(system, 'o1', 3);
    const socket = await open(await serve(), '?after=0&machine=document&to=PROCESSED');
    const worker = startToyProcess(shop.url, 'print');
    await have(socket, 6);
    expect(
      transitions(socket)
        .filter(({ id }) => id === first)
        .map(({ region }) => region),
    ).toEqual(['typesetting', 'printing']);
    await worker.stop();
  });

  it('sums up instead, as often as it is told, and the sums are those of the transitions', async () => {
    await append(...many(3, { to_state: 'RECALLED' }));
    await until('they are known', () => system.feed.position === 3);
    const url = await serve();
    const [all, some] = await Promise.all([
      open(url, '?after=0&summary_ms=100'),
      open(url, '?after=0&summary_ms=100&region=paper'),
    ]);
    await until('the past has come', () => summaries(all).length === 1);
    for (let n = 0; n < 20; n += 1) {
      await append(
        ...many(n, { region: n % 2 ? 'paper' : 'delivery' }),
        entry({ machine: 'document', from_state: 'A', to_state: 'B' }),
      );
    }
    const last = (await journalled()).at(-1) ?? 0;
    await until('all is in sums', () => summaries(all).at(-1)?.seq === last);
    const sums = summaries(all);
    expect(sums.length).toBeLessThan(15);
    // One goes on where the one before ended.
    expect(sums.map(({ after }) => after)).toEqual([0, ...sums.slice(0, -1).map(({ seq }) => seq)]);
    const journal = await shop.journal();
    expect(summed(sums)).toEqual(counted(journal as unknown as Journalled[]));
    for (const { after, seq, moves } of sums) {
      const between = journal.filter((row) => Number(row.seq) > after && Number(row.seq) <= seq);
      expect(moves.reduce((sum, { count }) => sum + count, 0)).toBe(between.length);
    }
    const paper = journal.filter(({ region }) => region === 'paper');
    await until('the rest has come', () => [...summed(summaries(some)).values()][0] === paper.length);
    expect(summed(summaries(some))).toEqual(counted(paper as unknown as Journalled[]));
  });

  it('tells with the sums which stages are paused, at the beginning and whenever it changes, also by another process', async () => {
    const [stage] = system.store.registry.stages;
    const name = stage?.name ?? '';
    const who = { by: 'ann', reason: 'for a test' };
    const url = await serve();
    const [sums, all] = await Promise.all([open(url, '?summary_ms=100'), open(url, '')]);
    const told = () => read(sums).flatMap((one) => (one.type === 'pauses' ? [one.stages] : []));
    await until('it is told at first', () => told().length === 1);
    await system.pauses.pause(name, who);
    await until('it is told of the pause', () => told().length === 2);
    await shop.database.sql`delete from actor_pauses`;
    await until('it is told of the end', () => told().length === 3);
    expect(told()).toEqual([[], [name], []]);
    expect(read(all).map(({ type }) => type)).toEqual(['hello']);
  });

  it('closes a client that does not read, with the number after which it resumes without loss', async () => {
    const url = await serve({ feedTimes: { drainMs: 300 } });
    const [slow, fast] = [await open(url, '?after=0'), await open(url, '?after=0')];
    await greeted(slow);
    slow.pause();
    const text = 'x'.repeat(4_000);
    for (let n = 0; n < 20; n += 1) await append(...many(200, { error_code: 'LONG', error_message: text }));
    await have(fast, 4_000);
    await until('it is given up', async () => (await shop.database.sql`select pg_sleep(0.5)`) !== null);
    slow.resume();
    const ended = await slow.ended;
    expect(ended?.code).toBe(4008);
    const got = seqs(slow);
    const { seq } = JSON.parse(ended?.reason ?? '{}');
    expect(got.at(-1)).toBe(seq);
    expect(seq).toBeLessThan(4_000);
    const again = await open(url, `?after=${seq}`);
    await have(again, 4_000 - seq);
    expect([...got, ...seqs(again)]).toEqual(seqs(fast));
  });

  it('closes a client that reads too slowly to ever catch up', async () => {
    const url = await serve({ feedTimes: { drainMs: 20_000 } });
    const slow = await open(url);
    await greeted(slow);
    slow.pause();
    const text = 'x'.repeat(1_000);
    for (let n = 0; n < 18; n += 1) await append(...many(1_000, { error_code: 'LONG', error_message: text }));
    await until('the feed is far ahead', () => system.feed.position === 18_000);
    await shop.database.sql`select pg_sleep(0.2)`;
    slow.resume();
    const ended = await slow.ended;
    expect(ended?.code).toBe(4008);
    const got = seqs(slow);
    expect(got).toEqual(Array.from({ length: got.length }, (_, n) => n + 1));
    expect(JSON.parse(ended?.reason ?? '{}')).toEqual({ seq: got.length });
  });

  it('asks clients whether they are there, and cuts off who does not answer', async () => {
    const url = await serve({ feedTimes: { heartbeatMs: 100 } });
    const [silent, there] = [await open(url, '', { answers: false }), await open(url)];
    expect(await silent.ended).toBe(null);
    await until('the other one was asked some more', () => there.pings > 4);
    await append(entry());
    await have(there, 1);
  });

  it('says farewell when the server stops, and waits for nobody for long', async () => {
    const url = await serve();
    const [polite, dead] = [await open(url), await open(url)];
    await Promise.all([greeted(polite), greeted(dead)]);
    dead.pause();
    const began = performance.now();
    await surfaces.pop()?.close();
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await polite.ended).toEqual({ code: 1001, reason: 'The server stops.' });
  });

  it('refuses over HTTP who is not signed in, what it does not understand, and whoever is one too many', async () => {
    const url = await serve({ settings: { feed_clients_max: '2' } });
    const refused = async (query: string, signedIn = headers()) => {
      const answer = await openRaw(`${url}/feed${query}`, { headers: signedIn });
      if (!('status' in answer)) throw new Error(`${query} is not refused.`);
      expect(answer.headers['content-type']).toMatch('application/problem+json');
      const { code, detail } = JSON.parse(answer.body);
      return { status: answer.status, code, detail };
    };
    expect(await refused('', {})).toMatchObject({ status: 401 });
    for (const [query, field] of [
      ['?after=-1', 'after'],
      ['?after=', 'after'],
      ['?after=1e3', 'after'],
      ['?after=99999999999999999999', 'after'],
      ['?machine=', 'machine'],
      ['?machine=a&machine=b', 'machine'],
      ['?summary_ms=99', 'summary_ms'],
      ['?summary_ms=soon', 'summary_ms'],
      ['?enveloppe=e1', 'enveloppe'],
    ] as const) {
      const { status, code, detail } = await refused(query);
      expect([query, status, code]).toEqual([query, 400, 'REQUEST_INVALID']);
      expect(detail).toContain(field);
    }
    const plain = await fetch(`${url}/feed`, { headers: headers() });
    const problem = (await plain.json()) as { code: string };
    expect([plain.status, problem.code]).toEqual([426, 'WEBSOCKET_NEEDED']);
    const sockets = await Promise.all([open(url), open(url)]);
    expect(await refused('')).toMatchObject({ status: 503, code: 'FEED_FULL' });
    sockets[0]?.destroy();
    await until('there is room again', async () => {
      const answer = await openRaw(`${url}/feed`, { headers: headers() });
      return !('status' in answer);
    });
  });
});

/** A client that loses its connection after so many transitions, again and again, and resumes. */
function reconnecting(url: string, start: number, breakAfter: readonly number[]) {
  const got: number[] = [];
  let last = start;
  let breaks = 0;
  let current: RawSocket | null = null;
  const connect = async (): Promise<void> => {
    let left = breakAfter[breaks] ?? Number.POSITIVE_INFINITY;
    breaks += 1;
    let lost = false;
    current = await open(url, `?after=${last}`, {
      onText(text) {
        const message = feedMessage.parse(JSON.parse(text));
        // What is still on its way when the connection is lost never comes.
        if (lost || message.type !== 'transition') return;
        got.push(message.seq);
        last = message.seq;
        left -= 1;
        if (left > 0) return;
        lost = true;
        current?.destroy();
        connecting = connect();
      },
    });
  };
  let connecting = connect();
  return {
    async until(seq: number): Promise<number[]> {
      await until(`the client has ${seq}`, () => last >= seq);
      await connecting;
      current?.destroy();
      return got;
    },
  };
}

interface Journalled {
  readonly machine: string;
  readonly region: string;
  readonly from_state: string;
  readonly to_state: string;
}

function counted(rows: readonly Journalled[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { machine, region, from_state, to_state } of rows) {
    const key = `${machine} ${region} ${from_state} ${to_state}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function summed(sums: readonly Extract<FeedMessage, { type: 'summary' }>[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { machine, region, from, to, count } of sums.flatMap(({ moves }) => moves)) {
    const key = `${machine} ${region} ${from} ${to}`;
    counts.set(key, (counts.get(key) ?? 0) + count);
  }
  return counts;
}
