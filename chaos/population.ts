import { beneficiaryPrefix, linkAll } from '../src/cli/demo/beneficiaries.ts';
import { fillInKind, openAccounts } from '../src/cli/demo/outside.ts';
import type { ProcessGroup } from '../src/cli/demo/process-group.ts';
import { type DemoProgram, programOf } from '../src/cli/demo/programs.ts';
import type { Program } from './contract.ts';

/** The same people and programs in every run. */
const PEOPLE = { run: 'c4a05000', count: 2_000 };
const BENEFIT_TYPES = ['CASH_DIGITAL', 'CASH_PHYSICAL', 'COMMODITY', 'SERVICE'] as const;

const demoPrograms: readonly DemoProgram[] = BENEFIT_TYPES.map((type) => programOf(PEOPLE.run, type));

/** Ids of everybody who gets something. */
export const BENEFICIARIES: readonly string[] = Array.from(
  { length: PEOPLE.count },
  (_, n) => `${beneficiaryPrefix(PEOPLE)}${n}`,
);

/** The programs that envelopes are submitted for, one of each benefit type. */
export const PROGRAMS: readonly Program[] = BENEFIT_TYPES.map((benefitType) => {
  const { id, mnemonic, benefitCodeId, benefitCodeMnemonic, account } = programOf(PEOPLE.run, benefitType);
  return {
    benefitType,
    id: String(id),
    mnemonic,
    benefitCodeId: String(benefitCodeId),
    benefitCodeMnemonic,
    account,
  };
});

/** Lets the bank know the accounts, the mapper the addresses, PBMS the programs, and the registry the people. */
export async function populate(
  group: ProcessGroup,
  at: {
    readonly bankUrl: string;
    readonly sparUrl: string;
    readonly pbmsUrl: string;
    readonly registryUrl: string;
  },
): Promise<void> {
  await Promise.all([
    openAccounts(at.bankUrl, demoPrograms),
    linkAll(PEOPLE, at.sparUrl),
    fillInKind(group, at, PEOPLE, demoPrograms),
  ]);
}
