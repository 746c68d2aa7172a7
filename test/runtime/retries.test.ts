import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { retryAt } from '../../src/runtime/backoff.ts';
import type { Outcome, Stage, Submission, Work } from '../../src/runtime/stage.ts';
import { openShop, type Shop } from '../support/shop.ts';
import { documentActor, toyStages } from '../support/toy.ts';
import { until } from '../support/wait.ts';

const failed: Outcome = { kind: 'failed', code: 'PAPER_JAM', message: 'The paper is stuck.' };
const succeeded: Outcome = { kind: 'succeeded' };

describe('the time of the next attempt', () => {
  const backoffs = fc
    .record({ baseMs: fc.integer({ min: 1, max: 60_000 }), factor: fc.integer({ min: 1, max: 10_000 }) })
    .map(({ baseMs, factor }) => ({ baseMs, maxMs: baseMs * factor }));
  const attempts = fc.nat({ max: 2_000 });
  const draws = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const now = new Date('2026-01-01T00:00:00Z');
  const wait = (attempt: number, backoff: { baseMs: number; maxMs: number }, draw: number) =>
    retryAt(now, attempt, backoff, () => draw).getTime() - now.getTime();

  it('lies in the upper half of a time that doubles with every attempt, up to the bound', () => {
    fc.assert(
      fc.property(attempts, backoffs, draws, (attempt, backoff, draw) => {
        const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** attempt);
        const waited = wait(attempt, backoff, draw);
        expect(waited).toBeGreaterThanOrEqual(Math.floor(full / 2));
        expect(waited).toBeLessThanOrEqual(Math.ceil(full));
      }),
    );
  });

  it('never comes earlier for a later attempt, whatever is drawn', () => {
    fc.assert(
      fc.property(attempts, backoffs, draws, draws, (attempt, backoff, one, other) => {
        const full = backoff.baseMs * 2 ** (attempt + 1);
        fc.pre(full <= backoff.maxMs);
        expect(wait(attempt + 1, backoff, one)).toBeGreaterThanOrEqual(wait(attempt, backoff, other) - 1);
      }),
    );
  });

  it('differs between pieces of work that failed together', () => {
    const waits = Array.from({ length: 100 }, () =>
      retryAt(now, 3, { baseMs: 1_000, maxMs: 100_000 }).getTime(),
    );
    expect(new Set(waits).size).toBeGreaterThan(50);
  });
});

