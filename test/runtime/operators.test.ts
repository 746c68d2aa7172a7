import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome, Stage } from '../../src/runtime/stage.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { openShop, type Shop } from '../support/shop.ts';
import { documentActor, toyStages } from '../support/toy.ts';
import { until } from '../support/wait.ts';

const WHO = { by: 'Amina', reason: 'The printer is mended.' };
const HOUR_MS = 3_600_000;
const jam: Outcome = { kind: 'failed', code: 'PAPER_JAM', message: 'The printer is jammed.', final: true };

let shop: Shop;
let jammed: boolean;
beforeEach(async () => {
  shop = await openShop();
  jammed = true;
});
afterEach(() => shop.close());

const perform = async (): Promise<Outcome> => (jammed ? jam : { kind: 'succeeded' });
const inState = (state: string, region = 'typesetting') =>
  shop.count('toy_documents', `${region}_status = '${state}'`);

/** Documents whose typesetting has stopped in ERROR. */
async function inError(count: number, onRelease?: Stage['onRelease']) {
  const stages = toyStages({ typesetting: perform }).map((stage) =>
    stage.region === 'typesetting' && onRelease ? { ...stage, onRelease } : stage,
  );
  const system = await shop.join({ stages });
  const ids = await shop.receive(system, 'o1', count);
  await until('all are in ERROR', async () => (await inState('ERROR')) === count);
  jammed = false;
  return { system, ids };
}

const entries = async (event: string) =>
  (await shop.database.sql`
    select actor_id, region, event, by, reason from actor_transitions where event = ${event} order by seq`) as unknown as readonly Record<
    string,
    unknown
  >[];

describe('an action on a set of work', () => {
  it('retries what is in ERROR, tells who could not, and is in the journal with who and why', async () => {
    const { system, ids } = await inError(3);
    const acted = await system.act('toy_typesetting', 'retry', [...ids, 'nobody', ...ids], WHO);
    expect(acted).toEqual({ accepted: ids, refused: ['nobody'] });
    await until('all are printed', async () => (await inState('PROCESSED', 'printing')) === 3);
    expect(await entries('retry')).toEqual(
      ids.map((id) => ({ actor_id: id, region: 'typesetting', event: 'retry', ...WHO })),
    );
    for (const event of ['dispatch', 'succeeded', 'failed'])
      for (const entry of await entries(event)) expect(entry).toMatchObject({ by: null, reason: null });
    expect(await system.act('toy_typesetting', 'retry', ids, WHO)).toEqual({ accepted: [], refused: ids });
  });

  it('releases each with what its stage writes about it, the steps that follow at once included in who did it', async () => {
    const { system, ids } = await inError(2, async ({ sql }, id) => {
      await sql`insert into toy_prints (document_id, note) values (${id}, 'left out')`;
    });
    expect(await system.act('toy_typesetting', 'release', ids, WHO)).toEqual({ accepted: ids, refused: [] });
    expect(await shop.count('toy_prints')).toBe(2);
    expect(await entries('release')).toHaveLength(2);
    for (const entry of await entries('enable')) {
      expect(entry).toMatchObject(entry.region === 'printing' ? WHO : { by: null });
    }
  });

  it('leaves out those of which the caller says no when they are locked', async () => {
    const { system, ids } = await inError(2);
    const acted = await system.act('toy_typesetting', 'retry', ids, WHO, {
      only: ({ context }) => context.id !== ids[0],
    });
    expect(acted).toEqual({ accepted: [ids[1]], refused: [ids[0]] });
  });

  it('stands or falls with what is stored with it', async () => {
    const { system, ids } = await inError(2);
    const fall = system.act('toy_typesetting', 'retry', ids, WHO, {
      also: async (sql, { accepted, refused }) => {
        await sql`insert into toy_prints (document_id) values ('audit')`;
        throw new Error(`${accepted.length} and ${refused.length}`);
      },
    });
    await expect(fall).rejects.toThrow('2 and 0');
    expect(await inState('ERROR')).toBe(2);
    expect(await shop.count('toy_prints')).toBe(0);
  });

  it('is refused for too many, for nobody, without a reason', async () => {
    const system = await shop.join({ works: false });
    const many = Array.from({ length: 501 }, (_, n) => `d${n}`);
    await expect(system.act('toy_typesetting', 'retry', many, WHO)).rejects.toMatchObject({
      code: 'TOO_MANY',
    });
    const silent = system.act('toy_typesetting', 'retry', ['d1'], { by: 'Amina', reason: '' });
    await expect(silent).rejects.toMatchObject({ code: 'WHO_MISSING' });
    await expect(system.act('toy_nothing', 'retry', ['d1'], WHO)).rejects.toMatchObject({
      code: 'UNKNOWN_STAGE',
    });
  });

  it('can be one release, with who and why', async () => {
    const { system, ids } = await inError(1);
    await system.release(documentActor, ids[0] ?? '', 'typesetting', WHO);
    expect(await entries('release')).toEqual([
      { actor_id: ids[0], region: 'typesetting', event: 'release', ...WHO },
    ]);
  });
});

