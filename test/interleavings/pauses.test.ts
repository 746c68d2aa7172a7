import type { Job } from 'pg-boss';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimOf, type JobData, workerQueue } from '../../src/runtime/jobs.ts';
import type { Stage } from '../../src/runtime/stage.ts';
import { documentActor } from '../support/toy.ts';
import { type Member, openSteppedShop, type SteppedShop, stageOf } from './members.ts';
import { ORDERS_TIMEOUT_MS } from './orders.ts';

const printing = stageOf('printing');
const queue = workerQueue(printing);
const WHO = { by: 'Selam', reason: 'The paper is wrong.' };

let stepped: SteppedShop;
let one: Member;
let other: Member;
beforeAll(async () => {
  stepped = await openSteppedShop();
  [one, other] = await Promise.all([stepped.join(), stepped.join()]);
});
afterAll(() => stepped.close());

/** A document that nothing has been done with; there is no other, and nothing is paused. */
async function received(n: number): Promise<string> {
  const { sql } = stepped.shop.database;
  const tables = ['toy_documents', 'pgboss.job', 'actor_claims', 'actor_pauses'];
  await Promise.all(tables.map((table) => sql.unsafe(`delete from ${table}`)));
  await Promise.all([one, other].map(({ system }) => system.pauses.look()));
  const id = `d${n}-${crypto.randomUUID()}`;
  await sql`insert into toy_documents (id, order_id, pages) values (${id}, 'o', 1)`;
  return id;
}

const enables = (member: Member, id: string) => ({
  wire: member.wire,
  act: () =>
    member.system.transact((tx) =>
      tx.send(documentActor, [{ id, event: { type: 'printing.enable', at: tx.now, dueAt: tx.now } }]),
    ),
});

describe('in every order, a submission', () => {
  it(
    'is not announced any more once a pause of its stage is stored, and its job is kept',
    async () => {
      const orders = await stepped.everyOrder({
        async prepare(n) {
          const id = await received(n);
          await enables(one, id).act();
          return { id, job: await one.fetch(printing), sent: [] as boolean[] };
        },
        parties: ({ job, sent }) => [
          { wire: one.wire, act: () => performs(one, job, () => sent.push(isStored())) },
          { wire: other.wire, act: () => other.system.pauses.pause(printing.name, WHO) },
        ],
        async check({ id, job, sent }) {
          const document = await stepped.shop.document(id);
          const claims = await stepped.shop.count('actor_claims');
          if (sent.length === 1) {
            expect({ sent, ...document, claims }).toMatchObject({
              sent: [false],
              claims: 0,
              printing_status: 'PROCESSED',
              printing_submitted_at: expect.any(Date),
            });
            return;
          }
          // Nothing was sent, and nobody thinks so.
          expect({ sent, ...document, claims }).toMatchObject({
            sent: [],
            claims: 0,
            printing_submitted_at: null,
          });
          const waits = document.printing_status === 'PENDING';
          expect(
            waits || (await stepped.shop.count('pgboss.job', `id = '${job.id}' and state = 'retry'`)) === 1,
          ).toBe(true);
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );
});

/** Whether the pause was stored before now. */
const isStored = () => other.wire.answered.some(({ text }) => text === 'commit');

/** Performs a job as a worker does: announces a submission, then sends it. */
async function performs(member: Member, job: Job<JobData>, send: () => void): Promise<void> {
  const stage: Stage = {
    ...printing,
    async perform(work) {
      await work.submitting();
      send();
      return { kind: 'succeeded' };
    },
  };
  await member.performer.run(stage, [job], new AbortController().signal);
  await member.system.store.jobs.boss.complete(queue, { id: claimOf(job).id, retryCount: job.retryCount });
}

/** Dispatches of a document's printing, and the jobs that there are for it. */
async function dispatches(id: string) {
  const entries = await stepped.shop.journal(id);
  return {
    events: entries.filter(({ event }) => event === 'dispatch').length,
    jobs: await stepped.shop.count('pgboss.job', `data->>'id' = '${id}' and state = 'created'`),
    status: (await stepped.shop.document(id)).printing_status,
  };
}

const ONCE = { events: 1, jobs: 1, status: 'PROCESSING' };

/** What a process does that sees a stage resumed. */
async function resumes({ system }: Member): Promise<void> {
  await system.pauses.resume(printing.name, WHO);
  await system.ticks.tick(printing);
}

describe('in every order, work that becomes due', () => {
  it(
    'is dispatched once when its stage is paused and resumed at that moment',
    async () => {
      const orders = await stepped.everyOrder({
        async prepare(n) {
          const id = await received(n);
          return { id };
        },
        parties: ({ id }) => [
          enables(one, id),
          {
            wire: other.wire,
            async act() {
              await other.system.pauses.pause(printing.name, WHO);
              await resumes(other);
            },
          },
        ],
        check: async ({ id }) => expect(await dispatches(id)).toEqual(ONCE),
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );

  it(
    'is dispatched once by a process that knows of a pause while the stage is being resumed',
    async () => {
      const orders = await stepped.everyOrder({
        async prepare(n) {
          const id = await received(n);
          await other.system.pauses.pause(printing.name, WHO);
          await one.system.pauses.look();
          return { id };
        },
        parties: ({ id }) => [enables(one, id), { wire: other.wire, act: () => resumes(other) }],
        check: async ({ id }) => expect(await dispatches(id)).toEqual(ONCE),
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );
});
