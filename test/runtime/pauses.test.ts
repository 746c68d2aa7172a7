import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome, Submission, Work } from '../../src/runtime/stage.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { holdUpCommits } from '../support/held-commits.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { documentActor, orderActor, toyStages } from '../support/toy.ts';
import { gate, until } from '../support/wait.ts';

const WHO = { by: 'Amina', reason: 'The bank asked us to stop.' };
const WITHIN_MS = 1_000;
const succeeded = { kind: 'succeeded' } as const;

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const printed = () => shop.count('toy_documents', "printing_status = 'PROCESSED'");
const jobs = (state: string) =>
  shop.count('pgboss.job', `name = 'toy_printing_worker' and state = '${state}'`);
const pausedByHand = () => shop.database.sql`
  insert into actor_pauses (stage, paused_at, by, reason) values ('toy_printing', now(), 'Amina', 'by hand')`;
const resumedByHand = () => shop.database.sql`delete from actor_pauses`;
/** What is recorded when work is broken off by its signal. */
const untilBrokenOff = async (work: Work): Promise<Outcome> => {
  if (!work.signal.aborted) await once(work.signal, 'abort');
  return { kind: 'failed', code: 'BROKEN_OFF', message: 'The call was broken off.' };
};
/** Waits until these documents are typeset, so that their printing is due. */
const typeset = (count: number) =>
  until('they are typeset', async () => {
    return (await shop.count('toy_documents', "typesetting_status = 'PROCESSED'")) === count;
  });

