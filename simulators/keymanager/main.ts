/** The key manager of demo, tests and benchmarks: keeps private keys and signs with them. */
import '../shared/quick-start.ts';
import { type ServerArguments, serverCommand } from '../shared/arguments.ts';
import { mountControl } from '../shared/control.ts';
import { openDatabase } from '../shared/database.ts';
import { createLog } from '../shared/log.ts';
import { createMachinery, mount, pingRoute } from '../shared/routes.ts';
import { createServer, serve, start } from '../shared/server.ts';
import { guarded } from '../shared/trust.ts';
import { mountAdmin } from './admin.ts';
import { needKey } from './keys.ts';
import { jwksRoute, type KeyManager, signRoute, unauthorized } from './routes.ts';
import { rulesSchema } from './rules.ts';
import { keyManagerTables } from './tables.ts';

interface KeyManagerArguments extends ServerArguments {
  application: string;
  requireToken?: string;
  tokenIssuer?: string;
}

const name = 'keymanager-simulator';

const options = serverCommand(name, 'A key manager: keeps private keys and signs with them')
  .option('--application <id>', 'application id that has a key from the beginning', 'G2PBRIDGE')
  .option('--require-token <jwks>', 'URL or file of the keys that must have signed bearer tokens')
  .option('--token-issuer <url>', 'who must have issued bearer tokens; without it anybody with such a key')
  .parse()
  .opts<KeyManagerArguments>();

await start(name, async () => {
  const log = createLog(name);
  const sql = await openDatabase(options.databaseUrl, name, keyManagerTables);
  const usual = { applicationId: options.application, referenceId: '' };
  await needKey(sql, usual);
  const machinery = createMachinery();
  const manager: KeyManager = {
    sql,
    trust: { tokenJwks: options.requireToken, tokenIssuer: options.tokenIssuer },
    wrongAnswer: null,
  };
  const app = createServer(log);
  mount(app, pingRoute(), machinery);
  mount(app, guarded(signRoute(manager), unauthorized(manager)), machinery);
  mount(app, jwksRoute(manager), machinery);
  mountControl(app, machinery, {
    name: 'rules',
    schema: rulesSchema,
    apply: (rules) => {
      manager.wrongAnswer = rules?.answer ?? null;
    },
    report: () => ({ answer: manager.wrongAnswer }),
  });
  mountAdmin(app, sql, options.application, async () => {
    await needKey(sql, usual);
    machinery.faults.replace([]);
    machinery.counts.clear();
    manager.wrongAnswer = null;
  });
  await serve(app, options, () => sql.end({ timeout: 1 }));
});
