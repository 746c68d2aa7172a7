import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Claim, workerQueue } from '../../src/runtime/jobs.ts';
import type { Outcome, OutcomeTransaction, Work } from '../../src/runtime/stage.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { documentActor, toyStages } from '../support/toy.ts';
import { gate, until } from '../support/wait.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const [, printing] = toyStages();

/** Succeeds, and says in the database who did it. */
const printedBy = (work: Work, who: string): Outcome => ({
  kind: 'succeeded',
  async write({ sql }: OutcomeTransaction) {
    await sql`insert into toy_prints (document_id, note) values (${work.id}, ${who})`;
  },
});

const prints = async () => {
  const rows = await shop.database.sql<{ note: string }[]>`select note from toy_prints`;
  return rows.map(({ note }) => note);
};

const results = async (id: string) => {
  const entries = await shop.journal(id);
  return entries
    .filter(
      ({ region, event }) =>
        region === 'printing' && ['succeeded', 'failed', 'stale', 'late'].includes(event),
    )
    .map(({ event }) => event);
};

/** Two processes; who prints first is held up until the test lets it go on, and so is the second one if asked for. */
async function heldUp({ second: holdSecond = false } = {}) {
  const firstMayEnd = gate();
  const secondMayEnd = gate();
  if (!holdSecond) secondMayEnd.open();
  const performers: Work[] = [];
  const ears = [listen(), listen()];
  const perform = {
    async printing(work: Work): Promise<Outcome> {
      performers.push(work);
      const number = performers.length;
      if (number === 1) await firstMayEnd.opened;
      if (number === 2) await secondMayEnd.opened;
      return printedBy(work, `worker ${number}`);
    },
  };
  const options = { staleAfterMs: 20, mode: 'event' } as const;
  const [first, second] = await Promise.all(
    ears.map(({ observer }) => shop.join({ ...options, observer }, perform)),
  );
  if (!first || !second) throw new Error('Two processes were to be started.');
  const [id = ''] = await shop.receive(first, 'o1', 1);
  await until('the first worker prints', () => performers.length === 1);
  const outcomes = () =>
    ears.flatMap(({ heard }) => heard.ended).filter(({ job }) => job === performers[0]?.job);
  return {
    system: first,
    id,
    performers,
    letFirstEnd: () => firstMayEnd.open(),
    letSecondEnd: () => secondMayEnd.open(),
    outcomes,
  };
}

/** The queue gives the job of a worker to another one, as it does when a heartbeat lapses. */
async function handToAnother(system: ActorSystem, work: Work | undefined): Promise<void> {
  if (!work || !printing) throw new Error('Nobody prints.');
  const claim: Claim = { id: work.job, delivery: 0 };
  await system.store.jobs.handBack(
    shop.database.sql,
    workerQueue(printing),
    [claim],
    'Its heartbeat lapsed.',
  );
}

