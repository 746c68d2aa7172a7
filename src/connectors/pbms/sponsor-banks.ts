import { and, eq, ilike, isNotNull, type SQL, sql } from 'drizzle-orm';
import { asText } from '../id-list.ts';
import type { ReadOnlyDatabase } from '../read-only-database.ts';
import { parseAdditionalInfo } from './additional-info.ts';
import { warehouseTables } from './tables.ts';

/** The account that pays for a benefit code of a program, and the bank it is held at. */
export interface SponsorBank {
  readonly sponsor_bank_code: string;
  readonly program_account_number: string;
  readonly program_account_type: string | null;
  readonly program_account_branch_code: string | null;
}

/** The sponsor banks that PBMS knows. */
export interface PbmsSponsorBanks {
  /**
   * Who pays for a benefit.
   *
   * @throws ConnectorError PBMS_UNAVAILABLE, PBMS_QUERY_FAILED
   */
  of(programId: string, benefitCodeId: string): Promise<SponsorBank | undefined>;
  /**
   * Whose account it is.
   *
   * @throws ConnectorError PBMS_UNAVAILABLE, PBMS_QUERY_FAILED
   */
  ofAccount(accountNumber: string): Promise<SponsorBank | undefined>;
}

const { programs } = warehouseTables;

/**
 * Sponsor banks as PBMS keeps them: a bank is a warehouse of money, so its code is the mnemonic of a row in
 * `g2p_warehouse_program_benefit_codes`, whose `additional_info` has the account as `#ACCOUNT#…#TYPE#…#BRANCH#…`. Of
 * several rows with an account the one with the lowest id counts.
 */
export function pbmsSponsorBanks(pbms: ReadOnlyDatabase): PbmsSponsorBanks {
  return {
    async of(programId, benefitCodeId) {
      const sameBenefit = and(
        eq(asText(programs.program_id), programId),
        eq(asText(programs.benefit_code_id), benefitCodeId),
        ilike(programs.additional_info, '%account%'),
      );
      const [first] = await banksWhere(pbms, sameBenefit);
      return first;
    },
    async ofAccount(accountNumber) {
      const mentioned = sql`strpos(${programs.additional_info}, ${accountNumber}) > 0`;
      const banks = await banksWhere(pbms, mentioned);
      return banks.find((bank) => bank.program_account_number === accountNumber);
    },
  };
}

/** The rows that have an account, lowest id first. */
async function banksWhere(pbms: ReadOnlyDatabase, condition: SQL | undefined): Promise<SponsorBank[]> {
  const rows = await pbms.query((orm) =>
    orm
      .select({ code: programs.mnemonic, info: programs.additional_info })
      .from(programs)
      .where(and(condition, isNotNull(programs.mnemonic)))
      .orderBy(programs.id),
  );
  return rows.flatMap(({ code, info }) => bankOf(code ?? '', parseAdditionalInfo(info ?? '')));
}

function bankOf(code: string, info: ReadonlyMap<string, string>): SponsorBank[] {
  const account = info.get('ACCOUNT');
  if (account === undefined || code === '') return [];
  return [
    {
      sponsor_bank_code: code,
      program_account_number: account,
      program_account_type: info.get('TYPE') ?? null,
      program_account_branch_code: info.get('BRANCH') ?? null,
    },
  ];
}
