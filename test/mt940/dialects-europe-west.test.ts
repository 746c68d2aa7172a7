import { describe, expect, it } from 'vitest';
import { balance, entry, readAll, sample, structured } from './support.ts';

describe('statements as banks of Belgium, Luxembourg and Switzerland write them', () => {
  it('reads KBC: references on both sides, supplementary text, amounts without thousands', async () => {
    const [statement] = await readAll([sample('kbc.sta')]);
    expect(statement?.entries).toEqual([
      entry({
        line: 6,
        valueDate: '2024-04-26',
        entryDate: '2024-04-26',
        mark: 'D',
        amount: '1250.00',
        transactionType: 'NTRF',
        customerReference: 'BATCH-0426',
        bankReference: 'KBC0000000117',
        supplementaryDetails: 'SALARISSEN APRIL',
        narrative: ['COLLECTIEVE OPDRACHT', '25 VERRICHTINGEN', '***101/0000/00000***'],
      }),
      entry({
        line: 11,
        sequence: 2,
        valueDate: '2024-04-26',
        entryDate: '2024-04-26',
        mark: 'C',
        amount: '0.01',
        transactionType: 'NMSC',
        customerReference: 'NONREF',
        bankReference: 'KBC0000000118',
        narrative: ['CORRECTIE AFRONDING'],
      }),
    ]);
    expect(statement?.end.closing).toEqual(balance('C 2024-04-26 EUR 98750.00'));
  });

  it('reads Wise: supplementary details longer than the standard allows', async () => {
    const [statement] = await readAll([sample('wise.sta')]);
    expect(statement?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2025-01-07',
        mark: 'C',
        amount: '0.92',
        transactionType: 'FMSC',
        customerReference: 'NONREF',
        supplementaryDetails: 'BALANCE_CASHBACK-510151a4-4ead-46c5-05ab-99b88521063c',
        narrative: ['Cashback'],
      }),
    ]);
    expect(statement?.header.opening).toEqual(balance('C 2025-01-06 EUR 0'));
  });

  it('reads PostFinance: one decimal, a statement over two messages whose amounts are spelled differently', async () => {
    const [first, second, ...more] = await readAll([sample('postfinance.sta')]);
    expect(more).toEqual([]);
    expect(first?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2023-12-09',
        entryDate: '2023-12-09',
        mark: 'C',
        amount: '79.7',
        transactionType: 'FMSC',
        customerReference: '01916',
        bankReference: 'NONREF',
        supplementaryDetails: '20231209000000000000000000000012',
        narrative: [
          'GIRO AUS ONLINE-SIC AUFTRAGGEBER: JANE DOE EXAMPLESTRASSE',
          ' 10 1234 XXXX MITTEILUNGEN: RECHNUNG',
        ],
      }),
    ]);
    expect(first?.end.closing).toEqual(balance('C 2024-04-07 CHF 79.7 intermediate'));
    expect(second?.header.opening).toEqual(balance('C 2024-04-07 CHF 79.70 intermediate'));
    expect(second?.header).toMatchObject({ statementNumber: '999', sequenceNumber: '2' });
    expect(second?.end.closing).toEqual(balance('D 2024-04-07 CHF 0.20'));
  });

  it('reads Multiline of Luxembourg: a sub-field per line, text of the statement, no end', async () => {
    const [statement] = await readAll([sample('luxembourg-multiline.sta')]);
    expect(statement?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2024-08-04',
        entryDate: '2024-08-04',
        mark: 'D',
        fundsCode: 'R',
        amount: '5',
        transactionType: 'NTRF',
        customerReference: 'REFERENCE DO 111',
        bankReference: 'MUL0408041114005',
        supplementaryDetails: '/OCMT/EUR4,5//IACC/D3/',
        narrative: [
          '020?00VIREMENT',
          '?20LIGNE 1',
          '?21LIGNE 2',
          '?25/CHGS/EUR0,5/',
          '?30BILLLULL1234',
          '?32NOM DU DO',
        ],
        structured: structured(
          '020',
          '00 VIREMENT',
          '20 LIGNE 1',
          '21 LIGNE 2',
          '25 /CHGS/EUR0,5/',
          '30 BILLLULL1234',
          '32 NOM DU DO',
        ),
      }),
    ]);
    expect(statement?.end.information).toEqual(['TEXTE LIBRE', 'SUR DEUX LIGNES']);
  });
});
