import { ESSENTIAL_PART, type FaGroups, type FaStrategy, type FaType } from './fa-strategy.ts';

/** One strategy for each type of address. */
export type FaStrategies = Readonly<Record<FaType, FaStrategy>>;

/** The parts of a financial address; a part that its type does not have, or that was empty, is null. */
export interface FinancialAddress {
  readonly faType: FaType;
  readonly accountNumber: string | null;
  readonly bankCode: string | null;
  readonly branchCode: string | null;
  readonly mobileNumber: string | null;
  readonly emailAddress: string | null;
  readonly walletProviderName: string | null;
  readonly walletProviderCode: string | null;
}

/** An address that cannot be paid to. The message never repeats the address, since messages are logged. */
export interface MalformedFa {
  readonly error: 'FA_MALFORMED';
  readonly message: string;
}

/** Longest address that is looked at; real ones have about 200 characters. */
export const FA_CHARS_MAX = 2_048;

/** How an address ends, by its type. Mappers also write BANK for a bank account. */
const ENDINGS: readonly (readonly [ending: string, faType: FaType])[] = [
  ['BANK_ACCOUNT', 'BANK_ACCOUNT'],
  ['BANK', 'BANK_ACCOUNT'],
  ['MOBILE_WALLET', 'MOBILE_WALLET'],
  ['EMAIL_WALLET', 'EMAIL_WALLET'],
];

/**
 * Takes a resolved address string apart: its end says its type, the strategy of that type names its parts.
 *
 * Takes time linear in the address, whatever it contains, and refuses what could not be stored as text.
 *
 * @param fa the address as the mapper answered it
 * @param strategies the compiled patterns, one per type
 * @returns the parts, or FA_MALFORMED when the address is of no known type, does not fit the pattern of its type, or
 *   lacks the part that a payment needs
 */
export function deconstructFa(fa: string, strategies: FaStrategies): FinancialAddress | MalformedFa {
  if (fa.length > FA_CHARS_MAX) return malformed(`is longer than ${FA_CHARS_MAX} characters`);
  if (fa.includes('\0') || !fa.isWellFormed()) return malformed('contains characters that are not text');
  const faType = ENDINGS.find(([ending]) => fa.endsWith(ending))?.[1];
  if (faType === undefined) return malformed('does not end with a known type');
  const groups = strategies[faType].match(fa);
  if (groups === null) return malformed(`does not fit the pattern for ${faType}`);
  const essential = ESSENTIAL_PART[faType];
  if (part(groups, essential) === null) return malformed(`is a ${faType} without ${essential}`);
  return {
    faType,
    accountNumber: part(groups, 'account_number'),
    bankCode: part(groups, 'bank_code'),
    branchCode: part(groups, 'branch_code'),
    mobileNumber: part(groups, 'mobile_number'),
    emailAddress: part(groups, 'email_address'),
    walletProviderName: part(groups, 'wallet_provider_name'),
    walletProviderCode: part(groups, 'wallet_provider_code'),
  };
}

function malformed(problem: string): MalformedFa {
  return { error: 'FA_MALFORMED', message: `The resolved address ${problem}.` };
}

/** A named part as it stands; null when the pattern has no such group or the address leaves it blank. */
function part(groups: FaGroups, name: string): string | null {
  const text = groups[name] ?? '';
  return text.trim() === '' ? null : text;
}
