import { describe, expect, it } from 'vitest';
import { balance, entry, readAll, sample, structured } from './support.ts';

describe('statements as Dutch banks write them', () => {
  it('reads ABN AMRO: lines before each message, :28:, narratives over several lines', async () => {
    const [first, second, ...more] = await readAll([sample('abn-amro.sta')]);
    expect(more).toEqual([]);
    expect(first).toEqual({
      header: {
        line: 4,
        reference: 'ABN AMRO BANK NV',
        account: '517852257',
        relatedReference: null,
        statementNumber: '19321',
        sequenceNumber: '1',
        opening: balance('C 2024-05-22 EUR 3236.28'),
      },
      entries: [
        entry({
          line: 8,
          valueDate: '2024-05-23',
          entryDate: '2024-05-23',
          mark: 'D',
          amount: '9',
          transactionType: 'N192',
          customerReference: 'NONREF',
          narrative: [
            'GIRO   428428 KPN - DIGITENNE    BETALINGSKENM.  000000042188659',
            '5314606715                       BETREFT FACTUUR D.D. 20-05-2024',
            'INCL. 1,44 BTW',
          ],
        }),
        entry({
          line: 12,
          sequence: 2,
          valueDate: '2024-05-24',
          entryDate: '2024-05-24',
          mark: 'C',
          amount: '47.11',
          transactionType: 'N422',
          customerReference: 'NONREF',
          narrative: [
            '/TRTP/SEPA OVERBOEKING/IBAN/NL00ABNA0000000001/BIC/ABNANL2A/NAME/',
            'J JANSEN/REMI/HUUR/EREF/NOTPROVIDED',
          ],
        }),
      ],
      end: { line: 15, closing: balance('C 2024-05-24 EUR 3274.39'), entries: 2, information: [] },
    });
    expect(second?.header).toMatchObject({ line: 20, statementNumber: '19322' });
    expect(second?.entries).toEqual([
      entry({
        line: 24,
        valueDate: '2024-05-26',
        mark: 'C',
        amount: '320.00',
        transactionType: 'N654',
        customerReference: 'NONREF',
      }),
    ]);
  });

  it('reads ING: SWIFT blocks on lines of their own, supplementary codes, a summary after the balances', async () => {
    const [statement, ...more] = await readAll([sample('ing.sta')]);
    expect(more).toEqual([]);
    expect(statement?.header).toEqual({
      line: 4,
      reference: 'P240105000000001',
      account: 'NL00INGB0000000001EUR',
      relatedReference: null,
      statementNumber: '00000',
      sequenceNumber: null,
      opening: balance('C 2024-01-04 EUR 662.23'),
    });
    expect(statement?.entries).toEqual([
      entry({
        line: 8,
        valueDate: '2024-01-05',
        entryDate: '2024-01-05',
        mark: 'C',
        amount: '1.56',
        transactionType: 'NTRF',
        customerReference: 'EREF',
        bankReference: '00000000001005',
        supplementaryDetails: '/TRCD/00100/',
        narrative: [
          '/EREF/EV12341REP1231456T1234//CNTP/NL00INGB0000000002/INGBNL2A/ING BANK NV INZAKE WEB///REMI/USTD//EV10001REP1000000T1000/',
        ],
      }),
      entry({
        line: 11,
        sequence: 2,
        valueDate: '2024-01-05',
        entryDate: '2024-01-05',
        mark: 'D',
        amount: '10.00',
        transactionType: 'NTRF',
        customerReference: 'NONREF',
        bankReference: '00000000001006',
        supplementaryDetails: '/TRCD/01016/',
        narrative: ['/CNTP/NL00INGB0000000003/INGBNL2A/A. DE VRIES///REMI/USTD//HULP/'],
      }),
    ]);
    expect(statement?.end).toEqual({
      line: 14,
      closing: balance('C 2024-01-05 EUR 653.79'),
      entries: 2,
      information: ['/SUM/1/1/10,00/1,56/'],
    });
  });

  it('reads Rabobank before 2013: :940:, padded amounts, a name behind the padded reference, :86: repeated', async () => {
    const [first, second, ...more] = await readAll([sample('rabobank-2012.sta')]);
    expect(more).toEqual([]);
    expect(first?.header).toMatchObject({
      line: 2,
      reference: '940A120611',
      account: '1291.99.348EUR',
      statementNumber: '00000',
      sequenceNumber: '00',
      opening: balance('C 2012-06-10 EUR 473.17'),
    });
    expect(first?.entries).toEqual([
      entry({
        line: 6,
        valueDate: '2012-06-11',
        mark: 'D',
        amount: '1213.28',
        transactionType: 'N044',
        customerReference: '0121470966',
        supplementaryDetails: 'W.P. VOORBEELD',
        narrative: ['TERUGBOEKING', 'NIET AKKOORD MET AFSCHRIJVING', 'KOSTEN KINDEROPVANG JUNI'],
      }),
      entry({
        line: 10,
        sequence: 2,
        valueDate: '2012-06-11',
        mark: 'C',
        amount: '1135.93',
        transactionType: 'N030',
        customerReference: 'NONREF',
        supplementaryDetails: 'GEMEENTE VOORBEELD',
        narrative: ['TOESLAG'],
      }),
    ]);
    expect(first?.end.closing).toEqual(balance('C 2012-06-11 EUR 395.82'));
    expect(second).toMatchObject({ entries: [], end: { closing: balance('C 2012-06-12 EUR 395.82') } });
  });

  it('reads Rabobank structured: LF, IBAN with currency, the counter account as supplementary details', async () => {
    const [first, second, ...more] = await readAll([sample('rabobank-structured.sta')]);
    expect(more).toEqual([]);
    expect(first?.header).toMatchObject({ account: 'NL00RABO0000000001 EUR', statementNumber: '24123' });
    expect(first?.entries).toEqual([
      entry({
        line: 6,
        valueDate: '2024-08-02',
        mark: 'D',
        amount: '500.00',
        transactionType: 'N102',
        customerReference: 'EREF',
        bankReference: 'CDB000000001',
        supplementaryDetails: 'NL00RABO0000000002',
        narrative: [
          '/EREF/018F4E5A-0000-7000-8000-000000000001/BENM//NAME/C VOORBEELD/',
          'REMI/UITKERING AUGUSTUS/ISDT/2024-08-02',
        ],
      }),
    ]);
    expect(second?.header).toMatchObject({ line: 12, statementNumber: '24124' });
  });

  it('reads the former Postbank: header lines with a BIC and 940 00, end with -XXX', async () => {
    const [statement, ...more] = await readAll([sample('postbank-nl.sta')]);
    expect(more).toEqual([]);
    expect(statement?.header).toMatchObject({ line: 4, reference: 'PB240722', sequenceNumber: null });
    expect(statement?.entries).toEqual([
      entry({
        line: 8,
        valueDate: '2024-07-22',
        mark: 'D',
        amount: '25.03',
        transactionType: 'N999',
        customerReference: 'NONREF',
        narrative: [
          ' RC AFREKENING BETALINGSVERKEER',
          'BETREFT REKENING 4715589',
          'PERIODE: 01-07-2024 / 31-07-2024',
        ],
      }),
    ]);
  });

  it('reads SNS: lines padded with spaces, empty ones kept in place inside the narrative', async () => {
    const [statement] = await readAll([sample('sns-padded.sta')]);
    expect(statement?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2024-06-07',
        entryDate: '2024-06-08',
        mark: 'D',
        amount: '20.00',
        transactionType: 'NIOB',
        customerReference: '0987654321',
        supplementaryDetails: 'a voorbeeld',
        narrative: ['0987654321 a voorbeeld', '', 'dit is een test'],
      }),
    ]);
  });

  it('reads Triodos: sub-fields parted by >', async () => {
    const [statement] = await readAll([sample('triodos.sta')]);
    expect(statement?.header).toMatchObject({
      reference: '1308728725026/1',
      account: 'TRIODOSBANK/0390000001',
      statementNumber: '1',
      sequenceNumber: null,
    });
    expect(statement?.entries).toEqual([
      entry({
        line: 5,
        valueDate: '2024-01-01',
        mark: 'D',
        amount: '15.7',
        transactionType: 'NCHG',
        customerReference: 'NONREF',
        narrative: [
          '000>100000000000>20Transactiekosten 4e kwartaal>30TRIONL2U>310000',
          '000000>32TRIODOS BANK',
        ],
        structured: structured(
          '000',
          '10 0000000000',
          '20 Transactiekosten 4e kwartaal',
          '30 TRIONL2U',
          '31 0000000000',
          '32 TRIODOS BANK',
        ),
      }),
    ]);
  });
});
