import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { envelopeActor } from '../../src/stages/actors.ts';
import { becomes } from '../support/becomes.ts';
import { movableClock } from '../support/clock.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { dayOf } from '../support/records.ts';

const DAY_MS = 86_400_000;

describe('checking the funds of an envelope', () => {
  const clock = movableClock(new Date('2026-03-10T12:00:00Z'));
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, {
      settings: { no_of_tasks_to_process: '50' },
      system: { clock },
    });
  });
  afterEach(() => outside.bank.faults([]));
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });

  const envelopeOf = ({ envelope }: Disbursing) => pipeline.envelope(envelope.id);
  const asked = () => outside.bank.requests('/check_funds');
  const inDays = (days: number) => dayOf(new Date(clock.now().getTime() + days * DAY_MS));

  /** Another envelope goes all the way, so whatever could have happened meanwhile has happened. */
  async function meanwhile(): Promise<void> {
    const other = await pipeline.disburse(await pipeline.program(), [['1']]);
    await becomes(() => envelopeOf(other), { number_of_disbursements_shipped: 1 });
  }

  it('waits for the schedule date, then goes on by itself', async () => {
    const program = await pipeline.program();
    const before = await asked();
    const disbursing = await pipeline.disburse(program, [['10']], { disbursement_schedule_date: inDays(1) });
    await meanwhile();
    expect(await pipeline.tick('check_funds_with_bank')).toBe(0);
    expect(await asked()).toBe(before + 1);
    expect(await envelopeOf(disbursing)).toMatchObject({
      funds_available_with_bank: 'PENDING_CHECK',
      funds_available_due_at: new Date(`${inDays(1)}T00:00:00Z`),
    });
    clock.advance(DAY_MS);
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 1 });
  });

  it('runs an envelope whose day was missed because no process ran', async () => {
    const program = await pipeline.program();
    const disbursing = await pipeline.disburse(program, [['10']], { disbursement_schedule_date: inDays(1) });
    await pipeline.stop();
    clock.advance(5 * DAY_MS);
    await pipeline.join();
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 1 });
  });

  it('asks when everything has been received, not earlier', async () => {
    const program = await pipeline.program();
    const before = await asked();
    const disbursing = await pipeline.announce(program, [['10', '20'], ['30']]);
    const [first, second] = disbursing.batches;
    if (!first || !second) throw new Error('There are two batches.');
    await pipeline.receive(first);
    await meanwhile();
    expect(await pipeline.tick('check_funds_with_bank')).toBe(0);
    expect(await asked()).toBe(before + 1);
    await pipeline.receive(second);
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 3 });
  });

  it('asks again at every tick and only then while the money is not there, and uses up no attempts', async () => {
    const program = await pipeline.program('59.99');
    const before = await asked();
    const disbursing = await pipeline.disburse(program, [['10', '20'], ['30']]);
    const refused = {
      funds_available_with_bank: 'FUNDS_NOT_AVAILABLE',
      funds_available_latest_error_code: 'FUNDS_NOT_AVAILABLE',
      funds_available_attempts: 0,
      funds_blocked_with_bank: 'PENDING_CHECK',
    };
    // All its mail has come: a tick skips a record that is just being written.
    await becomes(() => envelopeOf(disbursing), { ...refused, number_of_batches_ready: 2 });
    await meanwhile();
    expect(await asked()).toBe(before + 2);
    // More often than there are attempts.
    for (let tick = 1; tick <= 4; tick += 1) {
      expect(await pipeline.tick('check_funds_with_bank')).toBe(1);
      await becomes(() => envelopeOf(disbursing), refused);
      expect(await asked()).toBe(before + 2 + tick);
    }
    await outside.bank.account(program.account, '60');
    await meanwhile();
    expect(await envelopeOf(disbursing)).toMatchObject(refused);
    await pipeline.tick('check_funds_with_bank');
    await becomes(() => envelopeOf(disbursing), {
      number_of_disbursements_shipped: 3,
      funds_available_with_bank: 'FUNDS_AVAILABLE',
      funds_available_latest_error_code: null,
      funds_available_attempts: 1,
    });
    expect(await outside.bank.ledger(program.account)).toMatchObject({
      balance: '0.00',
      blocked: '0.00',
      debits: 3,
    });
  });

  it('counts faults of the bank as attempts, and goes on when they pass', async () => {
    const program = await pipeline.program();
    await outside.bank.faults([{ path: '/check_funds', kind: 'error_before', count: 2 }]);
    const disbursing = await pipeline.disburse(program, [['10']]);
    await becomes(() => envelopeOf(disbursing), {
      number_of_disbursements_shipped: 1,
      funds_available_attempts: 3,
      funds_available_latest_error_code: null,
    });
  });

  it.each([
    { kind: 'error_before', code: 'BANK_ERROR' },
    { kind: 'drop_after', code: 'BANK_CONNECTION_LOST' },
    { kind: 'refuse', code: 'BANK_REFUSED' },
  ] as const)(
    'stops in ERROR with $code when the attempts are used up, until an operator retries',
    async ({ kind, code }) => {
      const program = await pipeline.program();
      await outside.bank.faults([{ path: '/check_funds', kind }]);
      const disbursing = await pipeline.disburse(program, [['10']]);
      await becomes(() => envelopeOf(disbursing), {
        funds_available_with_bank: 'ERROR',
        funds_available_latest_error_code: code,
        funds_available_attempts: 3,
      });
      await outside.bank.faults([]);
      const retry = { type: 'funds_available.retry', at: clock.now() } as const;
      expect(await pipeline.system.send(envelopeActor, disbursing.envelope.id, retry)).toMatchObject({
        accepted: true,
      });
      await becomes(() => envelopeOf(disbursing), {
        number_of_disbursements_shipped: 1,
        funds_available_attempts: 1,
      });
    },
  );

  it('stops in ERROR at once when no sponsor bank is configured for the program', async () => {
    const nowhere = { id: 4711, account: 'none' };
    const disbursing = await pipeline.disburse(nowhere, [['10']]);
    await becomes(() => envelopeOf(disbursing), {
      funds_available_with_bank: 'ERROR',
      funds_available_latest_error_code: 'SPONSOR_BANK_NOT_CONFIGURED',
      funds_available_attempts: 1,
    });
    const [fault] = await pipeline.database.sql<{ error_message: string }[]>`
      select error_message from actor_transitions
      where actor_id = ${disbursing.envelope.id} and event = 'failed'`;
    expect(fault?.error_message).toContain(
      `program 4711 and benefit code 1 of envelope ${disbursing.envelope.id}`,
    );
  });
});