describe('a stage that is paused', () => {
  it('leaves work that becomes due in PENDING, while the other stages go on; resumed, it does all of it without a tick', async () => {
    const system = await shop.join();
    expect(await system.pauses.pause('toy_printing', WHO)).toBe(true);
    await shop.receive(system, 'o1', 250);
    await typeset(250);
    expect(await shop.count('toy_documents', "printing_status = 'PENDING'")).toBe(250);
    expect(await shop.count('pgboss.job', "name = 'toy_printing_worker'")).toBe(0);
    expect(await system.pauses.resume('toy_printing', WHO)).toBe(true);
    await until('all are printed', async () => (await printed()) === 250);
  });

  it('does not fetch jobs that already wait, and has not lost them when it is resumed', async () => {
    const sender = await shop.join({ works: false });
    await shop.receive(sender, 'o1', 5);
    await sender.pauses.pause('toy_typesetting', WHO);
    const worker = await shop.join();
    expect(await shop.count('pgboss.job', "name = 'toy_typesetting_worker' and state = 'created'")).toBe(5);
    await worker.send(orderActor, 'o1', { type: 'ordered', at: new Date() });
    await until('it works on other stages', async () => {
      return (await shop.count('toy_orders', "paper_status = 'IN_STOCK'")) === 1;
    });
    expect(await shop.count('pgboss.job', "name = 'toy_typesetting_worker' and state = 'created'")).toBe(5);
    await sender.pauses.resume('toy_typesetting', WHO);
    await until('all are printed', async () => (await printed()) === 5);
  });

  it('breaks off what is under way, hands it back as it was, and asks whether it was sent when it goes on', async () => {
    const seen: Submission[] = [];
    let stop = true;
    const printing = async (work: Work) => {
      seen.push(await work.submitting());
      return stop ? untilBrokenOff(work) : succeeded;
    };
    const system = await shop.join({}, { printing });
    const [id = ''] = await shop.receive(system, 'o1', 1);
    await until('it is being sent', () => seen.length === 1);
    await system.pauses.pause('toy_printing', WHO);
    await until('it is handed back', async () => (await jobs('retry')) === 1);
    expect(await shop.count('actor_claims')).toBe(0);
    expect(await shop.document(id)).toMatchObject({
      printing_status: 'PROCESSING',
      printing_attempts: 0,
      printing_latest_error_code: null,
    });
    stop = false;
    await system.pauses.resume('toy_printing', WHO);
    await until('it is printed', async () => (await printed()) === 1);
    expect(seen).toEqual([
      { number: 1, maybeSent: false },
      { number: 1, maybeSent: true },
    ]);
    expect((await shop.document(id)).printing_attempts).toBe(1);
  });

  it('hands back what does not listen to its signal, and ignores what it still brings', async () => {
    const mayEnd = gate();
    const { heard, observer } = listen();
    let calls = 0;
    const printing = async () => {
      calls += 1;
      if (calls === 1) await mayEnd.opened;
      return succeeded;
    };
    const system = await shop.join({ observer }, { printing });
    await shop.receive(system, 'o1', 1);
    await until('it is being printed', () => calls === 1);
    await system.pauses.pause('toy_printing', WHO);
    await until('it is handed back', async () => (await jobs('retry')) === 1);
    mayEnd.open();
    await until('it has come too late', () => heard.ended.some(({ outcome }) => outcome === 'superseded'));
    expect(await printed()).toBe(0);
    await system.pauses.resume('toy_printing', WHO);
    await until('it is printed', async () => (await printed()) === 1);
    expect(calls).toBe(2);
  });

  it('uses up no deliveries of a job, however often it is paused while the job is under way', async () => {
    let calls = 0;
    let stop = true;
    const printing = async (work: Work) => {
      calls += 1;
      return stop ? untilBrokenOff(work) : succeeded;
    };
    const system = await shop.join({}, { printing });
    const [id = ''] = await shop.receive(system, 'o1', 1);
    for (let times = 1; times <= 25; times += 1) {
      await until('it is being printed', () => calls === times);
      await system.pauses.pause('toy_printing', WHO);
      if (times === 25) stop = false;
      await system.pauses.resume('toy_printing', WHO);
    }
    await until('it is printed', async () => (await printed()) === 1);
    expect(calls).toBe(26);
    expect(await shop.document(id)).toMatchObject({ printing_status: 'PROCESSED', printing_attempts: 1 });
    expect(await shop.count('pgboss.job', "name = 'lost_work'")).toBe(0);
  }, 30_000);

  it('is not asked for ticks, cannot be ticked, and is not taken for stale', async () => {
    const { heard, observer } = listen();
    const system = await shop.join({
      observer,
      mode: 'tick',
      staleAfterMs: 1,
      stages: toyStages({}, { frequencySeconds: 1 }),
    });
    await system.pauses.pause('toy_printing', WHO);
    await shop.receive(system, 'o1', 2);
    await typeset(2);
    const before = heard.ticks.length;
    await until('other stages have ticked', () => heard.ticks.length > before + 2);
    expect(heard.ticks.map(({ stage }) => stage)).not.toContain('toy_printing');
    await expect(system.tickNow('toy_printing')).rejects.toMatchObject({ code: 'STAGE_PAUSED' });
    expect(await shop.count('toy_documents', "printing_status = 'PENDING'")).toBe(2);
    await system.pauses.resume('toy_printing', WHO);
    await until('ticks have had them printed', async () => (await printed()) === 2);
  });

  it('is paused once, by whom and why everybody can see, and told to whoever listens', async () => {
    const { heard, observer } = listen();
    const system = await shop.join({ observer, works: false });
    const stored: string[] = [];
    const also = async () => void stored.push('audit');
    expect(await system.pauses.pause('toy_printing', WHO, also)).toBe(true);
    expect(await system.pauses.pause('toy_printing', { ...WHO, by: 'Bilal' }, also)).toBe(false);
    expect([...system.pauses.list()]).toEqual([['toy_printing', { since: expect.any(Date), ...WHO }]]);
    const newcomer = await shop.join({ works: false });
    expect(newcomer.pauses.list()).toEqual(system.pauses.list());
    expect(await newcomer.pauses.resume('toy_printing', WHO, also)).toBe(true);
    expect(await newcomer.pauses.resume('toy_printing', WHO, also)).toBe(false);
    await until('the other has heard', () => system.pauses.list().size === 0);
    expect(heard.pauses).toEqual(['paused toy_printing', 'resumed toy_printing']);
    expect(stored).toHaveLength(2);
  });

  it('is not paused when what belongs to it cannot be stored, when nobody says why, or when there is none', async () => {
    const system = await shop.join({ works: false });
    const also = async () => {
      throw new Error('The audit log is closed.');
    };
    await expect(system.pauses.pause('toy_printing', WHO, also)).rejects.toThrow('The audit log is closed.');
    await expect(system.pauses.pause('toy_printing', { by: 'Amina', reason: ' ' })).rejects.toMatchObject({
      code: 'WHO_MISSING',
    });
    await expect(system.pauses.pause('toy_nothing', WHO)).rejects.toMatchObject({ code: 'UNKNOWN_STAGE' });
    expect(await shop.count('actor_pauses')).toBe(0);
    expect(system.pauses.list().size).toBe(0);
  });
});

