import { BENEFIT_TYPES, type BenefitType, isCash } from '../../machines/benefit-type.ts';

/** One of the demo's programs, and what it gives. */
export interface DemoProgram {
  readonly benefitType: BenefitType;
  readonly id: number;
  readonly mnemonic: string;
  readonly benefitCodeId: number;
  readonly benefitCodeMnemonic: string;
  /** No other envelope has it, so it tells whose notifications are whose. */
  readonly cycle: string;
  readonly unit: string;
  readonly narrative: string;
  /** Where its money is; null when it gives none. */
  readonly account: string | null;
  /** What the n-th person gets, an exact decimal. */
  readonly quantityOf: (n: number) => string;
}

/** The one envelope of a program in a run. */
export interface DemoEnvelope {
  readonly id: string;
  readonly program: DemoProgram;
  readonly disbursements: number;
  /** What all of them are to get, an exact decimal. */
  readonly quantity: string;
}

type Benefit = Pick<DemoProgram, 'benefitCodeMnemonic' | 'unit' | 'narrative' | 'quantityOf'>;

/** Between 10.00 and 109.99. */
const money = (n: number): string => `${10 + (n % 100)}.${String((n * 37) % 100).padStart(2, '0')}`;

const BENEFITS: Readonly<Record<BenefitType, Benefit>> = {
  CASH_DIGITAL: {
    benefitCodeMnemonic: 'CASH',
    unit: 'USD',
    narrative: 'Monthly benefit',
    quantityOf: money,
  },
  CASH_PHYSICAL: {
    benefitCodeMnemonic: 'CASH-IN-HAND',
    unit: 'USD',
    narrative: 'Monthly benefit at the agency',
    quantityOf: money,
  },
  COMMODITY: {
    benefitCodeMnemonic: 'MAIZE',
    unit: 'KG',
    narrative: 'Maize for the household',
    quantityOf: (n) => `${10 + (n % 40)}.5`,
  },
  SERVICE: {
    benefitCodeMnemonic: 'VACCINATION',
    unit: 'VISIT',
    narrative: 'Vaccination of cattle',
    quantityOf: (n) => String(1 + (n % 3)),
  },
  COMBINATION: {
    benefitCodeMnemonic: 'SEED-AND-TRAINING',
    unit: 'SET',
    narrative: 'Seed and a training day',
    quantityOf: () => '1',
  },
};

/**
 * The program of a benefit type in one run. Its id and account are those of the run, so that nothing that an earlier
 * run left unfinished is paid from them.
 *
 * @param run eight hexadecimal digits
 */
export function programOf(run: string, benefitType: BenefitType): DemoProgram {
  const number = BENEFIT_TYPES.indexOf(benefitType) + 1;
  return {
    ...BENEFITS[benefitType],
    benefitType,
    id: Number.parseInt(run, 16) * 10 + number,
    mnemonic: `DEMO-${benefitType.replace('_', '-')}`,
    benefitCodeId: number,
    cycle: `DEMO-${run}-${number}`,
    account: isCash(benefitType) ? `DEMO-${run.toUpperCase()}-${number}` : null,
  };
}

/** The currency of every account of the demo. */
export const CURRENCY = 'USD';
/** The bank that the money of the demo's programs is at. */
export const SPONSOR_BANK = { code: 'EXAMPLE-BANK', accountType: 'CURRENT', branch: 'HQ' } as const;
