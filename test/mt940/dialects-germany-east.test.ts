import { describe, expect, it } from 'vitest';
import { balance, entry, readAll, sample, structured } from './support.ts';

describe('statements as German and eastern European banks write them', () => {
  it('reads Deutsche Bank: CR and DR with the R of EUR, sub-fields cut anywhere by line ends', async () => {
    const [statement] = await readAll([sample('deutsche-bank.sta')]);
    expect(statement?.header).toMatchObject({
      account: '10020030/1234567',
      statementNumber: '00005',
      sequenceNumber: '00001',
    });
    expect(statement?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2024-02-01',
        entryDate: '2024-02-01',
        mark: 'D',
        fundsCode: 'R',
        amount: '800',
        transactionType: 'NSTO',
        customerReference: 'NONREF',
        bankReference: '55555',
        narrative: ['008?00DAUERAUFTRAG?100599?20Miete Februar?3010020030?31234567?32M', 'UELLER?34339'],
        structured: structured(
          '008',
          '00 DAUERAUFTRAG',
          '10 0599',
          '20 Miete Februar',
          '30 10020030',
          '31 234567',
          '32 MUELLER',
          '34 339',
        ),
      }),
      entry({
        line: 8,
        sequence: 2,
        valueDate: '2024-02-02',
        entryDate: '2024-02-02',
        mark: 'C',
        fundsCode: 'R',
        amount: '3000',
        transactionType: 'NTRF',
        customerReference: 'KREF+',
        bankReference: '55556',
        narrative: [
          '166?00GUTSCHRIFT?100399?20EREF+2024-02-LOHN?21SVWZ+Gehalt Januar',
          'und Zulage?30DEUTDEFFXXX?31DE00100200300000000001?32Beispiel GmbH?',
          '33Personal?60ABWA+Zentrale',
        ],
        structured: structured(
          '166',
          '00 GUTSCHRIFT',
          '10 0399',
          '20 EREF+2024-02-LOHN',
          '21 SVWZ+Gehalt Januar und Zulage',
          '30 DEUTDEFFXXX',
          '31 DE00100200300000000001',
          '32 Beispiel GmbH',
          '33 Personal',
          '60 ABWA+Zentrale',
        ),
      }),
    ]);
  });

  it('reads Commerzbank in latin-1: reversals RD and RC, each with a funds code', async () => {
    const [statement] = await readAll([sample('commerzbank-latin1.sta')]);
    expect(statement?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2024-03-05',
        entryDate: '2024-03-05',
        mark: 'RD',
        fundsCode: 'R',
        amount: '45.25',
        transactionType: 'NRTI',
        customerReference: 'NONREF',
        bankReference: 'RUECK-1',
        narrative: ['109?00RÜCKBUCHUNG?20Empfänger unbekannt?32Jörg Müßig'],
        structured: structured('109', '00 RÜCKBUCHUNG', '20 Empfänger unbekannt', '32 Jörg Müßig'),
      }),
      entry({
        line: 7,
        sequence: 2,
        valueDate: '2024-03-05',
        entryDate: '2024-03-05',
        mark: 'RC',
        fundsCode: 'R',
        amount: '4.75',
        transactionType: 'NMSC',
        customerReference: 'NONREF',
        narrative: ['059?00STORNO?20Gebühr'],
        structured: structured('059', '00 STORNO', '20 Gebühr'),
      }),
      entry({
        line: 9,
        sequence: 3,
        valueDate: '2024-03-05',
        entryDate: '2024-03-05',
        mark: 'C',
        fundsCode: 'R',
        amount: '60.00',
        transactionType: 'NTRF',
        customerReference: 'NONREF',
        narrative: ['Überweisung', 'für März'],
      }),
    ]);
    expect(statement?.end.closing).toEqual(balance('C 2024-03-05 EUR 0.00'));
  });

  it('reads a Sparkasse statement that goes on over three messages and changes sign', async () => {
    const statements = await readAll([sample('sparkasse-chain.sta')]);
    expect(statements.map(({ header, end }) => [header.sequenceNumber, header.opening, end.closing])).toEqual(
      [
        ['001', balance('C 2024-04-10 EUR 10.00'), balance('C 2024-04-11 EUR 15.00 intermediate')],
        [
          '002',
          balance('C 2024-04-11 EUR 15.00 intermediate'),
          balance('D 2024-04-11 EUR 5.00 intermediate'),
        ],
        ['003', balance('D 2024-04-11 EUR 5.00 intermediate'), balance('D 2024-04-11 EUR 4.99')],
      ],
    );
    expect(statements.map(({ entries }) => entries.map(({ sequence, line }) => [sequence, line]))).toEqual([
      [[1, 5]],
      [[1, 13]],
      [[1, 21]],
    ]);
  });

  it('reads a German file of 1999: :NS: lines, marks with the M of DEM, closing balances without currency', async () => {
    const [first, second, ...more] = await readAll([sample('german-1990s.sta')]);
    expect(more).toEqual([]);
    expect(first?.header).toMatchObject({ account: '1222333444', opening: balance('C 1999-03-15 DEM 0.00') });
    expect(first?.entries).toEqual([
      entry({
        line: 9,
        valueDate: '1999-03-17',
        entryDate: '1999-03-18',
        mark: 'C',
        fundsCode: 'M',
        amount: '5000.00',
        transactionType: 'S051',
        customerReference: '68790452',
      }),
      entry({
        line: 13,
        sequence: 2,
        valueDate: '1999-03-22',
        mark: 'C',
        fundsCode: 'M',
        amount: '20000.00',
        transactionType: 'NCHG',
        customerReference: '',
      }),
    ]);
    expect(first?.end.closing).toEqual(balance('C 1999-03-15 DEM 25000.00 intermediate'));
    expect(second?.end.closing).toEqual(balance('C 1999-03-15 DEM 24000.00'));
  });

  it('reads Atruvia: a reference longer than 16 characters, a narrative line that starts with a colon', async () => {
    const [statement] = await readAll([sample('atruvia-long-reference.sta')]);
    expect(statement?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2024-07-06',
        entryDate: '2024-07-06',
        mark: 'D',
        fundsCode: 'R',
        amount: '20',
        transactionType: 'NTRF',
        customerReference: 'EX-dvT1FzfMqvzF5HaU4oetlH7SGRkonU',
        bankReference: '2024070616391534000',
        narrative: ['177?00SB-SEPA-Ueberweisung?20Beitrag: 12?21', ':30 Uhr, Eingang Nord'],
        structured: structured(
          '177',
          '00 SB-SEPA-Ueberweisung',
          '20 Beitrag: 12',
          '21 :30 Uhr, Eingang Nord',
        ),
      }),
    ]);
  });

  it('reads mBank: two :86: per entry, sub-fields parted by ~, UTF-8', async () => {
    const [statement] = await readAll([sample('mbank-poland.sta')]);
    expect(statement?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2024-01-10',
        entryDate: '2024-01-10',
        mark: 'D',
        fundsCode: 'N',
        amount: '100.00',
        transactionType: 'S944',
        customerReference: 'NONREF',
        bankReference: 'BR240100000001',
        supplementaryDetails: '944-PRZEL.KRAJ.WYCH.MT.ELX',
        narrative: [
          '944 PRZEL.KRAJ.WYCH.MT.ELX',
          '944~00VE02~20ZASILEK STYCZEN~21DECYZJA 12/24~3011400000~32JAN KOW',
          'ALSKI~38PL00000000000000000000000001',
        ],
        structured: structured(
          '944',
          '00 VE02',
          '20 ZASILEK STYCZEN',
          '21 DECYZJA 12/24',
          '30 11400000',
          '32 JAN KOWALSKI',
          '38 PL00000000000000000000000001',
        ),
      }),
      entry({
        line: 10,
        sequence: 2,
        valueDate: '2024-01-10',
        entryDate: '2024-01-10',
        mark: 'C',
        fundsCode: 'N',
        amount: '0.05',
        transactionType: 'NINT',
        customerReference: 'NONREF',
        narrative: ['Odsetki: zażółć', 'gęślą jaźń'],
      }),
    ]);
  });

  it('reads BiznesPl@net: a third part in :28C:, a decimal point in a balance, sub-fields parted by ^', async () => {
    const [statement] = await readAll([sample('biznesplanet.sta')]);
    expect(statement?.header).toMatchObject({
      statementNumber: '036',
      sequenceNumber: '2024',
      opening: balance('C 2024-05-06 EUR 1211771.46'),
    });
    expect(statement?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2024-05-06',
        entryDate: '2024-05-06',
        mark: 'D',
        fundsCode: 'N',
        amount: '5.81',
        transactionType: 'N511',
        customerReference: 'NONREF',
        narrative: ['225^00PRZELEW^20FAKTURA 7/2024^32EXAMPLE SP. Z O.O.'],
        structured: structured('225', '00 PRZELEW', '20 FAKTURA 7/2024', '32 EXAMPLE SP. Z O.O.'),
      }),
    ]);
  });

  it('reads Sberbank of Hungary: a type of one letter, :NS: in place of :86:, blank lines between tags', async () => {
    const [statement] = await readAll([sample('sberbank-hungary.sta')]);
    const common = { valueDate: '2024-10-11', entryDate: '2024-10-11', fundsCode: 'F', transactionType: 'S' };
    expect(statement?.entries).toEqual([
      entry({ ...common, line: 8, mark: 'D', amount: '2402.00', customerReference: 'X' }),
      entry({
        ...common,
        line: 12,
        sequence: 2,
        mark: 'C',
        amount: '3460.00',
        customerReference: 'X',
        narrative: ['IRREGULAR TEXT'],
      }),
    ]);
    expect(statement?.end.closing).toEqual(balance('C 2024-10-11 HUF 628369.30'));
  });
});
