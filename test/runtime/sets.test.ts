import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome, SetBySet, Stage, StagePolicy, Work } from '../../src/runtime/stage.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { toyStages } from '../support/toy.ts';
import { gate, until } from '../support/wait.ts';

const SET_SIZE = 40;
const succeeded: Outcome = { kind: 'succeeded' };
const jammed: Outcome = { kind: 'failed', code: 'PAPER_JAM', message: 'The paper is stuck.' };

/** The print shop with a press that prints many documents at once. */
function withPress(
  performSet: SetBySet['performSet'],
  policy: Partial<StagePolicy & SetBySet> = {},
): readonly Stage[] {
  return toyStages().map((stage) => {
    if (stage.region !== 'printing') return stage;
    const { perform: _, ...kept } = stage as StagePolicy & { perform: unknown };
    return { ...kept, setSize: SET_SIZE, concurrency: 1, performSet, ...policy };
  });
}

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const printed = async () => (await shop.documents()).map((document) => document.printing_status);

describe('work that is done set by set', () => {
  it('is handed over together, each piece once, in sets of at most the size asked for', async () => {
    const sets: string[][] = [];
    const first = gate();
    const stages = withPress(async (set) => {
      // While the first set is held up, everything else comes to wait.
      if (sets.push(set.map(({ id }) => id)) === 1) await first.opened;
      return set.map(() => succeeded);
    });
    const system = await shop.join({ stages });
    const ids = await shop.receive(system, 'o1', 150);
    const waiting = "name = 'toy_printing_worker' and state = 'created'";
    await until('all others wait', async () => {
      const held = sets[0]?.length ?? 0;
      return held > 0 && (await shop.count('pgboss.job', waiting)) === ids.length - held;
    });
    first.open();
    await until('all are printed', async () => (await shop.pagesPrinted()) === 300);
    expect(sets.flat().sort()).toEqual(ids);
    expect(Math.max(...sets.map((set) => set.length))).toBe(SET_SIZE);
    expect(sets.length).toBeLessThanOrEqual(2 + Math.ceil(150 / SET_SIZE));
  });

  it('has an outcome for each piece: one that fails does not harm the others', async () => {
    const stages = withPress(async (set) =>
      set.map(({ id, attempt }) => (id.endsWith('7') && attempt === 0 ? jammed : succeeded)),
    );
    const system = await shop.join({ stages });
    await shop.receive(system, 'o1', 20);
    await until('all are printed', async () => (await shop.pagesPrinted()) === 40);
    const failures = await shop.count('actor_transitions', "region = 'printing' and event = 'failed'");
    expect(failures).toBe(2);
  });

  it('counts as failed, all of it, when performing throws', async () => {
    const { heard, observer } = listen();
    const stages = withPress(
      async () => {
        throw Object.assign(new Error('The press is on fire.'), { code: 'FIRE', retryable: false });
      },
      { maxAttempts: 3 },
    );
    const system = await shop.join({ stages, observer });
    await shop.receive(system, 'o1', 5);
    await until('all have failed', async () => (await printed()).every((status) => status === 'ERROR'));
    expect(heard.ended.filter(({ code }) => code === 'FIRE')).toHaveLength(5);
    expect(heard.troubled).toEqual([]);
  });

  it('counts as failed when an outcome is missing', async () => {
    const stages = withPress(async (set) => set.slice(1).map(() => succeeded), { maxAttempts: 1 });
    const system = await shop.join({ stages });
    await shop.receive(system, 'o1', 1);
    await until('it has failed', async () => (await printed())[0] === 'ERROR');
    const [document] = await shop.documents();
    expect(document?.printing_latest_error_code).toBe('OUTCOMES_MISSING');
  });
});

describe('outcomes that write what only one may write at a time', () => {
  it('take turns, whoever records them, and never wait crosswise', async () => {
    const names = ['the ledger', 'the archive', 'the press'];
    const { heard, observer } = listen();
    const printing = async ({ id }: Work): Promise<Outcome> => {
      const turned = Number(id.slice(-1)) % names.length;
      return {
        kind: 'succeeded',
        exclusively: [...names.slice(turned), ...names.slice(0, turned)],
        // Reads, then writes what it has read: two at a time would give the same number.
        async write({ sql }) {
          const [row] = await sql<{ n: number }[]>`select count(*)::int as n from toy_prints`;
          await sql`insert into toy_prints (document_id, note) values (${id}, ${String(row?.n)})`;
        },
      };
    };
    const systems = await Promise.all([1, 2, 3].map(() => shop.join({ observer }, { printing })));
    const [system] = systems;
    if (!system) throw new Error('Three processes were to be started.');
    await shop.receive(system, 'o1', 120);
    await until('all are printed', async () => (await shop.pagesPrinted()) === 240);
    const notes = await shop.database.sql<{ n: number }[]>`select note::int as n from toy_prints order by 1`;
    expect(notes.map(({ n }) => n)).toEqual(Array.from({ length: 120 }, (_, n) => n));
    expect(heard.troubled).toEqual([]);
  });
});
