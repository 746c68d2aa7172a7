import type { Job } from 'pg-boss';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimOf, type JobData, workerQueue } from '../../src/runtime/jobs.ts';
import { Processes } from '../../src/runtime/processes.ts';
import type { Outcome, Stage } from '../../src/runtime/stage.ts';
import { documentActor } from '../support/toy.ts';
import { type Member, openSteppedShop, type SteppedShop, stageOf } from './members.ts';
import { ORDERS_TIMEOUT_MS } from './orders.ts';

const typesetting = stageOf('typesetting');
const queue = workerQueue(typesetting);
/** Nothing comes back while an order runs. */
const options = { backoff: { baseMs: 3_600_000, maxMs: 3_600_000 }, staleAfterMs: 0 } as const;
/** A job that has lost its work is nobody's any more, whoever ends it. */
const ENDED = /^(cancelled|completed)$/;
/** Number of a process that does not live. */
const DEAD = 0;
const NEVER_MS = 3_600_000;

let stepped: SteppedShop;
let one: Member;
let other: Member;
let third: Member;
beforeAll(async () => {
  stepped = await openSteppedShop();
  [one, other, third] = await Promise.all([
    stepped.join(options),
    stepped.join(options),
    stepped.join(options),
  ]);
});
afterAll(() => stepped.close());

interface Scene {
  readonly id: string;
  readonly job: Job<JobData>;
}

/** A document whose typesetting a worker has fetched; there is no other. */
async function fetched(n: number): Promise<Scene> {
  const { sql } = stepped.shop.database;
  await Promise.all(
    ['toy_documents', 'pgboss.job', 'actor_claims'].map((table) => sql.unsafe(`delete from ${table}`)),
  );
  const [id = ''] = await stepped.shop.receive(one.system, `o${n}-${crypto.randomUUID()}`, 1);
  const job = await one.fetch(typesetting);
  await one.processes.claim(queue, [claimOf(job)]);
  return { id, job };
}

/** The same, and its job was given to another worker meanwhile. */
async function fetchedAgain(n: number): Promise<Scene & { readonly again: Job<JobData> }> {
  const scene = await fetched(n);
  const { jobs } = one.system.store;
  await one.system.transact(({ sql }) => jobs.handBack(sql, queue, [claimOf(scene.job)], 'It hung.'));
  const again = await other.fetch(typesetting);
  await other.processes.claim(queue, [claimOf(again)]);
  return { ...scene, again };
}

/** Performs a job as a worker does, and says in the database who did it. */
const performs = (member: Member, job: Job<JobData>, note: string) => ({
  wire: member.wire,
  async act() {
    const perform = async (): Promise<Outcome> => ({
      kind: 'succeeded',
      async write({ sql }) {
        await sql`insert into toy_prints (document_id, note) values (${job.data.id}, ${note})`;
      },
    });
    await member.performer.run({ ...typesetting, perform } as Stage, [job], new AbortController().signal);
    // What pg-boss does when its worker is done with a job; nothing, if that was recorded or the job lost.
    await member.system.store.jobs.boss.complete(queue, { id: job.id, retryCount: job.retryCount });
  },
});

/** An event that takes the work from whoever has it. */
const beginsAnew = (member: Member, { id }: Scene) => ({
  wire: member.wire,
  act: () =>
    member.system.transact((tx) =>
      tx.send(documentActor, [{ id, event: { type: 'typesetting.restart', at: tx.now, dueAt: tx.now } }]),
    ),
});

/** Whether an outcome was recorded. */
const counted = async ({ id }: Scene) =>
  (await stepped.shop.count('toy_prints', `document_id = '${id}'`)) > 0;

/** How things stand for a document and its job. */
async function standing({ id, job }: Scene) {
  const { sql } = stepped.shop.database;
  const prints = await sql<{ note: string }[]>`select note from toy_prints where document_id = ${id}`;
  const queued = await sql<
    { id: string; state: string }[]
  >`select id, state from pgboss.job where name = ${queue}`;
  const { typesetting_status: status, typesetting_job_id: owner } = await stepped.shop.document(id);
  const entries = await stepped.shop.journal(id);
  return {
    prints: prints.map(({ note }) => note),
    job: queued.find((row) => row.id === job.id)?.state,
    others: queued.filter((row) => row.id !== job.id),
    claims: await stepped.shop.count('actor_claims'),
    late: entries.filter(({ event }) => event === 'late').length,
    status,
    owner,
  };
}

