import { Command } from 'commander';
import { STAGE_NAMES } from '../config.ts';
import { connect } from '../db/connection.ts';
import { migrate } from '../db/migrate.ts';
import { checkOrigin } from '../db/restores.ts';
import { applyGrants, type RoleNames, roleNames } from '../db/roles.ts';
import { installQueues } from '../runtime/install-queues.ts';
import { CONFIGURED_DATABASE_HELP, withConfiguredDatabase } from './configured-database.ts';
import { print, printJson } from './output.ts';
import { rolePrefixOption } from './roles.ts';
import { formatDuration } from './ui.ts';

/** Queues need no more of a stage than its name. */
const QUEUED = STAGE_NAMES.map((name) => ({ name }));

const RESTORED =
  'It was restored from a backup: payments, statements and notifications are paused until it was compared with the bank; ' +
  'see docs/backup.md.';
const UNTOLD =
  'It comes from a version that did not note where it ran, so nobody can tell whether it was restored from a backup. If it ' +
  'was, run "g2p-bridge restored --reason TEXT" before any process starts; see docs/backup.md.';

/** `migrate`: brings the database's tables up to this version. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Apply the migrations that the database does not have yet.')
    .option('--roles', 'give the roles that "g2p-bridge roles" makes what they need of the tables')
    .addOption(rolePrefixOption())
    .option('--json', 'write the result as one JSON document')
    .addHelpText('after', `${CONFIGURED_DATABASE_HELP} Applying nothing is a success.`)
    .action(async (options: Options) => {
      const startedAt = performance.now();
      const result = await withConfiguredDatabase<MigrateResult>(async ({ url, embedded }) => ({
        ...(await migrateAt(url, options.roles === true ? roleNames(options.rolePrefix) : null)),
        embedded,
      }));
      const elapsedMs = Math.round(performance.now() - startedAt);
      if (options.json === true) printJson({ ...result, elapsed_ms: elapsedMs });
      else print([`${describe(result)} (${formatDuration(elapsedMs)})`, ...warnings(result)].join('\n'));
    });
}

interface Options {
  readonly roles?: true;
  readonly rolePrefix: string;
  readonly json?: true;
}

interface MigrateResult {
  /** Host, port and name, without a password. */
  readonly database: string;
  readonly embedded: boolean;
  /** Migrations that the database has now, and how many of them are new. */
  readonly migrations: number;
  readonly applied: number;
  /** Whether it was found to be restored from a backup; what acts on the outside is paused then. */
  readonly restored: boolean;
  /** Whether nobody can tell that: the first run on a database that has been used by a version before. */
  readonly origin_untold: boolean;
}

const warnings = ({ restored, origin_untold: untold }: MigrateResult): readonly string[] => [
  ...(restored ? [RESTORED] : []),
  ...(untold ? [UNTOLD] : []),
];

async function migrateAt(url: string, roles: RoleNames | null): Promise<Omit<MigrateResult, 'embedded'>> {
  const migrated = await migrate(url);
  const { kind } = await checkOrigin(url);
  await installQueues(url, QUEUED);
  if (roles !== null) await grant(url, roles);
  const { host, pathname } = new URL(url);
  return {
    database: `${host}${pathname}`,
    ...migrated,
    restored: kind === 'restored',
    origin_untold: kind === 'untold',
  };
}

async function grant(url: string, roles: RoleNames): Promise<void> {
  const database = connect(url, { max: 1, applicationName: 'g2p-bridge migrate' });
  try {
    await applyGrants(database.sql, roles);
  } finally {
    await database.close();
  }
}

function describe({ database, embedded, migrations, applied }: MigrateResult): string {
  const where = `${embedded ? 'embedded database' : 'database'} ${database}`;
  if (applied <= 0) return `The ${where} has all ${migrations} migrations; nothing to do.`;
  return `Applied ${applied} ${applied === 1 ? 'migration' : 'migrations'} to the ${where}; it has ${migrations} now.`;
}
