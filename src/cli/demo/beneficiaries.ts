import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { post } from './http.ts';
import type { DemoProgram } from './programs.ts';

/** Links made in one call to the mapper. */
const LINKS_PER_CALL = 10_000;
const GIVEN = ['Amina', 'Bilal', 'Chen', 'Dina', 'Emeka', 'Fatou', 'Grace', 'Hassan', 'Ines', 'Juma'];
const FAMILY = [
  'Okafor',
  'Santos',
  'Rahman',
  'Diallo',
  'Mwangi',
  'Perera',
  'Kaya',
  'Haddad',
  'Nguyen',
  'Silva',
];

/** The people of one run, who get something from each of its programs; the same number always gives the same person. */
export interface People {
  readonly run: string;
  readonly count: number;
}

const pick = (list: readonly string[], n: number): string => list[n % list.length] ?? '';
const nameOf = (n: number): string => `${pick(GIVEN, n)} ${pick(FAMILY, Math.floor(n / 10))}`;
const beneficiaryId = (people: People, n: number): string => `${beneficiaryPrefix(people)}${n}`;

/** What the ids of a run's beneficiaries begin with; a number from 0 follows. */
export const beneficiaryPrefix = ({ run }: People): string => `BEN-${run}-`;

/** Writes the CSV that is submitted: one line for each person. */
export async function writeCsv(people: People, program: DemoProgram, file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const lines = function* () {
    yield 'disbursement_id,beneficiary_id,beneficiary_name,disbursement_quantity,narrative\n';
    for (let n = 0; n < people.count; n += 1) {
      const id = `DISB-${people.run}-${program.benefitCodeId}-${n}`;
      yield `${id},${beneficiaryId(people, n)},${nameOf(n)},${program.quantityOf(n)},${program.narrative}\n`;
    }
  };
  await pipeline(Readable.from(lines()), createWriteStream(file));
}

/** Tells the mapper where each person's money goes: mostly bank accounts, some of them elsewhere, some wallets. */
export async function linkAll(people: People, mapperUrl: string): Promise<void> {
  for (let start = 0; start < people.count; start += LINKS_PER_CALL) {
    const end = Math.min(start + LINKS_PER_CALL, people.count);
    const links = Array.from({ length: end - start }, (_, offset) => linkOf(people, start + offset));
    await post(mapperUrl, '/_admin/links', links);
  }
}

function linkOf(people: People, n: number) {
  const who = { id: beneficiaryId(people, n), name: nameOf(n) };
  if (n % 10 === 9) {
    const phone = `+2557${String(n).padStart(8, '0')}`;
    return {
      ...who,
      fa_type: 'MOBILE_WALLET',
      mobile_number: phone,
      wallet_provider_name: 'Pesa',
      wallet_provider_code: 'PESA',
    };
  }
  const bank = n % 10 === 8 ? 'OTHER-BANK' : 'EXAMPLE-BANK';
  return {
    ...who,
    fa_type: 'BANK',
    account_number: `10${String(n).padStart(10, '0')}`,
    bank_code: bank,
    branch_code: `B${n % 40}`,
  };
}
