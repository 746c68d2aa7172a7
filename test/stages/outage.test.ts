import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { batchActor } from '../../src/stages/actors.ts';
import { becomes } from '../support/becomes.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { living, received, settled, tell, timesOf } from '../support/notified.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline, type Program } from '../support/pipeline.ts';
import { bankAccount } from '../support/records.ts';
import { until } from '../support/wait.ts';

/** Shorter than anybody waits for a retry, so that outages outlast all attempts many times over. */
const CIRCUITS = { failureThreshold: 3, pauseMs: 30, pauseMaxMs: 75 };
/** Three attempts is what every stage has. */
const MORE_THAN_ATTEMPTS = 6;

interface Entry {
  readonly event: string;
  readonly error_code: string | null;
}

const journal = (pipeline: Pipeline, actorId: string, region: string) =>
  pipeline.database.sql<Entry[]>`
    select event, error_code from actor_transitions where actor_id = ${actorId} and region = ${region} order by seq`;

const isPostponed = ({ event }: Entry) => event === 'postponed';

/** Waits until work has been postponed more often than it has attempts. */
const outlasts = (pipeline: Pipeline, actorId: string, region: string) =>
  until(`${region} of ${actorId} is postponed again and again`, async () => {
    return (await journal(pipeline, actorId, region)).filter(isPostponed).length > MORE_THAN_ATTEMPTS;
  });