describe('submitting', () => {
  /** A worker that waits at a gate before it submits. */
  async function aboutToSubmit() {
    const maySubmit = gate();
    const seen = { begun: 0, aborted: false, sent: 0, error: null as unknown };
    const printing = async (work: Work) => {
      seen.begun += 1;
      await maySubmit.opened;
      seen.aborted = work.signal.aborted;
      try {
        await work.submitting();
        seen.sent += 1;
      } catch (error) {
        seen.error = error;
        throw error;
      }
      return succeeded;
    };
    const system = await shop.join({}, { printing });
    const [id = ''] = await shop.receive(system, 'o1', 1);
    await until('it is about to submit', () => seen.begun === 1);
    return { system, id, seen, maySubmit };
  }

  it('is refused from the moment of the pause on, even in a process that has not heard of it', async () => {
    const { id, seen, maySubmit } = await aboutToSubmit();
    await pausedByHand();
    maySubmit.open();
    await until('it was refused', () => seen.error !== null);
    expect(seen).toMatchObject({ aborted: false, sent: 0, error: { code: 'STAGE_PAUSED' } });
    await until('it is handed back', async () => (await jobs('retry')) === 1);
    expect(await shop.document(id)).toMatchObject({
      printing_status: 'PROCESSING',
      printing_attempts: 0,
      printing_submitted_at: null,
    });
    await resumedByHand();
    await until('it is printed', async () => (await printed()) === 1);
    expect(seen).toMatchObject({ begun: 2, sent: 1 });
  });

  it('that is being stored is stored before the pause', async () => {
    const { system, id, seen, maySubmit } = await aboutToSubmit();
    const commits = await holdUpCommits(shop);
    maySubmit.open();
    await commits.isHeldUp();
    const paused = system.pauses.pause('toy_printing', WHO);
    await commits.pauserWaits();
    expect(await shop.count('actor_pauses')).toBe(0);
    await commits.release();
    expect(await paused).toBe(true);
    await until('it has ended', () => seen.error !== null || seen.sent === 1);
    expect((await shop.document(id)).printing_submitted_at).not.toBeNull();
  });

  it('that hangs while it is stored does not hold up the pause, and counts as never sent', async () => {
    const { system, id, seen, maySubmit } = await aboutToSubmit();
    const commits = await holdUpCommits(shop);
    maySubmit.open();
    await commits.isHeldUp();
    const began = Date.now();
    expect(await system.pauses.pause('toy_printing', WHO)).toBe(true);
    expect(Date.now() - began).toBeLessThan(WITHIN_MS);
    await commits.release();
    await until('it was refused', () => seen.error !== null);
    expect(seen).toMatchObject({ sent: 0, error: { code: 'NOT_SENT' } });
    await until('it waits', async () => (await shop.document(id)).printing_status === 'PENDING');
    expect(await shop.document(id)).toMatchObject({ printing_submitted_at: null, printing_attempts: 0 });
  });

  it('that was stored after all sends nothing, even in a process that has not heard of the pause', async () => {
    const { system, seen, maySubmit } = await aboutToSubmit();
    const commits = await holdUpCommits(shop);
    maySubmit.open();
    await commits.isHeldUp();
    await pausedByHand();
    await commits.release();
    await until('it was refused', () => seen.error !== null);
    expect(seen).toMatchObject({ sent: 0, error: { code: 'NOT_SENT' } });
    // Now that it was refused, it knows.
    expect(system.pauses.list().has('toy_printing')).toBe(true);
  });
});

