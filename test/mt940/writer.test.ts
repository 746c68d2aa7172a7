import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Statement,
  type StatementEntry,
  toNarrativeLine,
  toReference,
  writeMt940,
} from '../../simulators/bank/mt940-writer.ts';
import { readAll } from './support.ts';

const payment: StatementEntry = {
  valueDate: '2024-01-31',
  mark: 'D',
  amount: '10.00',
  transactionType: 'NTRF',
  customerReference: 'PAY-1',
  narrative: ['One'],
};

const statement: Statement = {
  reference: 'REF1',
  account: 'ACCOUNT-1',
  statementNumber: '1',
  sequenceNumber: '1',
  currency: 'EUR',
  opening: { mark: 'C', date: '2024-01-31', amount: '100' },
  entries: [],
  closing: { mark: 'C', date: '2024-01-31', amount: '90.00' },
};

const write = (changes: Partial<Statement>) => [...writeMt940({ ...statement, ...changes })].join('');
const writeEntry = (changes: Partial<StatementEntry>) => write({ entries: [{ ...payment, ...changes }] });

describe('the MT940 writer', () => {
  it('writes a statement exactly as SWIFT lays it out', () => {
    const entry: StatementEntry = {
      ...payment,
      entryDate: '2024-02-01',
      customerReference: '018f4e5a-0000-7000-8000-000000000001',
      bankReference: 'FT1',
      supplementaryDetails: 'Salaries',
      narrative: ['One', '', 'x'.repeat(70), ''],
    };
    expect(write({ entries: [entry, { ...payment, mark: 'RD', narrative: [] }] }).split('\r\n')).toEqual([
      ':20:REF1',
      ':25:ACCOUNT-1',
      ':28C:1/1',
      ':60F:C240131EUR100,',
      ':61:2401310201D10,00NTRF018f4e5a-0000-70//FT1',
      'Salaries',
      ':86:One',
      '',
      'x'.repeat(65),
      ':61:240131RD10,00NTRFPAY-1',
      ':62F:C240131EUR90,00',
      '-',
      '',
    ]);
  });

  const refused: [what: string, write: () => string, field: string][] = [
    ['a reference of 17 characters', () => write({ reference: 'x'.repeat(17) }), 'reference'],
    ['an empty account', () => write({ account: '' }), 'account'],
    ['a line break in the account', () => write({ account: 'A\n:61:' }), 'account'],
    ['a statement number of six digits', () => write({ statementNumber: '123456' }), 'statementNumber'],
    ['a currency that is none', () => write({ currency: 'eur' }), 'currency'],
    [
      'a date before 1980',
      () => write({ closing: { ...statement.closing, date: '1979-12-31' } }),
      'closing.date',
    ],
    ['29 February 2023', () => writeEntry({ valueDate: '2023-02-29' }), 'entry 1 valueDate'],
    ['an entry date far away', () => writeEntry({ entryDate: '2024-08-31' }), 'entry 1 entryDate'],
    ['a negative amount', () => writeEntry({ amount: '-1' }), 'entry 1 amount'],
    ['an amount of 15 digits', () => writeEntry({ amount: '1234567890123.45' }), 'entry 1 amount'],
    ['a type that is none', () => writeEntry({ transactionType: 'XTRF' }), 'entry 1 transactionType'],
    [
      '// in the customer reference',
      () => writeEntry({ customerReference: 'a//b' }),
      'entry 1 customerReference',
    ],
    ['a long bank reference', () => writeEntry({ bankReference: 'x'.repeat(17) }), 'entry 1 bankReference'],
    [
      'seven narrative lines',
      () => writeEntry({ narrative: new Array<string>(7).fill('x') }),
      'entry 1 narrative',
    ],
    [
      'a line break in a narrative',
      () => writeEntry({ narrative: ['a\r\n:61:x'] }),
      'entry 1 narrative line 1',
    ],
    [
      'a narrative line that is a tag',
      () => writeEntry({ narrative: ['a', ':61:x'] }),
      'entry 1 narrative line 2',
    ],
    [
      'a narrative line that is an end',
      () => writeEntry({ narrative: ['a', '-'] }),
      'entry 1 narrative line 2',
    ],
    ['half a character', () => writeEntry({ narrative: ['\ud83d'] }), 'entry 1 narrative line 1'],
  ];

  it.each(refused)('refuses %s and names the field', (_, attempt, field) => {
    expect(attempt).toThrow(expect.objectContaining({ code: 'MT940_NOT_REPRESENTABLE', field }));
  });

  it('writes any text once made fit, and it is read back as made fit', async () => {
    const anything = fc.string({ unit: 'binary', maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(anything, fc.array(anything, { minLength: 1, maxLength: 6 }), async (id, lines) => {
        const entry = { ...payment, customerReference: toReference(id), bankReference: toReference(id) };
        const narrative = [...lines.map((line) => toNarrativeLine(line)), 'end'].slice(-6);
        const [read] = await readAll([write({ entries: [{ ...entry, narrative }] })]);
        expect(read?.entries).toMatchObject([
          { customerReference: entry.customerReference, bankReference: entry.bankReference, narrative },
        ]);
      }),
    );
  });
});
