import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDecimals, normaliseDecimal, sumDecimals } from '../../src/decimal.ts';
import { becomes } from '../support/becomes.ts';
import { type Fault, type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline, type Program } from '../support/pipeline.ts';

const RUNS = 3;
/** With 30 % of answers lost, the chance that 60 attempts do not suffice is nil. */
const ATTEMPTS = '60';

const LOST_ANSWERS: readonly Fault[] = [
  '/check_funds',
  '/block_funds',
  '/initiate_payment',
  '/payment_status',
].map((path) => ({ path, kind: 'drop_after', probability: 0.3 }));

const quantity = fc
  .tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 99 }))
  .map(([whole, hundredths]) => `${whole}.${String(hundredths).padStart(2, '0')}`);
const batch = fc.array(
  fc.oneof({ weight: 9, arbitrary: quantity }, { weight: 1, arbitrary: fc.constant('0') }),
  {
    minLength: 1,
    maxLength: 5,
  },
);
const envelopes = fc.array(fc.array(batch, { minLength: 1, maxLength: 3 }), { minLength: 5, maxLength: 8 });

describe('whatever answers of the bank are lost', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, {
      processes: 2,
      settings: {
        check_funds_with_bank_max_attempts: ATTEMPTS,
        block_funds_with_bank_max_attempts: ATTEMPTS,
        disburse_funds_with_bank_max_attempts: ATTEMPTS,
      },
    });
  });
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });

  const isZero = (one: string) => normaliseDecimal(one) === '0';

  /** The envelope is shipped and reconciled, and the bank's books say the same of its program. */
  async function expectPaidOnce(program: Program, { envelope, batches }: Disbursing): Promise<void> {
    const quantities = batches.flatMap(({ disbursements }) =>
      disbursements.map((one) => one.disbursement_quantity),
    );
    const payments = quantities.filter((one) => !isZero(one));
    await becomes(
      () => pipeline.envelope(envelope.id),
      { number_of_disbursements_shipped: payments.length, funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS' },
      30_000,
    );
    for (const { row } of batches) {
      await becomes(() => pipeline.batch(row.id), { sponsor_bank_dispatch_status: 'PROCESSED' });
    }
    const ledger = await outside.bank.ledger(program.account);
    expect(ledger).toMatchObject({ debits: payments.length, blocked: '0.00', duplicate_references: 0 });
    expect(normaliseDecimal(ledger.debited_sum)).toBe(sumDecimals(quantities));
    expect(addDecimals(ledger.balance, ledger.debited_sum)).toBe('1000000');
    expect(await outside.bank.blocks(program.account)).toHaveLength(1);

    await pipeline.upload(await outside.bank.statement(program.account));
    await becomes(() => pipeline.envelope(envelope.id), {
      number_of_disbursements_reconciled: quantities.length,
    });
  }

  it('every disbursement is paid once, and our sums are those of the bank', { timeout: 90_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(envelopes, fc.integer({ min: 0, max: 1_000_000 }), async (wanted, seed) => {
        await outside.bank.faults([]);
        const programs: Program[] = [];
        for (const _ of wanted) programs.push(await pipeline.program());
        await outside.bank.faults(LOST_ANSWERS, seed);
        const disbursing = await Promise.all(
          wanted.map((batches, n) => pipeline.disburse(programs[n] as Program, batches)),
        );
        for (const [n, one] of disbursing.entries()) await expectPaidOnce(programs[n] as Program, one);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });
});
