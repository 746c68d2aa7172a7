import { describe, expect, it } from 'vitest';
import { balance, entry, readAll, sample } from './support.ts';

describe('statements as banks of Asia, Africa and America write them', () => {
  it('reads HSBC: narrative lines that start with a dash, :13D:, :90D:, blank lines', async () => {
    const [statement, ...more] = await readAll([sample('hsbc-hong-kong.sta')]);
    expect(more).toEqual([]);
    expect(statement?.header).toMatchObject({ account: '808-000001-838', sequenceNumber: '00001' });
    expect(statement?.entries).toEqual([
      entry({
        line: 6,
        valueDate: '2024-02-29',
        entryDate: '2024-02-29',
        mark: 'D',
        amount: '150000.00',
        transactionType: 'NTRF',
        customerReference: 'PAYROLL FEB',
        bankReference: 'HK0000000001',
        narrative: ['-SALARY BATCH', '-120 PAYEES', '- SEE LIST'],
      }),
      entry({
        line: 11,
        sequence: 2,
        valueDate: '2024-02-29',
        entryDate: '2024-02-29',
        mark: 'C',
        amount: '88.88',
        transactionType: 'NINT',
        customerReference: 'NONREF',
        narrative: ['CREDIT INTEREST'],
      }),
    ]);
    expect(statement?.end).toEqual({
      line: 14,
      closing: balance('C 2024-02-29 HKD 850088.88'),
      entries: 2,
      information: [],
    });
  });

  it('reads Citi: CD and DD are a credit and a debit in USD, not reversals', async () => {
    const [statement] = await readAll([sample('citi.sta')]);
    expect(statement?.header.opening).toEqual(balance('D 2024-06-30 USD 12.34'));
    expect(statement?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2024-06-30',
        entryDate: '2024-07-01',
        mark: 'C',
        fundsCode: 'D',
        amount: '1000.00',
        transactionType: 'S202',
        customerReference: 'INV 7 PART 1',
        bankReference: '1234567890',
        supplementaryDetails: '/OCMT/EUR930,00/EXCH/1,0752/',
        narrative: ['/PT/FT/PY/INVOICE 7 PART 1/BI/CITIUS33/OB3/EXAMPLE', ' TREASURY'],
      }),
      entry({
        line: 9,
        sequence: 2,
        valueDate: '2024-06-30',
        entryDate: '2024-07-01',
        mark: 'D',
        fundsCode: 'D',
        amount: '87.66',
        transactionType: 'FCHG',
        customerReference: '',
        narrative: ['/PT/CH/PY/FEES'],
      }),
    ]);
    expect(statement?.end.closing).toEqual(balance('C 2024-07-01 USD 900.00'));
  });

  it('reads Standard Chartered: carriage returns only, :25P: with a BIC, no customer reference', async () => {
    const [statement] = await readAll([sample('standard-chartered.sta')]);
    expect(statement?.header).toEqual({
      line: 2,
      reference: 'SCB20240531001',
      account: '0100000001',
      relatedReference: 'MONTHLY',
      statementNumber: '151',
      sequenceNumber: '1',
      opening: balance('C 2024-05-30 SGD 700'),
    });
    expect(statement?.entries).toEqual([
      entry({
        line: 8,
        valueDate: '2024-05-31',
        mark: 'D',
        amount: '0.50',
        transactionType: 'NCHG',
        customerReference: '',
        bankReference: 'SVC0001',
      }),
      entry({
        line: 9,
        sequence: 2,
        valueDate: '2024-05-31',
        mark: 'D',
        amount: '99.50',
        transactionType: 'NCHK',
        customerReference: '000123',
        narrative: ['CHEQUE 000123'],
      }),
    ]);
  });

  it('reads Axis: CR and DR in INR, long statement numbers, narratives padded and starting with a dash', async () => {
    const [statement] = await readAll([sample('axis-india.sta')]);
    expect(statement?.header).toMatchObject({ statementNumber: '167619', sequenceNumber: '1' });
    expect(statement?.entries).toEqual([
      entry({
        line: 6,
        valueDate: '2024-02-08',
        entryDate: '2024-02-08',
        mark: 'C',
        fundsCode: 'R',
        amount: '1338474.92',
        transactionType: 'NMSC',
        customerReference: '89962273',
        narrative: ['-TX BRN-REF NO.0000FIR0000001 USD 19995/RLZ'],
      }),
      entry({
        line: 8,
        sequence: 2,
        valueDate: '2024-02-12',
        entryDate: '2024-02-12',
        mark: 'D',
        fundsCode: 'R',
        amount: '390000.00',
        transactionType: 'NCHK',
        customerReference: '73401',
        narrative: ['-CHQ73401   TX BRN-CLG-CHQ PAID TO A EXAMPLE'],
      }),
    ]);
  });

  it('reads an African core banking export: years of four digits, decimal points, whole amounts', async () => {
    const [statement] = await readAll([sample('core-banking-points.sta')]);
    expect(statement?.header.opening).toEqual(balance('C 2024-02-03 KES 50000.00'));
    expect(statement?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2024-02-03',
        entryDate: '2024-02-03',
        mark: 'D',
        amount: '1500.5',
        transactionType: 'NTRF',
        customerReference: 'DISB-0001',
        bankReference: 'FT24034AAAA1',
        narrative: ['Social pension February'],
      }),
      entry({
        line: 7,
        sequence: 2,
        valueDate: '2024-02-04',
        mark: 'D',
        amount: '250',
        transactionType: 'NTRF',
        customerReference: 'DISB-0002',
        bankReference: 'FT24034AAAA2',
      }),
    ]);
  });

  it('reads an Ethiopian statement in UTF-8 with a byte order mark', async () => {
    const [statement] = await readAll([sample('ethiopia-utf8-bom.sta')]);
    expect(statement?.header.reference).toBe('CBE-2024-0912');
    expect(statement?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2024-09-12',
        entryDate: '2024-09-12',
        mark: 'D',
        amount: '750.00',
        transactionType: 'NTRF',
        customerReference: '018f4e5a-0000-70',
        bankReference: 'FT0001',
        narrative: ['የማህበራዊ ድጋፍ ክፍያ', 'PSNP', '2017-M01', 'አበበ በቀለ', '018f4e5a-0000-7000-8000-000000000001'],
      }),
    ]);
  });

  it('reads Gulf statements: three decimals, a space before the amount, spaces for the entry date, yen', async () => {
    const [dinars, yen] = await readAll([sample('gulf-three-decimals.sta')]);
    expect(dinars?.entries.map(({ entryDate, mark, amount }) => [entryDate, mark, amount])).toEqual([
      ['2024-08-17', 'D', '0.250'],
      [null, 'D', '0.755'],
    ]);
    expect(dinars?.end.closing).toEqual(balance('C 2024-08-17 KWD 999.000'));
    expect(yen?.entries).toEqual([
      entry({
        line: 13,
        valueDate: '2024-08-17',
        entryDate: '2024-08-17',
        mark: 'D',
        fundsCode: 'Y',
        amount: '120000',
        transactionType: 'NTRF',
        customerReference: 'SALARY',
        bankReference: 'X3',
      }),
    ]);
  });

  it('reads a sponsor bank: the payment in the fifth narrative line, also where the second is empty', async () => {
    const [statement] = await readAll([sample('sponsor-bank.sta')]);
    expect(
      statement?.entries.map(({ mark, amount, customerReference, narrative }) => ({
        mark,
        amount,
        customerReference,
        fifth: narrative[4],
        last: narrative.at(-1),
      })),
    ).toEqual([
      {
        mark: 'D',
        amount: '1000.00',
        customerReference: '018f4e5a-aaaa-70',
        fifth: '018f4e5a-aaaa-7000-8000-000000000001',
        last: '018f4e5a-aaaa-7000-8000-000000000001',
      },
      {
        mark: 'D',
        amount: '1500.50',
        customerReference: '018f4e5a-aaaa-70',
        fifth: '018f4e5a-aaaa-7000-8000-000000000002',
        last: '018f4e5a-aaaa-7000-8000-000000000002',
      },
      {
        mark: 'RD',
        amount: '1500.50',
        customerReference: '018f4e5a-aaaa-70',
        fifth: '018f4e5a-aaaa-7000-8000-000000000002',
        last: 'ACCOUNT CLOSED',
      },
    ]);
  });
});