describe('an outage of the bank or the mapper', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, {
      system: { circuits: CIRCUITS },
      settings: { bank_request_timeout_ms: '400', no_of_tasks_to_process: '50' },
    });
  });
  afterEach(async () => {
    await Promise.all([outside.bank.start(), outside.mapper.start()]);
    await Promise.all([outside.bank.faults([]), outside.mapper.faults([])]);
  });
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });

  const idOf = ({ batches }: Disbursing) => batches[0]?.row.id ?? '';
  const batchOf = (disbursing: Disbursing) => pipeline.batch(idOf(disbursing));
  const dispatches = (disbursing: Disbursing) => journal(pipeline, idOf(disbursing), 'sponsor_bank_dispatch');

  async function expectPaidOnce(program: Program, disbursing: Disbursing, sum: string): Promise<void> {
    const shipped = { number_of_disbursements_shipped: disbursing.ids.length };
    await becomes(() => pipeline.envelope(disbursing.envelope.id), shipped);
    expect(await outside.bank.ledger(program.account)).toMatchObject({
      debits: disbursing.ids.length,
      debited_sum: sum,
      blocked: '0.00',
      duplicate_references: 0,
    });
    expect(await outside.bank.blocks(program.account)).toHaveLength(1);
    for (const { row } of disbursing.batches) {
      expect(await outside.bank.keys(row.id)).toEqual([`${row.id}-pay-1`]);
    }
  }

  /** An envelope whose funds are blocked, and whose batch is paid as soon as its beneficiary has an address. */
  async function readyToPay(program: Program) {
    const disbursing = await pipeline.disburse(program, [['10', { quantity: '5', address: null }]]);
    await becomes(() => batchOf(disbursing), { fa_resolution_status: 'ERROR' });
    await becomes(() => pipeline.envelope(disbursing.envelope.id), {
      funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS',
    });
    const people = disbursing.batches.flatMap(({ disbursements }) => disbursements);
    await outside.mapper.link(people.map(({ beneficiary_id: id }) => ({ id, ...bankAccount() })));
    const event = { type: 'fa_resolution.retry', at: new Date() } as const;
    return { disbursing, pay: () => pipeline.system.send(batchActor, idOf(disbursing), event) };
  }

  it('of the mapper uses up no attempts, and batches go on when it is over', async () => {
    const program = await pipeline.program();
    await outside.mapper.link([]);
    const announced = await pipeline.announce(program, [['10', '20'], ['30']]);
    await outside.mapper.stop();
    for (const batch of announced.batches) await pipeline.receive(batch);
    for (const { row } of announced.batches) await outlasts(pipeline, row.id, 'fa_resolution');
    for (const { row } of announced.batches) {
      const batch = await pipeline.batch(row.id);
      expect(batch.fa_resolution_attempts).toBeLessThanOrEqual(1);
      expect(['PENDING', 'PROCESSING']).toContain(batch.fa_resolution_status);
      const codes = (await journal(pipeline, row.id, 'fa_resolution')).filter(isPostponed);
      expect(codes.map(({ error_code: code }) => code)).toEqual(
        codes.map(() => expect.stringMatching(/^MAPPER_(UNREACHABLE|CIRCUIT_OPEN)$/)),
      );
    }
    await outside.mapper.start();
    await expectPaidOnce(program, announced, '60.00');
  });

  it('of the bank holds up funds check and block, and nothing else', async () => {
    const program = await pipeline.program();
    const announced = await pipeline.announce(program, [['10', '20']]);
    await outside.bank.stop();
    for (const batch of announced.batches) await pipeline.receive(batch);
    const { id } = announced.envelope;
    await outlasts(pipeline, id, 'funds_available');
    expect(await batchOf(announced)).toMatchObject({ fa_resolution_status: 'PROCESSED' });
    expect(await pipeline.envelope(id)).toMatchObject({ funds_blocked_with_bank: 'PENDING_CHECK' });
    await outside.bank.start();
    await expectPaidOnce(program, announced, '30.00');
    expect(
      (await journal(pipeline, id, 'funds_available')).filter(({ event }) => event === 'failed'),
    ).toEqual([]);
  });

  it('of the bank leaves what was not sent unsent: it is paid once, under its first key, when the bank is back', async () => {
    const program = await pipeline.program();
    const { disbursing, pay } = await readyToPay(program);
    await outside.bank.stop();
    await pay();
    await outlasts(pipeline, idOf(disbursing), 'sponsor_bank_dispatch');
    await until('the bank has certainly got nothing', async () => {
      const batch = await batchOf(disbursing);
      return (
        batch.sponsor_bank_dispatch_status === 'PENDING' && batch.sponsor_bank_dispatch_submitted_at === null
      );
    });
    expect(await batchOf(disbursing)).toMatchObject({ sponsor_bank_dispatch_submission: 1 });
    await outside.bank.start();
    await expectPaidOnce(program, disbursing, '15.00');
  });

  it('of the bank after a payment was sent: it is asked about, for as long as it takes, and not sent again', async () => {
    const program = await pipeline.program();
    const { disbursing, pay } = await readyToPay(program);
    await outside.bank.faults([
      { path: '/initiate_payment', kind: 'drop_after' },
      { path: '/payment_status', kind: 'drop_before' },
    ]);
    await pay();
    await until('the payment is out', async () => (await outside.bank.ledger(program.account)).debits === 2);
    await outside.bank.stop();
    await outlasts(pipeline, idOf(disbursing), 'sponsor_bank_dispatch');
    const batch = await batchOf(disbursing);
    expect(batch.sponsor_bank_dispatch_submitted_at).toBeInstanceOf(Date);
    expect(batch.sponsor_bank_dispatch_attempts).toBeLessThanOrEqual(1);
    const codes = new Set((await dispatches(disbursing)).filter(isPostponed).map((one) => one.error_code));
    expect([...codes]).toEqual(['PAYMENT_OUTCOME_UNKNOWN']);
    await outside.bank.start();
    await expectPaidOnce(program, disbursing, '15.00');
    expect(await outside.bank.requests('/initiate_payment')).toBe(0);
    expect(await outside.bank.requests('/payment_status')).toBe(1);
  });

  it('of the bank after funds were blocked, the answer lost: they stay blocked once', async () => {
    const program = await pipeline.program();
    const announced = await pipeline.announce(program, [['10', '20']]);
    await outside.bank.faults([{ path: '/block_funds', kind: 'drop_after' }]);
    for (const batch of announced.batches) await pipeline.receive(batch);
    await outlasts(pipeline, announced.envelope.id, 'funds_blocked');
    const entries = (await journal(pipeline, announced.envelope.id, 'funds_blocked')).filter(isPostponed);
    for (const { error_code: code } of entries)
      expect(code).toMatch(/^(BLOCK_OUTCOME_UNKNOWN|BANK_CIRCUIT_OPEN)$/);
    await outside.bank.faults([]);
    await expectPaidOnce(program, announced, '30.00');
    expect(await outside.bank.keys(announced.envelope.id)).toEqual([`${announced.envelope.id}-block-1`]);
  });

  it('does not hide that a payment is refused: refusals use up attempts as ever', async () => {
    const program = await pipeline.program();
    await outside.bank.faults([{ path: '/initiate_payment', kind: 'refuse' }]);
    const disbursing = await pipeline.disburse(program, [['10', '20']]);
    await becomes(() => batchOf(disbursing), {
      sponsor_bank_dispatch_status: 'ERROR',
      sponsor_bank_dispatch_attempts: 3,
      sponsor_bank_dispatch_latest_error_code: 'BANK_REFUSED',
    });
  });

  it('keeps what the mapper had resolved before it began', async () => {
    await pipeline.stop();
    const settings = { mapper_chunk_size: '1', mapper_concurrency: '1' };
    await pipeline.join(
      { circuits: { ...CIRCUITS, failureThreshold: 1, pauseMs: 500, pauseMaxMs: 500 } },
      settings,
    );
    const program = await pipeline.program();
    const wanted = Array.from({ length: 6 }, () => '10');
    await outside.mapper.faults([{ path: '/resolve', kind: 'error_before', probability: 0.3 }], 5);
    const disbursing = await pipeline.disburse(program, [wanted]);
    await until('it is postponed', async () => {
      return (await journal(pipeline, idOf(disbursing), 'fa_resolution')).some(isPostponed);
    });
    const asked = await outside.mapper.requests('/resolve');
    const [row] = await pipeline.database.sql<{ kept: number }[]>`
      select count(*)::int as kept from disbursement_resolution_financial_address
      where disbursement_batch_control_id = ${idOf(disbursing)}`;
    const kept = row?.kept ?? 0;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(6);
    await outside.mapper.faults([]);
    await expectPaidOnce(program, disbursing, '60.00');
    expect(await outside.mapper.requests('/resolve')).toBe(asked + 6 - kept);
    expect(await batchOf(disbursing)).toMatchObject({ fa_resolution_attempts: 1 });
  });
});

