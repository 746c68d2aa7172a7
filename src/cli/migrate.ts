import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { connect } from '../db/connection.ts';
import { embeddedFolder, startEmbedded } from '../db/embedded.ts';
import { migrate } from '../db/migrate.ts';
import { print, printJson } from './output.ts';
import { formatDuration } from './ui.ts';

/** `migrate`: brings the database's tables up to this version. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Apply the migrations that the database does not have yet.')
    .option('--json', 'write the result as one JSON document')
    .addHelpText(
      'after',
      `
The database is that of G2P_BRIDGE_DB_DATASOURCE_BRIDGE (or DATABASE_URL); without one, the embedded server's in
G2P_BRIDGE_DATA_DIR, which is started for the purpose if it does not run. Applying nothing is a success.`,
    )
    .action(async (options: { readonly json?: true }) => {
      const startedAt = performance.now();
      const result = await migrateConfigured();
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

/** @throws ConfigError, EmbeddedPostgresError, the database's errors */
async function migrateConfigured(): Promise<MigrateResult> {
  const config = loadConfig(process.env);
  const url = config.db_datasource_bridge;
  if (url !== null) return { ...(await migrateAt(url)), embedded: false };
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const server = await startEmbedded({
    dataDir: embeddedFolder(config.data_dir),
    port: config.embedded_postgres_port,
    log,
  });
  try {
    return { ...(await migrateAt(server.url)), embedded: true };
  } finally {
    await server.stop();
  }
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
