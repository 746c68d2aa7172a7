import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDecimals, normaliseDecimal, sumDecimals } from '../../src/decimal.ts';
import { becomes } from '../support/becomes.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { type Fault, type Outside, openOutside } from '../support/outside.ts';
import type { Disbursing, Program } from '../support/pipeline.ts';

const RUNS = 3;
const ZONES = 8;
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
const disbursement = fc.record({
  zone: fc.integer({ min: 0, max: ZONES - 1 }),
  quantity: fc.oneof({ weight: 3, arbitrary: quantity }, { weight: 1, arbitrary: fc.constant('0') }),
});
const batch = fc.array(disbursement, { minLength: 1, maxLength: 8 });
const envelopes = fc.array(fc.array(batch, { minLength: 1, maxLength: 3 }), { minLength: 4, maxLength: 6 });

describe('physical cash, whatever answers of the bank are lost', () => {
  let outside: Outside;
  let world: InKindPipeline;
  beforeAll(async () => {
    outside = await openOutside();
    world = await openInKind(outside, {
      processes: 2,
      sizes: { smallZones: ZONES },
      settings: {
        suppress_notifications: 'true',
        check_funds_with_bank_max_attempts: ATTEMPTS,
        block_funds_with_bank_max_attempts: ATTEMPTS,
        disburse_funds_with_bank_max_attempts: ATTEMPTS,
      },
    });
  });
  afterAll(async () => {
    await world.close();
    await outside.close();
  });

  /** The envelope is shipped and reconciled, and the bank's books say the same of its program. */
  async function expectPaidOnce(program: Program, { envelope, batches, ids }: Disbursing): Promise<void> {
    for (const { row } of batches)
      await becomes(
        () => world.pipeline.batch(row.id),
        { sponsor_bank_dispatch_status: 'PROCESSED' },
        30_000,
      );
    const geos = (await Promise.all(batches.map(({ row }) => world.geos(row.id)))).flat();
    const payable = geos.filter((geo) => normaliseDecimal(String(geo.total_quantity)) !== '0');
    const people = payable.reduce((sum, geo) => sum + Number(geo.no_of_beneficiaries), 0);
    await becomes(() => world.pipeline.envelope(envelope.id), {
      number_of_disbursements_shipped: people,
      number_of_disbursements_reconciled: ids.length - people,
      funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS',
    });
    const made = (await outside.bank.payments(program.account)).map(
      ({ reference, amount }) => `${reference}: ${normaliseDecimal(amount)}`,
    );
    expect(made.sort()).toEqual(
      payable.map((geo) => `${geo.id}: ${normaliseDecimal(String(geo.total_quantity))}`).sort(),
    );
    const ledger = await outside.bank.ledger(program.account);
    expect(ledger).toMatchObject({ debits: payable.length, blocked: '0.00', duplicate_references: 0 });
    const quantities = batches.flatMap(({ disbursements }) =>
      disbursements.map((one) => one.disbursement_quantity),
    );
    expect(normaliseDecimal(ledger.debited_sum)).toBe(sumDecimals(quantities));
    expect(addDecimals(ledger.balance, ledger.debited_sum)).toBe('1000000000');

    await world.pipeline.upload(await outside.bank.statement(program.account));
    await becomes(() => world.pipeline.envelope(envelope.id), {
      number_of_disbursements_reconciled: ids.length,
    });
  }

  it('every geo record is paid once, and our sums are those of the bank', { timeout: 90_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(envelopes, fc.integer({ min: 0, max: 1_000_000 }), async (wanted, seed) => {
        await outside.bank.faults([]);
        const programs: Program[] = [];
        for (const _ of wanted) programs.push(await world.cashProgram());
        await outside.bank.faults(LOST_ANSWERS, seed);
        const disbursing = await Promise.all(
          wanted.map((batches, n) =>
            world.disburse(
              'CASH_PHYSICAL',
              batches.map((some) => some.map((one) => world.living(one.zone, one.quantity))),
              { benefit_program_id: programs[n]?.id ?? 0 },
            ),
          ),
        );
        for (const [n, one] of disbursing.entries()) await expectPaidOnce(programs[n] as Program, one);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });
});
