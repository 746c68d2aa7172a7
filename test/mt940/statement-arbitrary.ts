import fc from 'fast-check';
import type { Statement, StatementBalance, StatementEntry } from '../../simulators/bank/mt940-writer.ts';
import { normaliseDecimal, subtractDecimals, sumDecimals } from '../../src/decimal.ts';

const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength, maxLength });

const amount = fc
  .tuple(digits(1, 7), fc.option(digits(1, 3)))
  .map(([whole, fraction]) => (fraction === null ? whole : `${whole}.${fraction}`));

const dayMs = 86_400_000;
const firstMs = Date.UTC(1980, 0, 1);
const days = Math.round((Date.UTC(2079, 11, 31) - firstMs) / dayMs);
const isoDate = (day: number) => new Date(firstMs + day * dayMs).toISOString().slice(0, 10);
const date = fc.integer({ min: 0, max: days }).map(isoDate);

/** A value date, and an entry date up to half a year away that MT940 can still write. */
const dates = fc
  .tuple(fc.integer({ min: 0, max: days }), fc.option(fc.integer({ min: -180, max: 180 })))
  .map(([day, distance]) => {
    const entryDay = distance === null ? null : Math.min(Math.max(day + distance, 0), days);
    return { valueDate: isoDate(day), ...(entryDay === null ? {} : { entryDate: isoDate(entryDay) }) };
  });

/** Text that a bank may write: no control characters, no spaces around. */
const text = (maxLength: number) =>
  fc
    .string({ unit: fc.constantFrom(...'abcXYZ019 /?:-{}.,+äñአ中😀'), maxLength })
    .map((value) => value.trim());

const reference = text(16).map((value) => value.replaceAll(/\/{2,}/g, '/').replace(/[ /]+$/, ''));
const narrativeLine = text(65).map((value) => value.replace(/^[:{-]/, '.'));

const entry: fc.Arbitrary<StatementEntry> = fc
  .record(
    {
      dates,
      mark: fc.constantFrom('D' as const, 'C' as const, 'RD' as const, 'RC' as const),
      amount,
      transactionType: fc.constantFrom('NTRF', 'NMSC', 'S103', 'FCHG', 'N033'),
      customerReference: reference,
      bankReference: reference,
      supplementaryDetails: text(34).map((value) => value.replace(/^[:{-]/, '.')),
      narrative: fc.array(narrativeLine, { maxLength: 6 }),
    },
    { requiredKeys: ['dates', 'mark', 'amount', 'transactionType', 'customerReference', 'narrative'] },
  )
  .map(({ dates: both, ...parts }) => ({ ...both, ...parts }));

/** Any statement that the writer takes and whose balances add up. */
export const anyStatement: fc.Arbitrary<Statement & { entries: StatementEntry[] }> = fc
  .record({
    reference: reference.map((value) => `R${value}`.slice(0, 16).trim()),
    account: text(30).map((value) => `A${value}`.slice(0, 35)),
    statementNumber: digits(1, 5),
    sequenceNumber: digits(1, 5),
    currency: fc.constantFrom('EUR', 'ETB', 'USD', 'JPY', 'KWD', 'INR'),
    opening: fc.record({ mark: fc.constantFrom('C' as const, 'D' as const), date, amount }),
    closingDate: date,
    entries: fc.array(entry, { maxLength: 8 }),
  })
  .map(({ closingDate, ...parts }) => ({
    ...parts,
    closing: closingOf(parts.opening, parts.entries, closingDate),
  }));

function closingOf(
  opening: StatementBalance,
  entries: StatementEntry[],
  closingDate: string,
): StatementBalance {
  const signed = entries.map(({ mark, amount: value }) =>
    mark === 'C' || mark === 'RD' ? value : subtractDecimals('0', value),
  );
  const start = opening.mark === 'C' ? opening.amount : subtractDecimals('0', opening.amount);
  const closing = sumDecimals([start, ...signed]);
  return {
    mark: closing.startsWith('-') ? 'D' : 'C',
    date: closingDate,
    amount: normaliseDecimal(closing.replace('-', '')),
  };
}

/** The bytes as chunks, cut after any number of bytes, so also inside line ends and characters. */
export function cutAnywhere(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = cuts[turn % cuts.length] ?? bytes.length;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
