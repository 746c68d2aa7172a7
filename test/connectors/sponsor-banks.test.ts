import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PbmsSponsorBanks, pbmsSponsorBanks } from '../../src/connectors/pbms/sponsor-banks.ts';
import { openReadOnly, type ReadOnlyDatabase } from '../../src/connectors/read-only-database.ts';
import { createPbms, type TestPbms } from '../support/pbms-tables.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const MAIN = {
  sponsor_bank_code: 'EXAMPLE-BANK',
  program_account_number: '4021337001',
  program_account_type: 'CURRENT',
  program_account_branch_code: 'B-1',
};

describe.each(['bigint', 'text'])('the sponsor banks of PBMS (%s ids)', (idType) => {
  let pbms: TestPbms;
  let proxy: TcpProxy;
  let database: ReadOnlyDatabase;
  let banks: PbmsSponsorBanks;

  beforeAll(async () => {
    pbms = await createPbms(idType);
    const row = (id: number, program: number, code: string | null, info: string | null) => ({
      id,
      warehouse_id: id,
      program_id: program,
      benefit_code_id: 5,
      warehouse_mnemonic: code,
      additional_info: info,
    });
    await pbms.sql`insert into g2p_warehouse_program_benefit_codes ${pbms.sql([
      row(9, 7, 'SECOND-BANK', '#ACCOUNT#777'),
      row(1, 7, 'W-1', null),
      row(2, 7, 'W-2', 'a warehouse without an account #TYPE#DRY'),
      row(3, 7, null, '#ACCOUNT#0'),
      row(4, 7, 'EXAMPLE-BANK', '#ACCOUNT#4021337001#TYPE#CURRENT#BRANCH#B-1'),
      row(5, 8, 'PLAIN-BANK', ' # branch #B-2# account # 33 7001 '),
      row(6, 10, 'W-3', '#ACCOUNT##TYPE#CURRENT'),
    ])}`;
    proxy = await startTcpProxy(pbms.url);
    const url = proxy.through(pbms.url);
    const limits = { connectionsMax: 1, connectTimeoutMs: 1_000, queryTimeoutMs: 10_000 };
    database = openReadOnly({ name: 'PBMS', url, ...limits });
    banks = pbmsSponsorBanks(database);
  });
  afterAll(async () => {
    await database.close();
    await proxy.close();
    await pbms.drop();
  });

  test('are found by program and benefit code, the first that has an account', async () => {
    expect(await banks.of('7', '5')).toEqual(MAIN);
    expect(await banks.of('8', '5')).toEqual({
      sponsor_bank_code: 'PLAIN-BANK',
      program_account_number: '33 7001',
      program_account_type: null,
      program_account_branch_code: 'B-2',
    });
  });

  test.each([
    ['7', '6'],
    ['77', '5'],
    ['10', '5'],
    ["7' or true --", '5'],
  ])('of program %s and benefit code %s are none', async (program, benefitCode) => {
    expect(await banks.of(program, benefitCode)).toBeUndefined();
  });

  test('are found by account, the whole of it', async () => {
    expect(await banks.ofAccount('4021337001')).toEqual(MAIN);
    expect(await banks.ofAccount('33 7001')).toMatchObject({ sponsor_bank_code: 'PLAIN-BANK' });
    expect(await banks.ofAccount('777')).toMatchObject({ sponsor_bank_code: 'SECOND-BANK' });
    for (const other of ['337001', '402133700', 'CURRENT', '', '0']) {
      expect([other, await banks.ofAccount(other)]).toEqual([other, undefined]);
    }
  });

  test('are an error, and never nobody, while PBMS is down', async () => {
    await proxy.stop();
    const down = { code: 'PBMS_UNAVAILABLE', retryable: true };
    await expect(banks.of('7', '5')).rejects.toMatchObject(down);
    await expect(banks.ofAccount('777')).rejects.toMatchObject(down);
    await proxy.start();
    expect(await banks.of('7', '5')).toEqual(MAIN);
  });

  test('are an error that names the table when it is missing', async () => {
    await pbms.sql`alter table g2p_warehouse_program_benefit_codes rename to elsewhere`;
    try {
      await expect(banks.of('7', '5')).rejects.toMatchObject({
        code: 'PBMS_QUERY_FAILED',
        message: 'PBMS refused the query: relation "g2p_warehouse_program_benefit_codes" does not exist.',
      });
    } finally {
      await pbms.sql`alter table elsewhere rename to g2p_warehouse_program_benefit_codes`;
    }
  });
});