describe('files as networks and programs wrap them', () => {
  it('reads FIN messages with all five blocks, the next starting on the line where one ends', async () => {
    const [first, second, ...more] = await readAll([sample('swift-envelope.sta')]);
    expect(more).toEqual([]);
    expect(first?.header).toMatchObject({ line: 2, reference: 'ST240131-0001', relatedReference: 'REQ-77' });
    expect(first?.entries).toEqual([
      entry({
        line: 7,
        valueDate: '2024-01-31',
        entryDate: '2024-01-31',
        mark: 'D',
        amount: '250.00',
        transactionType: 'S103',
        customerReference: 'PAY-0001',
        bankReference: 'EX0001',
        narrative: ['BENEFIT PAYMENT JANUARY', 'A BENEFICIARY'],
      }),
      entry({
        line: 10,
        sequence: 2,
        valueDate: '2024-01-31',
        entryDate: '2024-01-31',
        mark: 'C',
        amount: '100',
        transactionType: 'NTRF',
        customerReference: 'NONREF',
      }),
    ]);
    expect(second?.header).toMatchObject({ line: 13, reference: 'ST240201-0001', statementNumber: '32' });
  });

  it.each([
    [
      'DOS-PCC: control characters, padding to 512 bytes, Ctrl-Z at the end',
      'swift-dos-pcc.sta',
      ['PCC-1', 'PCC-2'],
    ],
    ['RJE: messages parted by a dollar sign', 'swift-rje.sta', ['RJE-1', 'RJE-2', 'RJE-3']],
  ])('reads %s', async (_, name, references) => {
    const statements = await readAll([sample(name)]);
    expect(statements.map(({ header }) => header.reference)).toEqual(references);
    expect(statements.map(({ entries }) => entries.length)).toEqual(references.map(() => 1));
  });

  it('finds the year of an entry date next to the value date', async () => {
    const [statement] = await readAll([sample('new-year.sta')]);
    expect(statement?.entries.map(({ valueDate, entryDate }) => [valueDate, entryDate])).toEqual([
      ['2024-01-01', '2023-12-31'],
      ['2023-12-31', '2024-01-02'],
      ['2024-02-29', '2024-03-01'],
      ['2024-03-01', '2024-02-29'],
      ['2024-02-01', '2024-01-31'],
    ]);
  });
});
