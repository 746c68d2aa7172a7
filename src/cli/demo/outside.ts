import { fileURLToPath } from 'node:url';
import type { EmbeddedServer } from '../../db/embedded.ts';
import { goesThroughZones } from '../../machines/benefit-type.ts';
import { beneficiaryPrefix, linkAll, type People } from './beneficiaries.ts';
import type { Child } from './child.ts';
import { post } from './http.ts';
import type { ProcessGroup } from './process-group.ts';
import { CURRENCY, type DemoProgram, SPONSOR_BANK } from './programs.ts';

/** What goods, services and physical cash need of the outside. */
export interface InKindOutside {
  /** The notification service, and the key that it wants. */
  readonly novu: Child;
  readonly novuApiKey: string;
  readonly pbmsUrl: string;
  readonly registryUrl: string;
}

/** The simulated world around the bridge. */
export interface Outside {
  readonly bank: Child;
  readonly spar: Child;
  /** Null when nothing but digital cash is given. */
  readonly inKind: InKindOutside | null;
  /** Resolves when all of it knows the people and programs of the run; the bridge may be started before. */
  readonly filled: Promise<void>;
}

/** The databases of a demo, all on the embedded server. */
export const DATABASES = {
  bridge: 'demo_bridge',
  bank: 'demo_bank',
  spar: 'demo_spar',
  novu: 'demo_novu',
  pbms: 'demo_pbms',
  registry: 'demo_registry',
} as const;

/** The bank sends a statement when no payment has come for so long. */
const AUTO_STATEMENT_MS = 400;
const OPENING_BALANCE = '900000000000.00';
const NOVU_API_KEY = 'demo';

/** Path of a program of this package. */
export const programPath = (path: string): string =>
  fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/**
 * Starts the bank, the mapper and, unless all is digital cash, the notification service, PBMS and the farmer registry.
 *
 * @param bridgeUrl where the bank sends its statements
 * @throws Error in one line when something does not start
 */
export async function startOutside(
  server: EmbeddedServer,
  group: ProcessGroup,
  bridgeUrl: string,
  { people, programs }: { readonly people: People; readonly programs: readonly DemoProgram[] },
): Promise<Outside> {
  const start = async (name: 'bank' | 'spar' | 'novu', args: readonly string[]) => {
    const databaseUrl = await server.ensureDatabase(DATABASES[name]);
    const main = programPath(`simulators/${name}/main.ts`);
    return group.start(`The simulator of ${name}`, [main, '--database-url', databaseUrl, ...args]);
  };
  const bankArgs = ['--statement-upload-url', `${bridgeUrl}/upload_mt940`];
  const bank = start('bank', [...bankArgs, '--auto-statement-ms', String(AUTO_STATEMENT_MS)]);
  const spar = start('spar', []);
  const zonal = programs.some(({ benefitType }) => goesThroughZones(benefitType));
  const novu = zonal ? start('novu', ['--api-key', NOVU_API_KEY]) : null;
  const data = zonal ? inKindDatabases(server) : null;
  const resolves = programs.some(({ benefitType }) => benefitType === 'CASH_DIGITAL');
  const filled = Promise.all([
    bank.then(({ url }) => openAccounts(url, programs)),
    spar.then(({ url }) => (resolves ? linkAll(people, url) : undefined)),
    data?.then((urls) => fillInKind(group, urls, people, programs)),
  ]).then(() => {});
  // Whoever waits for it sees the problem; until then it is nobody's.
  filled.catch(() => {});
  const started = await Promise.all([bank, spar, novu, data]);
  const inKind = started[2] && started[3] && { novu: started[2], novuApiKey: NOVU_API_KEY, ...started[3] };
  return { bank: started[0], spar: started[1], inKind, filled };
}

/** Opens the accounts of programs at the simulated bank, filled. */
export async function openAccounts(bankUrl: string, programs: readonly DemoProgram[]): Promise<void> {
  const accounts = programs.flatMap(({ account }) =>
    account === null ? [] : [{ account_number: account, currency: CURRENCY, balance: OPENING_BALANCE }],
  );
  if (accounts.length > 0) await post(bankUrl, '/_admin/accounts', accounts);
}

async function inKindDatabases(server: EmbeddedServer) {
  const [pbmsUrl, registryUrl] = await Promise.all([
    server.ensureDatabase(DATABASES.pbms),
    server.ensureDatabase(DATABASES.registry),
  ]);
  return { pbmsUrl, registryUrl };
}

/** Lets PBMS know the programs and the registry the people, in place of those of earlier runs. */
export async function fillInKind(
  group: ProcessGroup,
  { pbmsUrl, registryUrl }: Pick<InKindOutside, 'pbmsUrl' | 'registryUrl'>,
  people: People,
  programs: readonly DemoProgram[],
): Promise<void> {
  const { code, accountType: type, branch } = SPONSOR_BANK;
  const given = programs.map(({ id, mnemonic, benefitCodeId, benefitCodeMnemonic, account }) => ({
    program_id: id,
    program_mnemonic: mnemonic,
    benefit_code_id: benefitCodeId,
    benefit_code_mnemonic: benefitCodeMnemonic,
    ...(account === null ? {} : { sponsor_bank: { code, account, type, branch } }),
  }));
  await group.run('The generator of PBMS and the farmer registry', [
    programPath('simulators/pbms/main.ts'),
    ...['--pbms-url', pbmsUrl, '--registry-url', registryUrl],
    ...['--programs', JSON.stringify(given)],
    ...['--farmers', String(people.count), '--beneficiary-prefix', beneficiaryPrefix(people)],
  ]);
}
