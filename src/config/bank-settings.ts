import { z } from 'zod';
import type { SponsorBank } from '../connectors/pbms/sponsor-banks.ts';
import { bankCode, type ConnectorImpls, word } from './impl-settings.ts';

export type { SponsorBank };

/** Sponsor banks by `"<program id>:<benefit code id>"`; `"default"` stands for all that are not named. */
export type SponsorBanks = Readonly<Record<string, SponsorBank>>;

const optionalWord = word.nullish().transform((text) => text ?? null);

/** Reads `sponsor_bank_configurations`. */
export const sponsorBanksSchema: z.ZodType<SponsorBanks> = z.record(
  z.string().regex(/^(default|[^\s:]+:[^\s:]+)$/, 'must be "<program id>:<benefit code id>" or "default"'),
  z.strictObject({
    sponsor_bank_code: bankCode,
    program_account_number: word,
    program_account_type: optionalWord,
    program_account_branch_code: optionalWord,
  }),
);

/**
 * Finds the bank and account that pay for a benefit.
 *
 * @param banks `sponsor_bank_configurations`
 * @returns undefined when neither the pair nor a default is configured
 */
export function sponsorBankOf(
  banks: SponsorBanks,
  benefitProgramId: string | number,
  benefitCodeId: string | number,
): SponsorBank | undefined {
  const key = `${benefitProgramId}:${benefitCodeId}`;
  return Object.hasOwn(banks, key) ? banks[key] : banks.default;
}

/**
 * Finds the bank whose statement has this account in `:25:`.
 *
 * @param banks `sponsor_bank_configurations`
 * @returns undefined when no program is paid from the account
 */
export function sponsorBankOfAccount(banks: SponsorBanks, accountNumber: string): SponsorBank | undefined {
  return Object.values(banks).find((bank) => bank.program_account_number === accountNumber);
}

/**
 * What is wrong between the entries of `sponsor_bank_configurations` and the connectors, if anything: a bank that no
 * connector serves, or one account at two banks, whose statements could not be told apart.
 *
 * @returns the rest of a sentence that begins with the name of the setting, or null
 */
export function sponsorBanksProblem(banks: SponsorBanks, impls: ConnectorImpls): string | null {
  const bankOfAccount = new Map<string, string>();
  for (const [key, bank] of Object.entries(banks)) {
    const code = bank.sponsor_bank_code;
    if (!Object.hasOwn(impls, code)) return `names the bank ${code} (at ${key}), which has no connector`;
    const other = bankOfAccount.get(bank.program_account_number) ?? code;
    if (other !== code) return `has one account at the banks ${other} and ${code} (at ${key})`;
    bankOfAccount.set(bank.program_account_number, code);
  }
  return null;
}
