import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApi } from '../../src/api/server.ts';
import { connect, type Database } from '../../src/db/connection.ts';
import { Mailbox } from '../../src/runtime/mailbox.ts';
import { ActorSystem } from '../../src/runtime/system.ts';
import { ACTORS, envelopeActor } from '../../src/stages/actors.ts';
import { disbursementFixtures, envelopeFixture, messageFixture } from '../support/payloads.ts';
import { createPreparedDatabase } from '../support/prepared-database.ts';
import { ORDERS_TIMEOUT_MS, type Stepping, stepping } from './orders.ts';
import type { Statement, Wire } from './wire.ts';

/** A process with an API, stepped. */
interface Site {
  readonly wire: Wire;
  readonly system: ActorSystem;
  call(path: string, payload: unknown, body?: Record<string, unknown>): Promise<Reply>;
  deliverMail(): Promise<void>;
  close(): Promise<void>;
}

interface Reply {
  readonly code: string | null;
  readonly batch: string;
  readonly payload: unknown;
}

const ENVELOPES = '/create_disbursement_envelopes';
const DISBURSEMENTS = '/create_disbursements';
const CANCEL = '/cancel_disbursement_envelope';
const BEGINS = /^\s*(begin|select 1$)/i;
const OF_A_REQUEST = /^(actor transactions|g2p-bridge)$/;

let database: Database;
let steps: Stepping;
let sites: readonly Site[];
let one: Site;
let other: Site;
let drop: () => Promise<void>;
beforeAll(async () => {
  const prepared = await createPreparedDatabase('interleavings');
  drop = prepared.drop;
  database = connect(prepared.url, { max: 4, applicationName: 'test' });
  await database.sql.unsafe(
    `alter database ${new URL(prepared.url).pathname.slice(1)} set deadlock_timeout = '20ms'`,
  );
  steps = stepping(prepared.url, database.sql);
  [one, other] = await Promise.all([open(), open()]);
  sites = [one, other];
});
afterAll(async () => {
  await Promise.all(sites.map((site) => site.close()));
  await steps.close();
  await database.close();
  await drop();
});

async function open(): Promise<Site> {
  const wire = await steps.wire(
    ({ text, application }: Statement) => OF_A_REQUEST.test(application) && !BEGINS.test(text),
  );
  const own = connect(wire.url, { max: 2 });
  const system = new ActorSystem({ database: own, actors: ACTORS, stages: [], works: false });
  const app = buildApi({ system, database: own, role: 'all' });
  await app.ready();
  return {
    wire,
    system,
    async call(url, payload, body) {
      const response = await app.inject({ method: 'POST', url, payload: messageFixture(payload, body) });
      const { response_header: header, response_body: answer } = response.json();
      return {
        code: header.response_error_code,
        batch: answer?.disbursement_batch_control_id,
        payload: answer?.response_payload,
      };
    },
    async deliverMail() {
      const mailbox = new Mailbox(system.store);
      mailbox.start();
      await mailbox.stop();
    },
    async close() {
      await app.close();
      await system.store.close();
      await own.close();
    },
  };
}

/** Announces an envelope at which nothing happens meanwhile. */
async function announced(): Promise<string> {
  const envelope = envelopeFixture();
  await one.call(ENVELOPES, [envelope]);
  return String(envelope.id);
}

/** What is stored of an envelope. */
async function stored(id: string) {
  const [row] = await database.sql`
    select e.cancellation_status as cancellation, c.number_of_disbursements_received as received,
      (select count(*)::int from disbursements d where d.disbursement_envelope_id = e.id) as disbursements,
      (select array_agg(b.fa_resolution_status order by b.id) from disbursement_batch_control b
        where b.disbursement_envelope_id = e.id) as batches
    from disbursement_envelopes e join envelope_control c on c.disbursement_envelope_id = e.id where e.id = ${id}`;
  return row;
}

describe('in every order', () => {
  it(
    'the first batch of an envelope that is cancelled is refused, or taken and never worked on',
    async () => {
      const orders = await steps.everyOrder({
        async prepare() {
          const id = await announced();
          return { id, items: disbursementFixtures(id, 2), replies: [] as Reply[] };
        },
        parties: ({ id, items, replies }) => [
          {
            wire: one.wire,
            async act() {
              replies[0] = await one.call(CANCEL, [{ id }]);
              await one.deliverMail();
            },
          },
          {
            wire: other.wire,
            async act() {
              replies[1] = await other.call(DISBURSEMENTS, items);
            },
          },
        ],
        async check({ id, replies }) {
          expect(replies[0]?.code).toBeNull();
          const taken = replies[1]?.code === null;
          if (!taken) expect(replies[1]?.code).toBe('DISBURSEMENT_ENVELOPE_ALREADY_CANCELED');
          expect(await stored(id)).toEqual({
            cancellation: 'Cancelled',
            received: taken ? 2 : 0,
            disbursements: taken ? 2 : 0,
            batches: taken ? ['NOT_APPLICABLE'] : null,
          });
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );

  it(
    'an envelope is cancelled, or its first batch may pay, never both',
    async () => {
      const orders = await steps.everyOrder({
        async prepare() {
          const id = await announced();
          const { batch } = await one.call(DISBURSEMENTS, disbursementFixtures(id, 2));
          await database.sql`
            update envelope_batch_status_for_cash
            set funds_blocked_with_bank = 'FUNDS_BLOCK_SUCCESS', funds_blocked_reference_number = 'BLK-1'
            where disbursement_envelope_id = ${id}`;
          await database.sql`
            update disbursement_batch_control
            set fa_resolution_status = 'PROCESSED', fa_resolution_due_at = null, sponsor_bank_dispatch_status = 'PENDING'
            where id = ${batch}`;
          return { id, batch, replies: [] as Reply[] };
        },
        parties: ({ id, batch, replies }) => [
          {
            wire: one.wire,
            async act() {
              replies[0] = await one.call(CANCEL, [{ id }]);
            },
          },
          {
            wire: other.wire,
            act: () => other.system.send(envelopeActor, id, { type: 'batch_ready', batch, at: new Date() }),
          },
        ],
        async check({ id, batch, replies }) {
          await one.deliverMail();
          await one.deliverMail();
          const [row] = await database.sql`
            select sponsor_bank_dispatch_status as status, sponsor_bank_dispatch_due_at is not null as due
            from disbursement_batch_control where id = ${batch}`;
          const cancelled = replies[0]?.code === null;
          expect((await stored(id))?.cancellation === 'Cancelled').toBe(cancelled);
          expect(row).toEqual(
            cancelled ? { status: 'NOT_APPLICABLE', due: false } : { status: 'PENDING', due: true },
          );
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );

  it.each([
    ['without a batch id', () => undefined],
    ['with a batch id', () => ({ disbursement_batch_control_id: `BATCH-${randomUUID()}` })],
  ])(
    'the same request that comes to two processes at once %s has the effect and the answer of one',
    async (_name, bodyOf) => {
      const orders = await steps.everyOrder({
        async prepare() {
          const id = await announced();
          return { id, items: disbursementFixtures(id, 2), body: bodyOf(), replies: [] as Reply[] };
        },
        parties: ({ items, body, replies }) =>
          sites.map(({ wire, call }) => ({
            wire,
            async act() {
              replies.push(await call(DISBURSEMENTS, items, body));
            },
          })),
        async check({ id, replies }) {
          const [first, second] = replies;
          expect(first?.code).toBeNull();
          expect(second).toEqual(first);
          expect(await stored(id)).toMatchObject({
            received: 2,
            disbursements: 2,
            batches: [expect.any(String)],
          });
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );
});