describe('in every order, an outcome', () => {
  it(
    'counts once when the worker that has the job and the one that lost it report at once',
    async () => {
      const orders = await stepped.everyOrder({
        interruptions: 2,
        prepare: fetchedAgain,
        parties: (scene) => [performs(one, scene.job, 'first'), performs(other, scene.again, 'second')],
        async check(scene) {
          expect(await standing(scene)).toMatchObject({
            prints: ['second'],
            job: 'completed',
            claims: 0,
            late: 1,
            status: 'PROCESSED',
          });
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );

  it(
    'counts, or its job is handed out again, when its process is declared dead',
    async () => {
      const orders = await stepped.everyOrder({
        async prepare(n) {
          const scene = await fetched(n);
          await stepped.shop.database.sql`update actor_claims set process = ${DEAD}`;
          return { ...scene, looks: new Processes(other.system.store, 'member', NEVER_MS, () => {}) };
        },
        parties: (scene) => [
          performs(one, scene.job, 'late'),
          { wire: other.wire, act: () => scene.looks.start() },
        ],
        async check(scene) {
          await scene.looks.stop();
          const counts = await counted(scene);
          expect(await standing(scene)).toMatchObject({
            prints: counts ? ['late'] : [],
            job: counts ? 'completed' : 'retry',
            claims: 0,
            late: counts ? 0 : 1,
            status: counts ? 'PROCESSED' : 'PROCESSING',
          });
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );

  it(
    'counts, or the work goes on under another job, when the work is begun anew',
    async () => {
      const orders = await stepped.everyOrder({
        interruptions: 2,
        prepare: fetched,
        parties: (scene) => [performs(one, scene.job, 'old'), beginsAnew(other, scene)],
        async check(scene) {
          const counts = await counted(scene);
          const stands = await standing(scene);
          expect(stands).toMatchObject({
            prints: counts ? ['old'] : [],
            claims: 0,
            late: counts ? 0 : 1,
            status: 'PROCESSING',
            others: [{ id: stands.owner, state: 'created' }],
          });
          expect(stands.job).toMatch(counts ? /^completed$/ : ENDED);
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );

  it(
    'counts, or the work is taken back, when a tick finds the work stale',
    async () => {
      const orders = await stepped.everyOrder({
        prepare: fetched,
        parties: (scene) => [
          performs(one, scene.job, 'late'),
          { wire: other.wire, act: () => other.system.ticks.tick(typesetting) },
        ],
        async check(scene) {
          const counts = await counted(scene);
          expect(await standing(scene)).toMatchObject({
            prints: counts ? ['late'] : [],
            job: expect.stringMatching(counts ? /^completed$/ : ENDED),
            others: [],
            claims: 0,
            late: counts ? 0 : 1,
            status: counts ? 'PROCESSED' : 'PENDING',
          });
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );

  it(
    'counts at most once when two workers report and the work is begun anew',
    async () => {
      const orders = await stepped.everyOrder({
        // Three in every order are thousands of orders: these are those in which nobody is interrupted but by a lock.
        interruptions: 0,
        prepare: fetchedAgain,
        parties: (scene) => [
          performs(one, scene.job, 'first'),
          performs(other, scene.again, 'second'),
          beginsAnew(third, scene),
        ],
        async check(scene) {
          const counts = await counted(scene);
          const stands = await standing(scene);
          expect(stands).toMatchObject({
            prints: counts ? ['second'] : [],
            job: expect.stringMatching(counts ? /^completed$/ : ENDED),
            claims: 0,
            status: 'PROCESSING',
            others: [{ id: stands.owner, state: 'created' }],
          });
        },
      });
      expect(orders).toBeGreaterThan(3);
    },
    ORDERS_TIMEOUT_MS,
  );
});

describe('in every order, a job', () => {
  it(
    'is handed out once more when its process gives it back and is declared dead',
    async () => {
      const orders = await stepped.everyOrder({
        async prepare(n) {
          const scene = await fetched(n);
          await stepped.shop.database.sql`update actor_claims set process = ${DEAD}`;
          return { ...scene, looks: new Processes(other.system.store, 'member', NEVER_MS, () => {}) };
        },
        parties: (scene) => [
          {
            wire: one.wire,
            act: () => one.processes.giveBack(queue, [claimOf(scene.job)], 'The process stops.'),
          },
          { wire: other.wire, act: () => scene.looks.start() },
        ],
        async check(scene) {
          await scene.looks.stop();
          expect(await standing(scene)).toMatchObject({ job: 'retry', claims: 0, status: 'PROCESSING' });
          const [job, none] = await other.system.store.jobs.boss.fetch(queue, { batchSize: 2 });
          expect([job, none]).toMatchObject([{ id: scene.job.id, retryCount: 1 }, undefined]);
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );
});
