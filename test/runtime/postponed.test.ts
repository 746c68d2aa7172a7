import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../src/db/connection.ts';
import type { Outcome, Stage, StagePolicy, Submission, Work } from '../../src/runtime/stage.ts';
import { holdUpCommits } from '../support/held-commits.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { toyStages } from '../support/toy.ts';
import { until } from '../support/wait.ts';

const succeeded: Outcome = { kind: 'succeeded' };
const POSTPONED_MS = 80;
const HOUR_MS = 3_600_000;

/** What a connector of somebody else throws: only the fields count. */
const away = (notBefore: unknown = new Date(Date.now() + POSTPONED_MS)) =>
  Object.assign(new Error('The printer is being serviced.'), { code: 'PRINTER_AWAY', notBefore });

const postponed = (more: Partial<Extract<Outcome, { kind: 'postponed' }>> = {}): Outcome => ({
  kind: 'postponed',
  until: new Date(Date.now() + POSTPONED_MS),
  code: 'PRINTER_AWAY',
  message: 'The printer is being serviced.',
  ...more,
});

describe('work that is postponed', () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await openShop();
  });
  afterEach(() => shop.close());

  const receiveOne = async (system: Parameters<Shop['receive']>[0]) =>
    (await shop.receive(system, 'o1', 1))[0] ?? '';
  const reaches = (id: string, expected: Readonly<Record<string, unknown>>) =>
    until(`${id} is ${JSON.stringify(expected)}`, async () => {
      const row = await shop.document(id);
      return Object.entries(expected).every(([column, value]) => row[column] === value);
    });
  const postponements = async (id: string) =>
    (await shop.journal(id)).filter(({ event }) => event === 'postponed');

  it('waits in PENDING and uses up no attempt, however often, until it can be done', async () => {
    let times = 0;
    const printing = async () => {
      times += 1;
      if (times <= 10) throw away();
      return succeeded;
    };
    const { heard, observer } = listen();
    const system = await shop.join({ stages: toyStages({ printing }, { maxAttempts: 3 }), observer });
    const id = await receiveOne(system);
    await reaches(id, { printing_status: 'PROCESSED' });
    expect(await shop.document(id)).toMatchObject({
      printing_attempts: 1,
      printing_latest_error_code: null,
      printing_job_id: null,
    });
    const entries = await postponements(id);
    expect(entries).toHaveLength(10);
    for (const entry of entries) {
      expect(entry).toMatchObject({
        from_state: 'PROCESSING',
        to_state: 'PENDING',
        attempt: 0,
        error_code: 'PRINTER_AWAY',
        error_message: 'The printer is being serviced.',
        due_at: expect.any(Date),
      });
    }
    expect(heard.ended.filter(({ outcome }) => outcome === 'postponed')).toHaveLength(10);
    expect(heard.troubled).toEqual([]);
  });

  it('keeps the attempts that it had used up before', async () => {
    const printing = async ({ attempt }: Work): Promise<Outcome> => {
      if (attempt === 0) return { kind: 'failed', code: 'PAPER_JAM', message: 'The paper is stuck.' };
      return postponed({ until: new Date(Date.now() + HOUR_MS) });
    };
    const system = await shop.join({}, { printing });
    const id = await receiveOne(system);
    await reaches(id, { printing_status: 'PENDING', printing_latest_error_code: 'PRINTER_AWAY' });
    expect(await shop.document(id)).toMatchObject({ printing_attempts: 1, printing_job_id: null });
  });

  it.each([
    { what: 'an hour from now at most', givenMs: 100 * HOUR_MS, dueMs: HOUR_MS },
    { what: 'when it says', givenMs: HOUR_MS / 2, dueMs: HOUR_MS / 2 },
    { what: 'a second from now when that is over', givenMs: -HOUR_MS, dueMs: 1_000 },
  ])('is due $what', async ({ givenMs, dueMs }) => {
    let times = 0;
    const printing = async (): Promise<Outcome> => {
      times += 1;
      return times === 1 ? postponed({ until: new Date(Date.now() + givenMs) }) : succeeded;
    };
    const system = await shop.join({}, { printing });
    const id = await receiveOne(system);
    await until('it is postponed', async () => (await postponements(id)).length === 1);
    const [entry] = await postponements(id);
    const waitMs = (entry?.due_at?.getTime() ?? 0) - (entry?.at.getTime() ?? 0);
    expect(waitMs).toBeLessThanOrEqual(dueMs);
    expect(waitMs).toBeGreaterThan(dueMs - 1_000);
    expect(waitMs).toBeGreaterThanOrEqual(1_000);
  });

  it('keeps what it wrote', async () => {
    const printing = async ({ id, attempt }: Work): Promise<Outcome> => ({
      ...(attempt === 0 && (await shop.count('toy_prints')) === 0 ? postponed() : succeeded),
      write: async ({ sql }) => {
        await sql`insert into toy_prints (document_id) values (${id})`;
      },
    });
    const system = await shop.join({}, { printing });
    await reaches(await receiveOne(system), { printing_status: 'PROCESSED' });
    expect(await shop.count('toy_prints')).toBe(2);
  });

  it('may have been sent already, unless it surely was not', async () => {
    const submissions: Submission[] = [];
    const outcomes = [{ unsent: true }, {}, { unsent: false }];
    const printing = async (work: Work) => {
      const outcome = outcomes[submissions.push(await work.submitting()) - 1];
      return outcome ? postponed(outcome) : succeeded;
    };
    const system = await shop.join({}, { printing });
    await reaches(await receiveOne(system), { printing_status: 'PROCESSED' });
    expect(submissions.map(({ maybeSent }) => maybeSent)).toEqual([false, false, true, true]);
    expect(submissions.every((submission) => submission.number === 1)).toBe(true);
  });

  it('may have been sent when an error postpones it', async () => {
    const submissions: Submission[] = [];
    const printing = async (work: Work): Promise<Outcome> => {
      submissions.push(await work.submitting());
      if (submissions.length === 1) throw away();
      return succeeded;
    };
    const system = await shop.join({}, { printing });
    await reaches(await receiveOne(system), { printing_status: 'PROCESSED' });
    expect(submissions.map(({ maybeSent }) => maybeSent)).toEqual([false, true]);
  });

  it('was not sent, and uses up no attempt, when the database is in trouble as it is announced', async () => {
    const { sql } = shop.database;
    await sql.unsafe(`
      create function refuse() returns trigger language plpgsql as
        'begin raise exception ''No memory.'' using errcode = ''53200''; end';
      create trigger refuse before update on toy_documents for each row
        when (new.printing_submitted_at is not null) execute function refuse();`);
    const submissions: Submission[] = [];
    const printing = async (work: Work): Promise<Outcome> => {
      submissions.push(await work.submitting());
      return succeeded;
    };
    const id = await receiveOne(await shop.join({}, { printing }));
    await until('it was postponed', async () => (await postponements(id)).length > 0);
    await sql`drop trigger refuse on toy_documents`;
    await reaches(id, { printing_status: 'PROCESSED' });
    expect(await shop.document(id)).toMatchObject({ printing_attempts: 1 });
    expect((await postponements(id))[0]).toMatchObject({
      error_code: '53200',
      error_message: expect.stringMatching(/Nothing was sent.*No memory/),
    });
    expect(submissions).toEqual([{ number: 1, maybeSent: false }]);
  });

  it('was not sent, also when the answer to the commit that announced it is lost', async () => {
    const proxy = await startTcpProxy(shop.url);
    const own = connect(proxy.through(shop.url), { max: 4 });
    try {
      const submissions: Submission[] = [];
      const printing = async (work: Work): Promise<Outcome> => {
        submissions.push(await work.submitting());
        return succeeded;
      };
      const id = await receiveOne(await shop.join({ works: false }));
      const commits = await holdUpCommits(shop);
      await shop.join({ database: own }, { printing });
      await commits.isHeldUp();
      proxy.freeze();
      await commits.release();
      await until('it is stored', async () => (await shop.document(id)).printing_submitted_at !== null);
      expect(submissions).toEqual([]);
      proxy.cut();
      await reaches(id, { printing_status: 'PROCESSED' });
      expect(submissions).toEqual([{ number: 1, maybeSent: false }]);
      expect(await shop.document(id)).toMatchObject({ printing_attempts: 1 });
    } finally {
      await own.close();
      await proxy.close();
    }
  });

  it.each([[new Date(Number.NaN)], ['2099-01-01'], [null], [5]])(
    'is a failed attempt when the time of its error is no time (%s)',
    async (notBefore) => {
      const printing = async () => {
        throw away(notBefore);
      };
      const system = await shop.join({}, { printing });
      const id = await receiveOne(system);
      await reaches(id, { printing_status: 'ERROR' });
      expect(await shop.document(id)).toMatchObject({
        printing_attempts: 3,
        printing_latest_error_code: 'PRINTER_AWAY',
      });
    },
  );

  describe('set by set', () => {
    function withPress(performSet: (set: readonly Work[]) => Promise<readonly Outcome[]>): readonly Stage[] {
      return toyStages().map((stage) => {
        if (stage.region !== 'printing') return stage;
        const { perform: _, ...kept } = stage as StagePolicy & { perform: unknown };
        return { ...kept, setSize: 10, concurrency: 1, performSet };
      });
    }

    it('is every piece of a set that throws', async () => {
      let throws = 4;
      const stages = withPress(async (set) => {
        throws -= 1;
        if (throws >= 0) throw away();
        return set.map(() => succeeded);
      });
      const system = await shop.join({ stages });
      await shop.receive(system, 'o1', 25);
      await until('all are printed', async () => (await shop.pagesPrinted()) === 50);
      const documents = await shop.documents();
      expect(documents.every((one) => one.printing_attempts === 1)).toBe(true);
      expect(await shop.count('actor_transitions', "event = 'postponed'")).toBeGreaterThanOrEqual(4);
      expect(await shop.count('actor_transitions', "event = 'failed'")).toBe(0);
    });

    it('harms no other piece', async () => {
      const once = new Set<string>();
      const stages = withPress(async (set) =>
        set.map(({ id }) => {
          if (!id.endsWith('3') || once.has(id)) return succeeded;
          once.add(id);
          return postponed();
        }),
      );
      const system = await shop.join({ stages });
      await shop.receive(system, 'o1', 20);
      await until('all are printed', async () => (await shop.pagesPrinted()) === 40);
      expect(await shop.count('actor_transitions', "event = 'postponed'")).toBe(2);
    });
  });
});
