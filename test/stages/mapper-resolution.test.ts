import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { batchActor } from '../../src/stages/actors.ts';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { type Address, bankAccount, newId } from '../support/records.ts';

const UNKNOWN = { quantity: '10', address: null };

describe('resolving the addresses of a batch', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, { settings: { mapper_chunk_size: '2' } });
  });
  afterEach(async () => {
    await outside.mapper.start();
    await outside.mapper.faults([]);
  });
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });

  const batchOf = ({ batches }: Disbursing) => pipeline.batch(batches[0]?.row.id);
  const envelopeOf = ({ envelope }: Disbursing) => pipeline.envelope(envelope.id);
  const beneficiariesOf = ({ batches }: Disbursing) =>
    batches.flatMap(({ disbursements }) => disbursements.map((one) => one.beneficiary_id));

  const addressesOf = ({ envelope }: Disbursing) => pipeline.database.sql`
    select * from disbursement_resolution_financial_address
    where disbursement_envelope_id = ${envelope.id} order by disbursement_id`;

  /** What every failed attempt said, in order. */
  async function faultsOf({ batches }: Disbursing): Promise<string[]> {
    const rows = await pipeline.database.sql<{ error_code: string; error_message: string }[]>`
      select error_code, error_message from actor_transitions
      where actor_id = ${batches[0]?.row.id ?? ''} and region = 'fa_resolution' and event = 'failed' order by seq`;
    return rows.map((row) => `${row.error_code}: ${row.error_message}`);
  }

  async function requestsWhile(run: () => Promise<unknown>): Promise<number> {
    const before = await outside.mapper.requests('/resolve');
    await run();
    return (await outside.mapper.requests('/resolve')) - before;
  }

  async function retry({ batches }: Disbursing): Promise<void> {
    const id = batches[0]?.row.id ?? '';
    const { accepted } = await pipeline.system.send(batchActor, id, {
      type: 'fa_resolution.retry',
      at: new Date(),
    });
    expect(accepted).toBe(true);
  }

  const release = ({ batches }: Disbursing) =>
    pipeline.system.release(batchActor, batches[0]?.row.id ?? '', 'fa_resolution');

  it('stores each kind of address in the columns of its kind, and pays to all of them', async () => {
    const program = await pipeline.program();
    const bank: Address = {
      fa_type: 'BANK',
      account_number: '0098.12',
      bank_code: 'FAR-BANK',
      bank_name: 'Far Bank',
      branch_code: 'B7',
    };
    const provider = { wallet_provider_name: 'Wave Money', wallet_provider_code: 'WAVE' };
    const mobile: Address = { fa_type: 'MOBILE_WALLET', mobile_number: '+919812345678', ...provider };
    const email: Address = { fa_type: 'EMAIL_WALLET', email_address: 'asha.devi@example.org', ...provider };
    const disbursing = await pipeline.disburse(program, [
      [bank, mobile, email].map((address) => ({ quantity: '10', address })),
    ]);
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 3 });

    const nothing = {
      bank_account_number: null,
      bank_code: null,
      branch_code: null,
      mobile_number: null,
      mobile_wallet_provider: null,
      email_address: null,
      email_wallet_provider: null,
    };
    const expected = [
      {
        ...nothing,
        mapper_resolved_fa_type: 'BANK_ACCOUNT',
        mapper_resolved_fa:
          'account_number:0098.12.branch_code:B7.bank_code:FAR-BANK.mobile_number:.email_address:.fa_type:BANK_ACCOUNT',
        mapper_resolved_name: 'Far Bank',
        bank_account_number: '0098.12',
        bank_code: 'FAR-BANK',
        branch_code: 'B7',
      },
      {
        ...nothing,
        mapper_resolved_fa_type: 'MOBILE_WALLET',
        mapper_resolved_name: 'Wave Money',
        mobile_number: '+919812345678',
        mobile_wallet_provider: 'WAVE',
      },
      {
        ...nothing,
        mapper_resolved_fa_type: 'EMAIL_WALLET',
        mapper_resolved_name: 'Wave Money',
        email_address: 'asha.devi@example.org',
        email_wallet_provider: 'WAVE',
      },
    ];
    const stored = new Map((await addressesOf(disbursing)).map((row) => [row.disbursement_id, row]));
    for (const [n, id] of disbursing.ids.entries()) {
      expect(stored.get(id)).toMatchObject({
        disbursement_batch_control_id: disbursing.batches[0]?.row.id,
        beneficiary_id: beneficiariesOf(disbursing)[n],
        ...expected[n],
      });
    }
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 3, debited_sum: '30.00' });
  });

  it('asks in chunks of the configured size', async () => {
    const program = await pipeline.program();
    const requests = await requestsWhile(async () => {
      const disbursing = await pipeline.disburse(program, [['1', '2', '3', '4', '5']]);
      await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 5 });
    });
    expect(requests).toBe(3);
  });

  it('keeps what resolves, names what does not, and asks only for the rest the next time', async () => {
    const program = await pipeline.program();
    let disbursing: Disbursing | undefined;
    const requests = await requestsWhile(async () => {
      disbursing = await pipeline.disburse(program, [['1', UNKNOWN, '2', UNKNOWN, '3']]);
      const of = disbursing;
      await becomes(() => batchOf(of), { fa_resolution_status: 'ERROR' });
    });
    if (!disbursing) throw new Error('Nothing was received.');
    // Three chunks for five beneficiaries, then twice one for the two that are left.
    expect(requests).toBe(3 + 1 + 1);
    const unresolved = [disbursing.ids[1], disbursing.ids[3]].sort();
    const resolved = (await addressesOf(disbursing)).map((row) => row.disbursement_id);
    expect(resolved).toEqual(disbursing.ids.filter((id) => !unresolved.includes(id)).sort());
    const said = await faultsOf(disbursing);
    expect(said).toHaveLength(3);
    for (const one of said) {
      expect(one).toMatch(/^FA_UNRESOLVED: 2 of \d disbursements of batch /);
      for (const id of unresolved) expect(one).toContain(`${id} (rjct.id.not_found)`);
      for (const id of resolved) expect(one).not.toContain(id);
    }
    expect(await batchOf(disbursing)).toMatchObject({
      fa_resolution_latest_error_code: 'FA_UNRESOLVED',
      fa_resolution_attempts: 3,
      sponsor_bank_dispatch_status: 'NOT_APPLICABLE',
    });
  });

  it('resolves the rest when an operator retries after the mapper has learnt of them', async () => {
    const program = await pipeline.program();
    const disbursing = await pipeline.disburse(program, [['1', UNKNOWN, '2']]);
    await becomes(() => batchOf(disbursing), { fa_resolution_status: 'ERROR' });
    await outside.mapper.link([{ id: beneficiariesOf(disbursing)[1] ?? '', ...bankAccount() }]);
    const requests = await requestsWhile(async () => {
      await retry(disbursing);
      await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 3 });
    });
    expect(requests).toBe(1);
    expect(await batchOf(disbursing)).toMatchObject({
      fa_resolution_status: 'PROCESSED',
      fa_resolution_attempts: 1,
      fa_resolution_latest_error_code: null,
    });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 3, debited_sum: '13.00' });
  });

  it('does not take an address that cannot be taken apart', async () => {
    const program = await pipeline.program();
    const blank: Address = { fa_type: 'BANK', account_number: ' ', bank_code: 'FAR-BANK' };
    const disbursing = await pipeline.disburse(program, [['1', { quantity: '2', address: blank }]]);
    await becomes(() => batchOf(disbursing), {
      fa_resolution_status: 'ERROR',
      fa_resolution_latest_error_code: 'FA_UNRESOLVED',
    });
    expect((await faultsOf(disbursing))[0]).toContain(`${disbursing.ids[1]} (FA_MALFORMED)`);
    expect(await addressesOf(disbursing)).toHaveLength(1);
  });

  it('goes on by itself when the mapper works again before the attempts are used up', async () => {
    const program = await pipeline.program();
    await outside.mapper.faults([{ path: '/resolve', kind: 'error_before', count: 2 }]);
    const disbursing = await pipeline.disburse(program, [['1', '2']]);
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 2 });
    expect((await faultsOf(disbursing)).map((said) => said.split(':')[0])).toEqual([
      'MAPPER_ERROR',
      'MAPPER_ERROR',
    ]);
    expect(await batchOf(disbursing)).toMatchObject({
      fa_resolution_status: 'PROCESSED',
      fa_resolution_attempts: 3,
      fa_resolution_latest_error_code: null,
    });
  });

  it('keeps the chunks that were answered when another one was not', async () => {
    const program = await pipeline.program();
    await outside.mapper.faults([{ path: '/resolve', kind: 'drop_after', count: 1 }]);
    const requests = await requestsWhile(async () => {
      const disbursing = await pipeline.disburse(program, [['1', '2', '3', '4']]);
      await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 4 });
      expect((await faultsOf(disbursing)).map((said) => said.split(':')[0])).toEqual([
        'MAPPER_CONNECTION_LOST',
      ]);
    });
    expect(requests).toBe(2 + 1);
  });

  it('stops in ERROR while the mapper is down, and is resumed by an operator', async () => {
    const program = await pipeline.program();
    await outside.mapper.stop();
    const disbursing = await pipeline.disburse(program, [[UNKNOWN, UNKNOWN]]);
    await becomes(() => batchOf(disbursing), {
      fa_resolution_status: 'ERROR',
      fa_resolution_latest_error_code: 'MAPPER_UNREACHABLE',
      fa_resolution_attempts: 3,
    });
    await outside.mapper.start();
    await outside.mapper.link(beneficiariesOf(disbursing).map((id) => ({ id, ...bankAccount() })));
    await retry(disbursing);
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 2 });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 2, duplicate_references: 0 });
  });

  it('pays the others when an operator releases the batch, and marks each that is left out', async () => {
    const program = await pipeline.program();
    const disbursing = await pipeline.disburse(program, [['1', UNKNOWN, '2', UNKNOWN]]);
    await becomes(() => batchOf(disbursing), { fa_resolution_status: 'ERROR' });
    expect(await release(disbursing)).toMatchObject({ accepted: true });
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 2 });
    const rows = await pipeline.database.sql<{ id: string; left_out_reason: string | null }[]>`
      select id, left_out_reason from disbursements where disbursement_envelope_id = ${disbursing.envelope.id}`;
    const reasons = new Map(rows.map((row) => [row.id, row.left_out_reason]));
    expect(disbursing.ids.map((id) => reasons.get(id))).toEqual([
      null,
      'FA_UNRESOLVED',
      null,
      'FA_UNRESOLVED',
    ]);
    expect(await batchOf(disbursing)).toMatchObject({
      fa_resolution_status: 'PROCESSED',
      sponsor_bank_dispatch_status: 'PROCESSED',
    });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 2, debited_sum: '3.00' });
  });

  it('pays nothing when a batch is released of which nothing resolved', async () => {
    const program = await pipeline.program();
    const disbursing = await pipeline.disburse(program, [[UNKNOWN]]);
    await becomes(() => batchOf(disbursing), { fa_resolution_status: 'ERROR' });
    await release(disbursing);
    await becomes(() => batchOf(disbursing), { sponsor_bank_dispatch_status: 'PROCESSED' });
    expect(await envelopeOf(disbursing)).toMatchObject({ number_of_disbursements_shipped: 0 });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 0 });
  });

  it('releases nothing that is not in ERROR', async () => {
    const program = await pipeline.program();
    const disbursing = await pipeline.announce(program, [[UNKNOWN]]);
    for (const batch of disbursing.batches) await pipeline.store(batch);
    expect(await release(disbursing)).toMatchObject({ accepted: false, problem: null });
    const unknown = await pipeline.system.release(batchActor, newId('BT'), 'fa_resolution');
    expect(unknown).toMatchObject({ accepted: false, problem: 'missing' });
    const [row] = await pipeline.database.sql<{ left_out_reason: string | null }[]>`
      select left_out_reason from disbursements where id = ${disbursing.ids[0] ?? ''}`;
    expect(row).toEqual({ left_out_reason: null });
    expect(await batchOf(disbursing)).toMatchObject({ fa_resolution_status: 'NOT_APPLICABLE' });
  });
});
