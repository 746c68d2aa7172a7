import { Command } from 'commander';
import { connect } from '../db/connection.ts';
import { migrate } from '../db/migrate.ts';
import { CONFIGURED_DATABASE_HELP, withConfiguredDatabase } from './configured-database.ts';
import { print, printJson } from './output.ts';
import { formatDuration } from './ui.ts';

/** `migrate`: brings the database's tables up to this version. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Apply the migrations that the database does not have yet.')
    .option('--json', 'write the result as one JSON document')
    .addHelpText('after', `${CONFIGURED_DATABASE_HELP} Applying nothing is a success.`)
    .action(async (options: { readonly json?: true }) => {
      const startedAt = performance.now();
      const result = await withConfiguredDatabase<MigrateResult>(async ({ url, embedded }) => ({
        ...(await migrateAt(url)),
        embedded,
      }));
      const elapsedMs = Math.round(performance.now() - startedAt);
      if (options.json === true) printJson({ ...result, elapsed_ms: elapsedMs });
      else print(`${describe(result)} (${formatDuration(elapsedMs)})`);
    });
}

interface MigrateResult {
  /** Host, port and name, without a password. */
  readonly database: string;
  readonly embedded: boolean;
  /** Migrations that the database has now, and how many of them are new. */
  readonly migrations: number;
  readonly applied: number;
}

async function migrateAt(url: string): Promise<Omit<MigrateResult, 'embedded'>> {
  const before = await migrationCount(url);
  await migrate(url);
  const migrations = await migrationCount(url);
  const { host, pathname } = new URL(url);
  return { database: `${host}${pathname}`, migrations, applied: migrations - before };
}

async function migrationCount(url: string): Promise<number> {
  const database = connect(url, { max: 1, applicationName: 'g2p-bridge migrate' });
  try {
    const [table] = await database.sql<{ name: string | null }[]>`
      select to_regclass('drizzle.__drizzle_migrations')::text as name`;
    if (!table?.name) return 0;
    const [row] = await database.sql<{ count: number }[]>`
      select count(*)::int as count from drizzle.__drizzle_migrations`;
    return row?.count ?? 0;
  } finally {
    await database.close();
  }
}

function describe({ database, embedded, migrations, applied }: MigrateResult): string {
  const where = `${embedded ? 'embedded database' : 'database'} ${database}`;
  if (applied <= 0) return `The ${where} has all ${migrations} migrations; nothing to do.`;
  return `Applied ${applied} ${applied === 1 ? 'migration' : 'migrations'} to the ${where}; it has ${migrations} now.`;
}