describe('waiting work that is to be done now', () => {
  const now = new Date('2026-03-01T12:00:00Z');
  const later = new Date(now.getTime() + HOUR_MS);
  const joinIdle = () => shop.join({ works: false, mode: 'tick', clock: { now: () => now } });

  async function withTypesetting(system: ActorSystem, values: { due: Date | null; code?: string }) {
    const orderId = crypto.randomUUID();
    const [id = ''] = await shop.receive(system, orderId, 1, null);
    await shop.database.sql`
      update toy_documents set typesetting_due_at = ${values.due}, typesetting_latest_error_code = ${values.code ?? null}
      where id = ${id}`;
    return id;
  }

  it('is dispatched when it is due, or was tried before and is due again later', async () => {
    const system = await joinIdle();
    const due = await withTypesetting(system, { due: now });
    const again = await withTypesetting(system, { due: later, code: 'PAPER_JAM' });
    const acted = await system.act('toy_typesetting', 'dispatch', [due, again], WHO);
    expect(acted.accepted).toEqual([due, again]);
    expect(await inState('PROCESSING')).toBe(2);
    expect(await shop.count('pgboss.job', "name = 'toy_typesetting_worker'")).toBe(2);
    expect(await entries('dispatch')).toMatchObject([WHO, WHO]);
  });

  it('is not dispatched when it waits for something else than time, or for its appointed day', async () => {
    const system = await joinIdle();
    const waiting = await withTypesetting(system, { due: null });
    const appointed = await withTypesetting(system, { due: later });
    const acted = await system.act('toy_typesetting', 'dispatch', [waiting, appointed], WHO);
    expect(acted).toEqual({ accepted: [], refused: [waiting, appointed] });
    expect(await inState('PENDING')).toBe(2);
  });

  it('is not dispatched while the stage is paused', async () => {
    const system = await joinIdle();
    const id = await withTypesetting(system, { due: now });
    await system.pauses.pause('toy_typesetting', WHO);
    const refused = system.act('toy_typesetting', 'dispatch', [id], WHO);
    await expect(refused).rejects.toMatchObject({ code: 'STAGE_PAUSED' });
    expect(await inState('PENDING')).toBe(1);
  });
});

describe('a job whose work was begun anew', () => {
  it('is cancelled, is not performed if it still waits, and its result does not count if it is under way', async () => {
    const seen: string[] = [];
    const sender = await shop.join({ works: false });
    const [id = ''] = await shop.receive(sender, 'o1', 1);
    const { typesetting_job_id: first } = await shop.document(id);
    const restart = { type: 'typesetting.restart', at: new Date(), dueAt: new Date() } as const;
    expect(await sender.send(documentActor, id, restart)).toMatchObject({ accepted: true });
    const { typesetting_job_id: second } = await shop.document(id);
    expect(second).not.toBe(first);
    expect(await shop.count('pgboss.job', `id = '${first}' and state = 'cancelled'`)).toBe(1);
    await shop.join(
      {},
      {
        async typesetting(work) {
          seen.push(work.job);
          return { kind: 'succeeded' };
        },
      },
    );
    await until('it is printed', async () => (await inState('PROCESSED', 'printing')) === 1);
    expect(seen).toEqual([second]);
  });

  it('is no longer claimed by the process that performs it', async () => {
    const begun: string[] = [];
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const system = await shop.join(
      {},
      {
        async typesetting(work) {
          begun.push(work.job);
          if (begun.length === 1) await mayEnd;
          return { kind: 'succeeded' };
        },
      },
    );
    const [id = ''] = await shop.receive(system, 'o1', 1);
    await until('it is under way', () => begun.length === 1);
    await system.send(documentActor, id, {
      type: 'typesetting.restart',
      at: new Date(),
      dueAt: new Date(),
    });
    expect(await shop.count('actor_claims', `job_id = '${begun[0]}'`)).toBe(0);
    await until('it is printed', async () => (await inState('PROCESSED', 'printing')) === 1);
    end();
    await until('its late result is shown', async () => (await entries('late')).length === 1);
    expect(await shop.document(id)).toMatchObject({ typesetting_attempts: 1 });
  });
});