describe('an outage that several processes meet, none of them often', () => {
  it('uses up no attempts of a single batch', async () => {
    const outside = await openOutside();
    const pipeline = await openPipeline(outside, { system: { circuits: CIRCUITS }, processes: 3 });
    const program = await pipeline.program();
    const announced = await pipeline.announce(program, [['10']]);
    const [batch] = announced.batches;
    if (!batch) throw new Error('One batch was announced.');
    await outside.mapper.stop();
    await pipeline.receive(batch);
    await outlasts(pipeline, batch.row.id, 'fa_resolution');
    await outside.mapper.start();
    await becomes(() => pipeline.envelope(announced.envelope.id), { number_of_disbursements_shipped: 1 });
    expect(await pipeline.batch(batch.row.id)).toMatchObject({ fa_resolution_attempts: 1 });
    await pipeline.close();
    await outside.close();
  });
});

describe('an outage of what goods and services need', () => {
  let outside: Outside;
  let world: InKindPipeline;
  beforeAll(async () => {
    outside = await openOutside();
    world = await openInKind(outside, { system: { circuits: CIRCUITS } });
  });
  afterAll(async () => {
    await world.close();
    await outside.close();
  });

  it.each([
    { who: 'the registry', way: 'registry', region: 'geo_resolution' },
    { who: 'PBMS', way: 'pbms', region: 'warehouse_allocation' },
  ] as const)('($who) uses up no attempts of $region', async ({ way, region }) => {
    await world.ways[way].stop();
    const disbursing = await world.disburse('COMMODITY', [living(world, 4, 2)]);
    const id = disbursing.batches[0]?.row.id ?? '';
    await outlasts(world.pipeline, id, region);
    expect(Number((await world.batch(disbursing))[`${region}_attempts`])).toBeLessThanOrEqual(1);
    await world.ways[way].start();
    await becomes(() => world.batch(disbursing), { agency_allocation_status: 'PROCESSED' });
    const entries = await journal(world.pipeline, id, region);
    expect(entries.filter(({ event }) => event === 'failed').length).toBeLessThanOrEqual(1);
    for (const { error_code: code } of entries.filter(isPostponed)) {
      expect(code).toMatch(way === 'pbms' ? /^PBMS_/ : /^REGISTRY_/);
    }
    await settled(world, id);
  });

  it('(the notification service) leaves no log of what was not sent, and everybody is told once', async () => {
    await world.novu.stop();
    const { envelope, batch, logs } = await tell(world, living(world, 6, 2));
    await becomes(() => world.pipeline.batch(batch), { agency_allocation_status: 'PROCESSED' });
    const [geo] = await world.geos(batch);
    await outlasts(world.pipeline, String(geo?.id), 'warehouse_notification');
    for (const log of await logs()) {
      expect(log).toMatchObject({ status: 'PENDING', response: null, processed_at: null });
      if (log.error_message !== null)
        expect(log.error_message).toMatch(/^NOTIFICATION_(SERVICE_UNAVAILABLE|CIRCUIT_OPEN): /);
    }
    await world.novu.start();
    expect(await settled(world, batch)).toEqual({
      warehouse_notification: { PROCESSED: 2 },
      agency_notification: { PROCESSED: 2 },
      beneficiary_notification: { PROCESSED: 6 },
    });
    const all = await logs();
    expect(all).toHaveLength(10);
    for (const log of all) expect(log).toMatchObject({ status: 'PROCESSED', error_message: null });
    expect(timesOf(await received(world, all))).toEqual(all.map(() => 1));
    const failures = await world.pipeline.database.sql`
      select 1 from actor_transitions where correlation_id = ${envelope.id} and event = 'failed'`;
    expect(failures).toHaveLength(0);
  });
});
