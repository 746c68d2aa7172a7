import { loadConfig } from '../config.ts';
import { embeddedFolder, startEmbedded } from '../db/embedded.ts';

/** The database of the configuration. */
export interface ConfiguredDatabase {
  /** With its password: not for logs. */
  readonly url: string;
  readonly embedded: boolean;
}

/**
 * Does something with the database that `serve` would use. The embedded server is started for the purpose if it does
 * not run, and stopped again if nobody else uses it then.
 *
 * @throws ConfigError, EmbeddedPostgresError
 */
export async function withConfiguredDatabase<T>(
  use: (database: ConfiguredDatabase) => Promise<T>,
): Promise<T> {
  const config = loadConfig(process.env);
  const url = config.db_datasource_bridge;
  if (url !== null) return use({ url, embedded: false });
  const server = await startEmbedded({
    dataDir: embeddedFolder(config.data_dir),
    port: config.embedded_postgres_port,
    log: (line) => void process.stderr.write(`${line}\n`),
  });
  try {
    return await use({ url: server.url, embedded: true });
  } finally {
    await server.stop();
  }
}

/** What the help of commands says of it. */
export const CONFIGURED_DATABASE_HELP = `
The database is that of G2P_BRIDGE_DB_DATASOURCE_BRIDGE (or DATABASE_URL); without one, the embedded server's in
G2P_BRIDGE_DATA_DIR, which is started for the purpose if it does not run.`;