describe('a result', () => {
  it('under a job that does not own the work changes nothing and is shown as late', async () => {
    const system = await shop.join({ works: false });
    const [id = ''] = await shop.receive(system, 'o1', 1);
    const before = await shop.document(id);
    for (const type of ['typesetting.succeeded', 'typesetting.failed', 'typesetting.refused'] as const) {
      const event = { type, job: 'another', code: 'NO_INK', at: new Date(), retryAt: new Date() };
      expect(await system.send(documentActor, id, event)).toMatchObject({ accepted: false });
    }
    expect(await shop.document(id)).toEqual(before);
    const late = (await shop.journal(id)).filter(({ event }) => event === 'late');
    expect(late).toHaveLength(3);
    expect(late[0]).toMatchObject({
      region: 'typesetting',
      from_state: 'PROCESSING',
      to_state: 'PROCESSING',
      job_id: 'another',
      error_message: expect.stringContaining('typesetting.succeeded'),
    });
  });

  it('of a worker that hung and lost its work to another cannot overwrite what that one did', async () => {
    const { system, id, performers, letFirstEnd, outcomes } = await heldUp();
    await until('the work is taken back', async () => {
      if (!printing) return false;
      return (await system.ticks.tick(printing)).stale === 1;
    });
    await until('another worker has printed', async () => (await shop.pagesPrinted()) === 2);
    const printed = await shop.document(id);
    expect(printed).toMatchObject({ printing_status: 'PROCESSED', printing_attempts: 2 });
    letFirstEnd();
    await until('the first worker has ended', () => outcomes().length === 1);
    expect(performers[1]?.job).not.toBe(performers[0]?.job);
    expect(outcomes()).toMatchObject([{ outcome: 'superseded' }]);
    expect(await shop.document(id)).toEqual(printed);
    expect(await prints()).toEqual(['worker 2']);
    expect(await results(id)).toEqual(['stale', 'succeeded', 'late']);
    expect(await shop.pagesPrinted()).toBe(2);
  });

  it('is recorded once when the job is delivered again while its first worker still runs', async () => {
    const { system, id, performers, letFirstEnd, outcomes } = await heldUp();
    const [work] = performers;
    await handToAnother(system, work);
    await until('another worker has printed', async () => (await shop.pagesPrinted()) === 2);
    letFirstEnd();
    await until('the first worker has ended', () => outcomes().length === 2);
    expect(performers.map(({ job }) => job)).toEqual([work?.job, work?.job]);
    expect(outcomes().map(({ outcome }) => outcome)).toEqual(
      expect.arrayContaining(['succeeded', 'superseded']),
    );
    expect(await prints()).toEqual(['worker 2']);
    expect(await results(id)).toEqual(['succeeded', 'late']);
    expect(await shop.document(id)).toMatchObject({ printing_status: 'PROCESSED', printing_attempts: 1 });
    expect(await shop.pagesPrinted()).toBe(2);
  });

  it('of the first worker is ignored while the second one still has the job', async () => {
    const { system, id, performers, letFirstEnd, letSecondEnd, outcomes } = await heldUp({ second: true });
    await handToAnother(system, performers[0]);
    await until('another worker prints', () => performers.length === 2);
    letFirstEnd();
    await until('the first worker has ended', () => outcomes().length === 1);
    expect(outcomes()).toMatchObject([{ outcome: 'superseded' }]);
    expect(await prints()).toEqual([]);
    expect(await shop.document(id)).toMatchObject({ printing_status: 'PROCESSING', printing_attempts: 0 });
    letSecondEnd();
    await until('it is printed', async () => (await shop.pagesPrinted()) === 2);
    expect(await prints()).toEqual(['worker 2']);
    expect(await results(id)).toEqual(['late', 'succeeded']);
  });

  it('writes nothing when its actor has gone on without it', async () => {
    const { id, letFirstEnd, outcomes } = await heldUp();
    await shop.database.sql`update toy_documents set printing_job_id = 'another' where id = ${id}`;
    const before = await shop.document(id);
    letFirstEnd();
    await until('the first worker has ended', () => outcomes().length === 1);
    expect(outcomes()).toMatchObject([{ outcome: 'superseded' }]);
    expect(await prints()).toEqual([]);
    expect(await shop.document(id)).toEqual(before);
    expect(await results(id)).toEqual(['late']);
  });
});

describe('work that was taken over by another worker', () => {
  it('may send nothing to the outside any more', async () => {
    const { system, performers, letFirstEnd } = await heldUp();
    const [work] = performers;
    await handToAnother(system, work);
    await expect(work?.submitting()).rejects.toMatchObject({ code: 'SUPERSEDED' });
    await until('another worker has printed', async () => (await shop.pagesPrinted()) === 2);
    await expect(work?.submitting()).rejects.toMatchObject({ code: 'SUPERSEDED' });
    letFirstEnd();
  });

  it('too often, because every worker died, counts as a failed attempt', async () => {
    const { system, id, performers, letFirstEnd } = await heldUp();
    const [work] = performers;
    await shop.database.sql`update pgboss.job set retry_limit = 0 where id = ${work?.job ?? ''}`;
    await handToAnother(system, work);
    await until('another worker has printed', async () => (await shop.pagesPrinted()) === 2);
    letFirstEnd();
    const [lost] = (await shop.journal(id)).filter(({ event }) => event === 'failed');
    expect(lost).toMatchObject({
      region: 'printing',
      error_code: 'WORKER_LOST',
      job_id: work?.job,
      attempt: 1,
    });
    expect(performers).toHaveLength(2);
    expect(performers[1]).toMatchObject({ id, attempt: 1 });
    expect(await shop.count('actor_claims', `job_id = '${work?.job}'`)).toBe(0);
  });
});
