import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { run } from './run.ts';
import { type Act, schedules } from './schedule.ts';
import type { Mutation } from './simulation.ts';
import { sessionOf } from './storage.ts';
import { atOnce } from './transaction.ts';

/** Systems that are deliberately broken in one place each, and what is to be found of it. */
const BROKEN: readonly {
  readonly what: string;
  readonly finds: RegExp;
  readonly mutation: Mutation;
  /** Acts without which it is found late. */
  readonly always?: readonly Act[];
}[] = [
  {
    what: 'handles every message twice',
    finds: /heard|mail waits|under way/,
    mutation: {
      storage: (storage) => ({
        ...storage,
        takeMessages: (tx, machine, ids, now) =>
          storage.takeMessages(tx, machine, ids, now, 1).then((taken) => [...taken, ...taken]),
      }),
    },
  },
  {
    what: 'reads rows without locking them',
    finds: /./,
    mutation: {
      storage: (storage) => ({
        ...storage,
        lockRows: (tx, actor, ids) => {
          const { server } = sessionOf(tx).client;
          return sessionOf(tx).request(
            'readRows',
            atOnce((t) => {
              const table = server.table<Readonly<Record<string, unknown>>>(actor.name);
              return table.select(t, (row) => ids.includes(String(row.id)));
            }),
          );
        },
      }),
    },
  },
  {
    what: 'pays before it has stored that it is about to pay',
    finds: /was paid \d+ times/,
    mutation: {
      stages: (stages, { bank, process }) =>
        stages.map((stage) =>
          stage.name !== 'pay'
            ? stage
            : {
                ...stage,
                perform: async (work) => {
                  const answer = await bank.pay(process, work.id, `${work.id}-${work.attempt}`, work.signal);
                  await work.submitting();
                  if (answer === 'paid') return { kind: 'succeeded' };
                  return { kind: 'refused', code: 'REFUSED', message: 'The bank refuses.' };
                },
              },
        ),
    },
  },
  {
    what: 'does not hand on the jobs of processes that have died',
    finds: /under way|claim is left|has noticed/,
    mutation: { storage: (storage) => ({ ...storage, deadProcesses: async () => [] }) },
  },
  {
    what: 'submits although the stage is paused',
    finds: /although paying is paused/,
    // Nobody hears of the pause; everybody looks half a second later.
    always: [
      ...[0, 1, 2].map((whom) => ({ at: 10, act: 'deafen', whom, ms: 5_000 }) as const),
      ...[0, 1, 2].map((by) => ({ at: 100, act: 'order', by, items: 4 }) as const),
      { at: 110, act: 'pause', by: 0, stage: 2 },
    ],
    mutation: {
      storage: (storage) => ({
        ...storage,
        heldPauses: async () => new Set(),
        pausedAmong: async () => new Set(),
      }),
    },
  },
];

describe('the simulation finds a system that', () => {
  it.each(BROKEN)(
    '$what',
    async ({ mutation, finds, always = [] }) => {
      const found: string[] = [];
      for (const schedule of fc.sample(schedules, { numRuns: 300, seed: 1 })) {
        const acts = [...schedule.acts, ...always];
        found.push(...(await run({ ...schedule, acts }, mutation)).violations);
        if (found.some((violation) => finds.test(violation))) return;
      }
      expect(found.join('\n')).toMatch(finds);
    },
    60_000,
  );
});
