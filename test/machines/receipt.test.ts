import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EnvelopeFacts, envelopeMachine } from '../../src/machines/envelope.ts';
import { later, newEnvelope, run, START, seen, stageOf, step } from './records.ts';

/** Receipt: an envelope takes batches up to exactly what it declared, in exact decimals. */

const factsOf = (snapshot: unknown) => seen(snapshot).context.facts as unknown as EnvelopeFacts;
const received = (count: number, quantity: string) =>
  ({ type: 'batch_received', at: START, count, quantity }) as const;
const declaring = (number_of_disbursements: number, total_disbursement_quantity: string) =>
  run(envelopeMachine, newEnvelope({ number_of_disbursements, total_disbursement_quantity }), [
    { type: 'created', at: START },
  ]).snapshot;

/** A whole number of thousandths, spelled as amounts are: with and without needless zeros. */
const spelled = (thousandths: number, style: number): string => {
  const exact = `${Math.floor(thousandths / 1000)}.${String(thousandths % 1000).padStart(3, '0')}`;
  return [exact, exact.replace(/\.?0+$/, ''), `00${exact}0`][style % 3] ?? exact;
};

const batch = fc.record({
  count: fc.nat({ max: 4 }),
  thousandths: fc.oneof(fc.constantFrom(100, 200, 300, 700), fc.nat({ max: 2_000 })),
  style: fc.nat({ max: 2 }),
});

describe('receipt', () => {
  it.each([
    [['0.1', '0.2'], '0.3'],
    [['0.7', '0.1', '0.1'], '0.9'],
    [Array(10).fill('0.1'), '1'],
    [['1.10', '2.20'], '3.3'],
    [['9007199254740993', '0.01'], '9007199254740993.01'],
    [['0.3', '0', '0.00'], '0.3'],
  ])('of %s completes an envelope of %s', (quantities: string[], total) => {
    const { snapshot } = run(
      envelopeMachine,
      declaring(quantities.length, total),
      quantities.map((quantity) => received(1, quantity)),
    );
    expect(seen(snapshot).value.receipt).toBe('RECEIVED');
    expect(factsOf(snapshot).total_disbursement_quantity_received).toBe(total);
  });

  it('refuses what is too much by the last decimal place', () => {
    const { snapshot } = step(envelopeMachine, declaring(3, '0.3'), received(1, '0.1'));
    const tooMuch = step(envelopeMachine, snapshot, received(1, '0.20000000000000000001'));
    expect(tooMuch.snapshot).toBe(snapshot);
  });

  it('never exceeds what was declared, and completes exactly when number and quantity are both reached', () => {
    fc.assert(
      fc.property(
        fc.array(batch, { maxLength: 12 }),
        fc.nat({ max: 12 }),
        fc.nat({ max: 3 }),
        (batches, upTo, slack) => {
          // What was declared is often the exact sum of the first batches, so that completion is common.
          const first = batches.slice(0, upTo);
          const declared = {
            count: first.reduce((sum, { count }) => sum + count, 0) + (slack > 2 ? 1 : 0),
            thousandths: first.reduce((sum, { thousandths }) => sum + thousandths, 0) + (slack > 1 ? 1 : 0),
          };
          let envelope = declaring(declared.count, spelled(declared.thousandths, slack));
          let [count, thousandths, complete] = [0, 0, false];
          for (const one of batches) {
            const { snapshot } = step(
              envelopeMachine,
              envelope,
              received(one.count, spelled(one.thousandths, one.style)),
            );
            const fits =
              !complete &&
              count + one.count <= declared.count &&
              thousandths + one.thousandths <= declared.thousandths;
            if (!fits) {
              expect(snapshot).toBe(envelope);
              continue;
            }
            envelope = snapshot;
            count += one.count;
            thousandths += one.thousandths;
            complete = count === declared.count && thousandths === declared.thousandths;
            expect(factsOf(envelope).number_of_disbursements_received).toBe(count);
            expect(hundredThousandths(factsOf(envelope).total_disbursement_quantity_received)).toBe(
              thousandths * 100,
            );
            expect(seen(envelope).value.receipt).toBe(complete ? 'RECEIVED' : 'RECEIVING');
            expect(stageOf(envelope, 'funds_available').dueAt !== null).toBe(complete);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('ends with the cancellation', () => {
    const { snapshot } = run(envelopeMachine, declaring(2, '0.3'), [
      received(1, '0.1'),
      { type: 'cancel', at: later(START) },
    ]);
    expect(step(envelopeMachine, snapshot, received(1, '0.2')).snapshot).toBe(snapshot);
  });
});

/** Reads a decimal text without rounding. */
function hundredThousandths(text: string): number {
  const [whole = '', fraction = ''] = text.split('.');
  expect(fraction.length).toBeLessThanOrEqual(5);
  return Number(whole + fraction.padEnd(5, '0'));
}
