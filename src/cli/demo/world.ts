import { createServer } from 'node:net';
import type { Config } from '../../config.ts';
import { connect, type Database } from '../../db/connection.ts';
import { type EmbeddedServer, embeddedFolder, startEmbedded } from '../../db/embedded.ts';
import type { People } from './beneficiaries.ts';
import type { Child } from './child.ts';
import { DATABASES, type InKindOutside, type Outside, programPath, startOutside } from './outside.ts';
import { ProcessGroup } from './process-group.ts';
import { type DemoProgram, SPONSOR_BANK } from './programs.ts';

/** Everything the demo runs on. */
export interface World {
  readonly server: EmbeddedServer;
  readonly bridge: Child;
  readonly bank: Child;
  readonly spar: Child;
  /** Null when nothing but digital cash is given. */
  readonly inKind: InKindOutside | null;
  /** Our own database, read to show what is going on. */
  readonly database: Database;
  /** Rejects when one of the processes ends by itself. */
  readonly broken: Promise<never>;
  stop(): Promise<void>;
}

/** For whom and for what a world is made. */
export interface WorldOptions {
  readonly people: People;
  readonly programs: readonly DemoProgram[];
  /** Whether what earlier demos left is thrown away first. */
  readonly fresh: boolean;
  /** Further settings for the system. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts the embedded server, what is around the system and the system itself, each as a process of its own; the
 * outside knows the people and the programs then.
 *
 * @throws Error in one line when something does not start
 */
export async function startWorld(config: Config, options: WorldOptions): Promise<World> {
  const server = await startEmbedded({ dataDir: embeddedFolder(config.data_dir) });
  const group = new ProcessGroup();
  const stop = async () => {
    await group.stop();
    await server.stop();
  };
  try {
    if (options.fresh) await forget(server);
    const port = await portNear(config.port);
    const outside = await startOutside(server, group, `http://127.0.0.1:${port}`, options);
    const databaseUrl = await server.ensureDatabase(DATABASES.bridge);
    const [bridge] = await Promise.all([
      group.start(
        'The bridge',
        ['--max-semi-space-size=4', programPath('src/cli/main.ts'), 'serve', '--json'],
        { ...settings(databaseUrl, port, outside, options.programs), ...options.env },
      ),
      outside.filled,
    ]);
    const database = connect(databaseUrl, { max: 2, applicationName: 'g2p-bridge demo' });
    return {
      server,
      bridge,
      ...outside,
      database,
      broken: group.broken,
      async stop() {
        await database.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function settings(
  databaseUrl: string,
  port: number,
  { bank, spar, inKind }: Outside,
  programs: readonly DemoProgram[],
): Record<string, string> {
  return {
    G2P_BRIDGE_DB_DATASOURCE_BRIDGE: databaseUrl,
    G2P_BRIDGE_HOST: '127.0.0.1',
    // Whatever the environment has: the demo's own partner and bank prove nothing.
    G2P_BRIDGE_SIGNATURE_VALIDATION_ENABLED: 'false',
    G2P_BRIDGE_MT940_UPLOAD_TOKEN: '',
    // Nobody else can come here, so whoever has started the demo just opens the dashboard.
    G2P_BRIDGE_OPERATOR_ACCESS: 'loopback',
    G2P_BRIDGE_OPERATOR_OIDC_ISSUER: '',
    G2P_BRIDGE_PORT: String(port),
    G2P_BRIDGE_LOG_LEVEL: 'warn',
    G2P_BRIDGE_EXAMPLE_BANK_API_URL: bank.url,
    G2P_BRIDGE_MAPPER_API_URL: spar.url,
    ...(inKind === null
      ? {
          G2P_BRIDGE_IN_KIND_ENABLED: 'false',
          G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS: JSON.stringify(sponsorBanks(programs)),
        }
      : {
          G2P_BRIDGE_IN_KIND_ENABLED: 'true',
          G2P_BRIDGE_DB_DATASOURCE_PBMS: inKind.pbmsUrl,
          G2P_BRIDGE_DB_DATASOURCE_REGISTRY: inKind.registryUrl,
          G2P_BRIDGE_SUPPRESS_NOTIFICATIONS: 'false',
          G2P_BRIDGE_NOVU_API_URL: inKind.novu.url,
          G2P_BRIDGE_NOVU_API_KEY: inKind.novuApiKey,
        }),
  };
}

/** What PBMS says in a deployment that knows it. */
function sponsorBanks(programs: readonly DemoProgram[]) {
  return Object.fromEntries(
    programs.map(({ id, benefitCodeId, account }) => [
      `${id}:${benefitCodeId}`,
      {
        sponsor_bank_code: SPONSOR_BANK.code,
        program_account_number: account,
        program_account_type: SPONSOR_BANK.accountType,
        program_account_branch_code: SPONSOR_BANK.branch,
      },
    ]),
  );
}

async function forget(server: EmbeddedServer): Promise<void> {
  const admin = connect(server.url, { max: 1 });
  try {
    for (const name of Object.values(DATABASES)) {
      await admin.sql`drop database if exists ${admin.sql(name)} with (force)`;
    }
  } finally {
    await admin.close();
  }
}

/** The port asked for, or any free one when somebody else has it. */
async function portNear(wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    const server = createServer();
    const got = await new Promise<number | null>((resolve) => {
      server.once('error', () => resolve(null));
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        resolve(address !== null && typeof address === 'object' ? address.port : null);
      });
    });
    await new Promise((resolve) => server.close(resolve));
    if (got !== null) return got;
  }
  throw new Error('There is no free port.');
}