describe('an attempt', () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await openShop();
  });
  afterEach(() => shop.close());

  const state = async (id: string, region: 'typesetting' | 'printing' = 'printing') => {
    const row = await shop.document(id);
    const column = (part: string) => row[`${region}_${part}`];
    return { status: column('status'), attempts: column('attempts'), code: column('latest_error_code') };
  };
  const reaches = (id: string, status: string, region?: 'typesetting' | 'printing') =>
    until(`${id} is ${status}`, async () => (await state(id, region)).status === status);

  it('that fails comes back after a time that grows and is not the same for all', async () => {
    const backoff = { baseMs: 60, maxMs: 10_000 };
    const started = new Map<string, number[]>();
    const printing = async ({ id, attempt }: Work) => {
      started.set(id, [...(started.get(id) ?? []), Date.now()]);
      return attempt < 2 ? failed : succeeded;
    };
    const system = await shop.join({ backoff }, { printing });
    const ids = await shop.receive(system, 'o1', 8);
    await until('all are printed', async () => (await shop.pagesPrinted()) === 16);
    const delays = await shop.database.sql<{ attempt: number; ms: number }[]>`
      select attempt, (extract(epoch from due_at - at) * 1000)::int as ms from actor_transitions
      where region = 'printing' and event = 'failed'`;
    for (const attempt of [1, 2]) {
      const drawn = delays.filter((delay) => delay.attempt === attempt).map(({ ms }) => ms);
      expect(drawn).toHaveLength(8);
      expect(Math.min(...drawn)).toBeGreaterThanOrEqual(30 * 2 ** (attempt - 1));
      expect(Math.max(...drawn)).toBeLessThanOrEqual(60 * 2 ** (attempt - 1));
      expect(new Set(drawn).size).toBeGreaterThan(1);
    }
    for (const id of ids) {
      const [first = 0, second = 0, third = 0] = started.get(id) ?? [];
      expect(started.get(id)).toHaveLength(3);
      expect(second - first).toBeGreaterThanOrEqual(30);
      expect(third - second).toBeGreaterThanOrEqual(60);
    }
  });

  it('is never made more often than allowed; then the work is in ERROR with its code', async () => {
    let performed = 0;
    const printing = async () => {
      performed += 1;
      return failed;
    };
    const system = await shop.join({ stages: toyStages({ printing }, { maxAttempts: 4 }) });
    const [id = ''] = await shop.receive(system, 'o1', 1);
    await reaches(id, 'ERROR');
    expect(await state(id)).toEqual({ status: 'ERROR', attempts: 4, code: 'PAPER_JAM' });
    for (const stage of system.store.registry.stages) {
      expect(await system.ticks.tick(stage)).toEqual({ dispatched: 0, stale: 0 });
    }
    expect(performed).toBe(4);
    expect((await shop.journal(id)).at(-1)).toMatchObject({ error_message: 'The paper is stuck.' });
  });

  it('whose failure is final is the last one', async () => {
    const system = await shop.join({}, { printing: async () => ({ ...failed, final: true }) });
    const [id = ''] = await shop.receive(system, 'o1', 1);
    await reaches(id, 'ERROR');
    expect(await state(id)).toEqual({ status: 'ERROR', attempts: 1, code: 'PAPER_JAM' });
  });

  it('fails with the code of what its worker throws', async () => {
    const printing = async () => {
      throw Object.assign(new Error('The printer is out of ink.'), { code: 'NO_INK' });
    };
    const typesetting = async ({ id }: Work): Promise<Outcome> => {
      if (id.endsWith('1')) throw new TypeError('x is not a function');
      return succeeded;
    };
    const system = await shop.join({}, { printing, typesetting });
    const [printed = '', typeset = ''] = await shop.receive(system, 'o1', 2);
    await reaches(printed, 'ERROR');
    expect(await state(printed)).toMatchObject({ code: 'NO_INK' });
    await reaches(typeset, 'ERROR', 'typesetting');
    expect(await state(typeset, 'typesetting')).toMatchObject({ code: 'INTERNAL_ERROR' });
  });

  it('answered with "no" is used up, but its submission surely did nothing: the next one is a new one', async () => {
    const submissions: Submission[] = [];
    const answers: Outcome[] = [
      { kind: 'failed', code: 'TIMEOUT', message: 'No answer.' },
      { kind: 'refused', code: 'WRONG_SIZE', message: 'That paper is too big.' },
      succeeded,
    ];
    const printing = async (work: Work) => {
      submissions.push(await work.submitting());
      return answers[work.attempt] ?? failed;
    };
    const system = await shop.join({}, { printing });
    const [id = ''] = await shop.receive(system, 'o1', 1);
    await reaches(id, 'PROCESSED');
    expect(submissions).toEqual([
      { number: 1, maybeSent: false },
      { number: 1, maybeSent: true },
      { number: 2, maybeSent: false },
    ]);
    expect(await state(id)).toEqual({ status: 'PROCESSED', attempts: 3, code: null });
  });

  it('is made again from the beginning when an operator says so', async () => {
    let jammed = true;
    const system = await shop.join({}, { printing: async () => (jammed ? failed : succeeded) });
    const [id = ''] = await shop.receive(system, 'o1', 1);
    await reaches(id, 'ERROR');
    jammed = false;
    const retry = { type: 'printing.retry', at: new Date() } as const;
    expect(await system.send(documentActor, id, retry)).toMatchObject({ accepted: true });
    await reaches(id, 'PROCESSED');
    expect(await state(id)).toEqual({ status: 'PROCESSED', attempts: 1, code: null });
  });

  describe('that an operator leaves out', () => {
    const jam = async () => ({ ...failed, final: true });
    const shopThatJams = (onRelease: Stage['onRelease']) => {
      const stages = toyStages({ typesetting: jam }).map((stage) =>
        stage.region === 'typesetting' && onRelease ? { ...stage, onRelease } : stage,
      );
      return shop.join({ stages });
    };

    it('counts as processed, with what the stage writes about it, and the next stage goes on', async () => {
      const system = await shopThatJams(async ({ sql }, id) => {
        await sql`insert into toy_prints (document_id, note) values (${id}, 'left out')`;
      });
      const [id = ''] = await shop.receive(system, 'o1', 1);
      await reaches(id, 'ERROR', 'typesetting');
      expect(await system.release(documentActor, id, 'printing')).toMatchObject({ accepted: false });
      expect(await shop.count('toy_prints')).toBe(0);
      expect(await system.release(documentActor, id, 'typesetting')).toMatchObject({ accepted: true });
      expect(await system.release(documentActor, id, 'typesetting')).toMatchObject({ accepted: false });
      await reaches(id, 'PROCESSED', 'printing');
      expect(await state(id, 'typesetting')).toEqual({ status: 'PROCESSED', attempts: 1, code: 'PAPER_JAM' });
      expect(await shop.count('toy_prints')).toBe(1);
    });

    it('stays in ERROR when the stage cannot write about it', async () => {
      const system = await shopThatJams(async () => {
        throw new Error('The archive is closed.');
      });
      const [id = ''] = await shop.receive(system, 'o1', 1);
      await reaches(id, 'ERROR', 'typesetting');
      const before = await shop.journal(id);
      await expect(system.release(documentActor, id, 'typesetting')).rejects.toThrow(
        'The archive is closed.',
      );
      expect((await state(id, 'typesetting')).status).toBe('ERROR');
      expect(await shop.journal(id)).toEqual(before);
    });
  });
});
