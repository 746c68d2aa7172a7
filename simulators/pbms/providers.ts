import type { Random } from '../shared/random.ts';
import { emailOf, mnemonicOf, personName, pick } from './names.ts';
import type { Program } from './options.ts';
import type { Zone } from './zones.ts';

/** A warehouse or an agency, and the zones it serves. */
export interface Provider {
  id: number;
  name: string;
  mnemonic: string;
  adminName: string;
  adminEmail: string;
  adminMobile: string;
  zones: readonly Zone[];
}

/** That a provider serves a program's benefit code. */
export interface Service {
  provider: Provider;
  program: Program;
  additionalInfo: string | null;
}

/** Numbers pass a power of ten early, so that an order by text differs from the order by number. */
const warehouseIdFirst = 91;
const agencyIdFirst = 9_901;
const agencyBankCode = 'EXAMPLE-BANK';
const secondZoneProbability = 0.5;
const warehouseKinds = ['Central Depot', 'Grain Store', 'Supply Depot', 'Warehouse'];
const agencyKinds = ['Cooperative', 'Farmers Service', 'Post Office', 'Rural Agency', 'Village Bank'];

export function makeWarehouses(count: number, zones: readonly Zone[], random: Random): Provider[] {
  return makeProviders(
    { count, idFirst: warehouseIdFirst, code: 'WH', kinds: warehouseKinds },
    zones,
    random,
  );
}

export function makeAgencies(count: number, zones: readonly Zone[], random: Random): Provider[] {
  return makeProviders({ count, idFirst: agencyIdFirst, code: 'AG', kinds: agencyKinds }, zones, random);
}

/**
 * The banks of the programs that have one, as the warehouses of money that they are in PBMS: each serves its
 * program, everywhere.
 *
 * @param idFirst above the ids of all warehouses
 */
export function makeBanks(
  programs: readonly Program[],
  idFirst: number,
  zones: readonly Zone[],
  random: Random,
): Service[] {
  return programs.flatMap((program, index) => {
    const bank = program.sponsor_bank;
    if (bank === undefined) return [];
    const name = `${bank.code} for ${program.program_mnemonic}`;
    const provider = { ...makeProvider(idFirst + index, name, bank.code, random), zones };
    const info = { ACCOUNT: bank.account, TYPE: bank.type, BRANCH: bank.branch };
    return [{ provider, program, additionalInfo: additionalInfo(info) }];
  });
}

/** Every warehouse serves every program that gives goods or services. */
export function warehouseServices(warehouses: readonly Provider[], programs: readonly Program[]): Service[] {
  return programs
    .filter((program) => program.sponsor_bank === undefined)
    .flatMap((program) => warehouses.map((provider) => ({ provider, program, additionalInfo: null })));
}

/** Every agency serves every program, and has one account for all. */
export function agencyServices(
  agencies: readonly Provider[],
  programs: readonly Program[],
  random: Random,
): Service[] {
  return agencies.flatMap((provider) => {
    const info = additionalInfo({
      BANK: agencyBankCode,
      BRANCH: `BR-${String(1 + Math.floor(random() * 40)).padStart(3, '0')}`,
      ACCOUNT: `70${String(provider.id).padStart(8, '0')}`,
      TYPE: 'CURRENT',
    });
    return programs.map((program) => ({ provider, program, additionalInfo: info }));
  });
}

/** `#KEY#value#KEY#value`; what has no value is left out. */
function additionalInfo(values: Readonly<Record<string, string | null | undefined>>): string {
  return Object.entries(values)
    .flatMap(([key, value]) => (value ? [`#${key}#${value}`] : []))
    .join('');
}

interface Kind {
  count: number;
  idFirst: number;
  code: string;
  kinds: readonly string[];
}

function makeProviders(
  { count, idFirst, code, kinds }: Kind,
  zones: readonly Zone[],
  random: Random,
): Provider[] {
  return Array.from({ length: count }, (_, index) => {
    const served = servedZones(index, count, zones, random);
    const seat = served[0]?.name ?? '';
    const round = Math.floor(index / zones.length) + 1;
    const name = `${seat} ${pick(kinds, random)}${round === 1 ? '' : ` ${round}`}`;
    const mnemonic = `${code}-${mnemonicOf(seat)}-${round}`;
    return { ...makeProvider(idFirst + index, name, mnemonic, random), zones: served };
  });
}

/**
 * The one or two zones of a provider. First zones are dealt out in turn. Second zones go on where the first
 * ones ended, as long as that gives zones their first or second provider; after that every other provider
 * has a second one, the neighbour of its first.
 */
function servedZones(index: number, count: number, zones: readonly Zone[], random: Random): Zone[] {
  const first = index % zones.length;
  const another = random() < secondZoneProbability;
  const needed = count + index < zones.length * 2;
  const second =
    needed && count % zones.length !== 0 ? (count + index) % zones.length : (first + 1) % zones.length;
  const chosen = (needed || another) && second !== first ? [first, second] : [first];
  return chosen.flatMap((position) => zones[position] ?? []);
}

function makeProvider(id: number, name: string, mnemonic: string, random: Random): Omit<Provider, 'zones'> {
  const adminName = personName(random);
  return {
    id,
    name,
    mnemonic,
    adminName,
    adminEmail: emailOf(adminName, mnemonic),
    adminMobile: mobileOf(id),
  };
}

/** +999 is no country's. */
function mobileOf(id: number): string {
  return `+99970${String(id).padStart(7, '0')}`;
}
