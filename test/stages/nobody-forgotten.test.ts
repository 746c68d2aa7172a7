import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { becomes } from '../support/becomes.ts';
import { FORGETFUL_MAPPER } from '../support/forgetful-mapper.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { openPipeline, type Pipeline } from '../support/pipeline.ts';

describe('nobody is forgotten or paid elsewhere', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
  });
  afterEach(async () => {
    await outside.bank.faults([]);
    await pipeline.close();
  });
  afterAll(() => outside.close());

  it('when a mapper leaves answers out: who was not answered for is unresolved', async () => {
    pipeline = await openPipeline(outside, {
      settings: { ...FORGETFUL_MAPPER, mapper_resolution_max_attempts: '1' },
    });
    const { batches, ids } = await pipeline.disburse(await pipeline.program(), [['10', '20', '30']]);
    await becomes(() => pipeline.batch(batches[0]?.row.id), {
      fa_resolution_status: 'ERROR',
      fa_resolution_latest_error_code: 'FA_UNRESOLVED',
    });
    const addresses = await pipeline.database.sql<{ id: string }[]>`
      select disbursement_id as id from disbursement_resolution_financial_address order by 1`;
    expect(addresses.map(({ id }) => id)).toEqual(ids.toSorted().slice(1));
  });

  it('when an address is gone before payment: nothing of the batch is paid, and it says why', async () => {
    pipeline = await openPipeline(outside);
    const program = await pipeline.program();
    const { batches, ids } = await pipeline.announce(program, [['10', '20'], ['30']]);
    const [first, second] = batches;
    if (!first || !second) throw new Error('There are two batches.');
    await pipeline.receive(first);
    await becomes(() => pipeline.batch(first.row.id), { fa_resolution_status: 'PROCESSED' });
    await pipeline.database.sql`
      delete from disbursement_resolution_financial_address where disbursement_id = ${ids[0] ?? ''}`;
    await pipeline.receive(second);
    await becomes(() => pipeline.batch(second.row.id), { sponsor_bank_dispatch_status: 'PROCESSED' });
    await becomes(() => pipeline.batch(first.row.id), {
      sponsor_bank_dispatch_status: 'ERROR',
      sponsor_bank_dispatch_latest_error_code: 'ADDRESS_MISSING',
    });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 1 });
  });

  it('when the sponsor bank is configured anew before the payment: it waits for the former one', async () => {
    pipeline = await openPipeline(outside);
    const program = await pipeline.program();
    const other = await pipeline.program();
    await outside.bank.faults([{ path: '/initiate_payment', kind: 'drop_before' }]);
    const { batches } = await pipeline.disburse(program, [['10']]);
    const batch = () => pipeline.batch(batches[0]?.row.id);
    await becomes(batch, { sponsor_bank_dispatch_latest_error_code: 'PAYMENT_NOT_RECEIVED' });
    await pipeline.stop();
    await outside.bank.faults([]);
    // While nobody works: a process under way would not notice that its row is changed behind its back.
    await pipeline.database.sql`
      update disbursement_batch_control set sponsor_bank_dispatch_status = 'PENDING', sponsor_bank_dispatch_due_at = now()`;
    await pipeline.join(
      {},
      {
        sponsor_bank_configurations: JSON.stringify({
          default: { sponsor_bank_code: 'EXAMPLE-BANK', program_account_number: other.account },
        }),
      },
    );
    await pipeline.tick('disburse_funds_from_bank');
    await becomes(batch, {
      sponsor_bank_dispatch_status: 'ERROR',
      sponsor_bank_dispatch_latest_error_code: 'SPONSOR_BANK_CHANGED',
    });
    for (const { account } of [program, other]) {
      expect(await outside.bank.ledger(account)).toMatchObject({ debits: 0 });
    }
  });
});