describe('a process that has not heard that a stage', () => {
  it('is paused finds out by itself within a second', async () => {
    const { heard, observer } = listen();
    const system = await shop.join({ observer });
    await pausedByHand();
    const began = Date.now();
    await until('it knows', () => heard.pauses.length === 1, 2 * WITHIN_MS);
    expect(Date.now() - began).toBeLessThan(WITHIN_MS);
    expect(system.pauses.list().get('toy_printing')).toMatchObject({ by: 'Amina', reason: 'by hand' });
  });

  it('is paused finds out after its connections broke', async () => {
    const { heard, observer } = listen();
    await shop.join({ observer });
    await shop.breakConnections();
    await pausedByHand();
    const began = Date.now();
    await until('it knows', () => heard.pauses.length === 1);
    expect(Date.now() - began).toBeLessThan(WITHIN_MS);
  });

  it('is paused leaves nothing lying that it stored while the stage was resumed', async () => {
    const system = await shop.join();
    await system.pauses.pause('toy_typesetting', WHO);
    const mayStore = gate();
    const locked = gate();
    const slow = shop.database.sql.begin(async (sql) => {
      await sql`lock table actor_transitions in exclusive mode`;
      locked.open();
      await mayStore.opened;
    });
    await locked.opened;
    const received = shop.receive(system, 'o1', 5);
    await until('it is being stored', () =>
      shop
        .count('pg_locks', `relation = 'actor_transitions'::regclass and not granted`)
        .then((waiting) => waiting > 0),
    );
    const resumed = system.pauses.resume('toy_typesetting', WHO);
    // Longer than a pause would wait.
    await shop.database.sql`select pg_sleep(1)`;
    mayStore.open();
    await Promise.all([slow, received, resumed]);
    await until('all are printed', async () => (await printed()) === 5);
  });

  it('runs again does not leave lying what becomes due', async () => {
    const sender = await shop.join({ works: false });
    const [id = ''] = await shop.receive(sender, 'o1', 1, null);
    const [other = ''] = await shop.receive(sender, 'o2', 1, null);
    await sender.pauses.pause('toy_typesetting', WHO);
    const due = (at: Date) => ({ type: 'typesetting.due', at, dueAt: at }) as const;
    await sender.send(documentActor, other, due(new Date()));
    expect((await shop.document(other)).typesetting_status).toBe('PENDING');
    await resumedByHand();
    expect(sender.pauses.list().has('toy_typesetting')).toBe(true);
    await sender.send(documentActor, id, due(new Date()));
    expect((await shop.document(id)).typesetting_status).toBe('PROCESSING');
  });
});

describe('the view of a process', () => {
  it('holds when everything is paused and resumed by many at once', async () => {
    const systems = await Promise.all([shop.join(), shop.join()]);
    const [first, second] = systems as [ActorSystem, ActorSystem];
    await shop.receive(first, 'o1', 40);
    for (let round = 0; round < 6; round += 1) {
      await Promise.all(
        ['toy_printing', 'toy_typesetting'].flatMap((stage) => [
          first.pauses.pause(stage, WHO),
          second.pauses.resume(stage, WHO),
        ]),
      );
    }
    for (const stage of ['toy_printing', 'toy_typesetting']) await second.pauses.resume(stage, WHO);
    await until('all are printed', async () => (await printed()) === 40);
    expect(await shop.count('toy_documents', 'printing_attempts = 1 and typesetting_attempts = 1')).toBe(40);
  });
});
