import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { STAGE_NAMES } from '../../src/config.ts';
import { HELD_AFTER_RESTORE, noteResumed } from '../../src/db/restores.ts';
import { batchActor, envelopeActor } from '../../src/stages/actors.ts';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { PLAIN_BANK } from '../support/plain-bank.ts';
import { bankAccount, debit, statementText } from '../support/records.ts';
import { until } from '../support/wait.ts';

const UNKNOWN = (quantity: string) => ({ quantity, address: null });

it('what is held after a restore are stages', () => {
  expect(STAGE_NAMES).toEqual(expect.arrayContaining([...HELD_AFTER_RESTORE]));
});

describe.each([
  ['a bank that can be asked', { disburse_funds_with_bank_max_attempts: '2' }],
  ['a bank that cannot', PLAIN_BANK],
])('after the database was restored, with %s', (_, settings) => {
  const canBeAsked = settings !== PLAIN_BANK;
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, { settings });
  });
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });

  const idOf = ({ batches }: Disbursing) => batches[0]?.row.id ?? '';
  const batchOf = (disbursing: Disbursing) => pipeline.batch(idOf(disbursing));
  const sent = () => outside.bank.requests('/initiate_payment');
  const restored = () => pipeline.database.sql`
    insert into database_restores (noted_at, identity, reason, last_seq)
    select now(), 'a test', 'A test.', coalesce(max(seq), 0) from actor_transitions`;
  const resumed = async (...stages: readonly string[]) => {
    const { sql } = pipeline.database;
    for (const stage of stages) await noteResumed(sql, stage);
    // What comes in the same millisecond counts as before.
    await until('a millisecond has passed', async () => {
      const { count } = await sql`select from database_restores
        where greatest(blocks_resumed_at, payments_resumed_at) >= date_trunc('milliseconds', clock_timestamp())`;
      return count === 0;
    });
  };
  afterEach(async () => {
    await outside.bank.faults([]);
    await resumed(...HELD_AFTER_RESTORE);
  });

  /** An envelope whose funds are blocked and whose batch waits for addresses. */
  async function waiting(account: { id: number; account: string }, quantities: readonly string[]) {
    const disbursing = await pipeline.disburse(account, [quantities.map(UNKNOWN)]);
    await becomes(() => batchOf(disbursing), { fa_resolution_status: 'ERROR' });
    await becomes(() => pipeline.envelope(disbursing.envelope.id), {
      funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS',
    });
    return disbursing;
  }

  /** The batch can be paid now. */
  async function goOn(disbursing: Disbursing): Promise<void> {
    const people = disbursing.batches.flatMap(({ disbursements }) => disbursements);
    await outside.mapper.link(people.map(({ beneficiary_id: id }) => ({ id, ...bankAccount() })));
    const event = { type: 'fa_resolution.retry', at: new Date() } as const;
    await pipeline.system.send(batchActor, idOf(disbursing), event);
  }

  /** The bank takes the payments of a batch, of which the database knows nothing. */
  async function takeForgotten(
    disbursing: Disbursing,
    account: string,
    submission: number,
    status = 'success',
  ): Promise<void> {
    const { funds_blocked_reference_number: block } = await pipeline.envelope(disbursing.envelope.id);
    const payments = disbursing.batches
      .flatMap(({ disbursements }) => disbursements)
      .map((one) => ({
        payment_reference_number: one.id,
        remitting_account: account,
        remitting_account_currency: 'USD',
        payment_amount: one.disbursement_quantity,
        funds_blocked_reference_number: block,
        beneficiary_name: 'Somebody',
        beneficiary_account: '1',
        payment_date: '2026-01-01',
      }));
    const response = await fetch(`${outside.bank.url}/initiate_payment`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': `${idOf(disbursing)}-pay-${submission}`,
      },
      body: JSON.stringify(payments),
    });
    expect(await response.json()).toMatchObject({ status });
  }

  it('a batch of which some payments are on statements, and others are not, waits for a person', async () => {
    const program = await pipeline.program();
    const disbursing = await waiting(program, ['10', '20']);
    const [first = ''] = disbursing.ids;
    const [statement] = await pipeline.upload(statementText(program.account, [debit(first, '10')]));
    await becomes(() => pipeline.statement(statement), { statement_process_status: 'PROCESSED' });
    await restored();
    const before = await sent();
    await goOn(disbursing);
    await becomes(() => batchOf(disbursing), {
      sponsor_bank_dispatch_status: 'ERROR',
      sponsor_bank_dispatch_latest_error_code: 'PAYMENTS_PARTLY_ON_STATEMENTS',
    });
    const [stopped] = await pipeline.database.sql<{ error_message: string }[]>`
      select error_message from actor_transitions
      where actor_id = ${idOf(disbursing)} and error_code = 'PAYMENTS_PARTLY_ON_STATEMENTS' and to_state = 'ERROR'`;
    // He is told which, and what he can do.
    expect(stopped?.error_message).toContain(`1 of the 2 payments of batch ${idOf(disbursing)}`);
    expect(stopped?.error_message).toContain(`(${disbursing.ids[1]})`);
    expect(stopped?.error_message).toContain('submitted again in a new envelope');
    expect(await sent()).toBe(before);
  });

  it.runIf(canBeAsked)('payments that followed a refusal are found under the key they had', async () => {
    const program = await pipeline.program();
    const disbursing = await waiting(program, ['10', '20']);
    await takeForgotten(disbursing, program.account, 2);
    await restored();
    const before = await sent();
    await goOn(disbursing);
    await becomes(() => batchOf(disbursing), { sponsor_bank_dispatch_status: 'PROCESSED' });
    await becomes(() => pipeline.envelope(disbursing.envelope.id), { number_of_disbursements_shipped: 2 });
    expect(await sent()).toBe(before);
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 2, duplicate_references: 0 });
  });

  it.runIf(canBeAsked)('payments that the bank never saw are sent', async () => {
    const program = await pipeline.program();
    const disbursing = await waiting(program, ['10', '20']);
    await restored();
    await goOn(disbursing);
    await becomes(() => batchOf(disbursing), { sponsor_bank_dispatch_status: 'PROCESSED' });
    expect(await outside.bank.keys(idOf(disbursing))).toEqual([`${idOf(disbursing)}-pay-1`]);
  });

  it.runIf(canBeAsked)('payments that followed many refusals, which persons retried, are found', async () => {
    const program = await pipeline.program();
    const disbursing = await waiting(program, ['10', '20']);
    for (const submission of [2, 4]) await takeForgotten(disbursing, 'NO-ACCOUNT', submission, 'failed');
    await takeForgotten(disbursing, program.account, 6);
    await restored();
    const before = await sent();
    await goOn(disbursing);
    await becomes(() => batchOf(disbursing), { sponsor_bank_dispatch_status: 'PROCESSED' });
    expect(await sent()).toBe(before);
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 2, duplicate_references: 0 });
  });

  it.runIf(canBeAsked)(
    'payments that the bank took count as paid while only some are on statements',
    async () => {
      const program = await pipeline.program();
      const disbursing = await waiting(program, ['10', '20']);
      await takeForgotten(disbursing, program.account, 1);
      const [statement] = await pipeline.upload(
        statementText(program.account, [debit(disbursing.ids[0] ?? '', '10')]),
      );
      await becomes(() => pipeline.statement(statement), { statement_process_status: 'PROCESSED' });
      await restored();
      const before = await sent();
      await goOn(disbursing);
      await becomes(() => batchOf(disbursing), { sponsor_bank_dispatch_status: 'PROCESSED' });
      expect(await sent()).toBe(before);
    },
  );

  const FORGOTTEN = {
    sponsor_bank_dispatch_status: 'ERROR',
    sponsor_bank_dispatch_latest_error_code: 'PAYMENT_MAY_BE_FORGOTTEN',
    sponsor_bank_dispatch_submitted_at: null,
  };
  const BLOCK_FORGOTTEN = {
    funds_blocked_with_bank: 'ERROR',
    funds_blocked_latest_error_code: 'BLOCK_MAY_BE_FORGOTTEN',
    funds_blocked_submitted_at: null,
  };
  const retryPayment = (disbursing: Disbursing) =>
    pipeline.system.send(batchActor, idOf(disbursing), {
      type: 'sponsor_bank_dispatch.retry',
      at: new Date(),
    });

  it.runIf(!canBeAsked)('what came before the stages were resumed waits, sent again or not', async () => {
    const program = await pipeline.program();
    const unpaid = await waiting(program, ['10']);
    await restored();
    const again = await pipeline.disburse(program, [['30']]);
    await becomes(() => pipeline.envelope(again.envelope.id), BLOCK_FORGOTTEN);
    await resumed('block_funds_with_bank');
    const before = await sent();
    const late = await pipeline.disburse(program, [['50']]);
    await becomes(() => batchOf(late), FORGOTTEN);
    await goOn(unpaid);
    await becomes(() => batchOf(unpaid), FORGOTTEN);
    expect(await sent()).toBe(before);
    await resumed('disburse_funds_from_bank');
    const later = await pipeline.disburse(program, [['40']]);
    await becomes(() => batchOf(later), { sponsor_bank_dispatch_status: 'PROCESSED' });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 1, debited_sum: '40.00' });
  });

  it.runIf(!canBeAsked)(
    'a person who has found out that they were not paid retries, and they are sent',
    async () => {
      const program = await pipeline.program();
      await restored();
      const disbursing = await pipeline.disburse(program, [['30']]);
      const { id } = disbursing.envelope;
      await becomes(() => pipeline.envelope(id), BLOCK_FORGOTTEN);
      const retry = { type: 'funds_blocked.retry', at: new Date() } as const;
      await pipeline.system.send(envelopeActor, id, retry);
      await becomes(() => batchOf(disbursing), FORGOTTEN);
      const before = await sent();
      // The decision outlives attempts that fail for other reasons.
      await outside.bank.faults([{ path: '/initiate_payment', kind: 'refuse', count: 1 }]);
      await retryPayment(disbursing);
      await becomes(() => batchOf(disbursing), { sponsor_bank_dispatch_status: 'PROCESSED' });
      expect(await sent()).toBeGreaterThan(before);
      expect(await outside.bank.ledger(program.account)).toMatchObject({
        debits: 1,
        duplicate_references: 0,
      });
    },
  );

  it.runIf(!canBeAsked)(
    'a person who has found out that they were paid releases them, and they count as paid',
    async () => {
      const program = await pipeline.program();
      const disbursing = await waiting(program, ['30']);
      await restored();
      await goOn(disbursing);
      await becomes(() => batchOf(disbursing), FORGOTTEN);
      await pipeline.system.release(batchActor, idOf(disbursing), 'sponsor_bank_dispatch');
      await becomes(() => pipeline.envelope(disbursing.envelope.id), { number_of_disbursements_shipped: 1 });
      expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 0 });
    },
  );
});
