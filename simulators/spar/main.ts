/** SPAR, the ID mapper of demo, tests and benchmarks: ids to financial addresses. */
import '../shared/quick-start.ts';
import { type ServerArguments, serverCommand } from '../shared/arguments.ts';
import { mountControl } from '../shared/control.ts';
import { openDatabase } from '../shared/database.ts';
import { createLog } from '../shared/log.ts';
import { createMachinery, mount, pingRoute } from '../shared/routes.ts';
import { createServer, serve, start } from '../shared/server.ts';
import { guarded, type TrustOptions } from '../shared/trust.ts';
import { mountAdmin } from './admin.ts';
import { linkRoute, resolvePath, resolveRoute, unlinkRoute } from './routes.ts';
import { Rules, rulesSchema } from './rules.ts';
import { sparTables } from './tables.ts';
import { untrusted } from './untrusted.ts';

interface SparArguments extends ServerArguments {
  requireSignature?: string;
  requireToken?: string;
  tokenIssuer?: string;
}

const name = 'spar-simulator';

const options = serverCommand(name, 'An ID mapper: links ids to financial addresses and resolves them')
  .option('--require-signature <jwks>', 'URL or file of the keys that must have signed requests')
  .option('--require-token <jwks>', 'URL or file of the keys that must have signed bearer tokens')
  .option('--token-issuer <url>', 'who must have issued bearer tokens; without it anybody with such a key')
  .parse()
  .opts<SparArguments>();

await start(name, async () => {
  const log = createLog(name);
  const sql = await openDatabase(options.databaseUrl, name, sparTables);
  const machinery = createMachinery();
  const rules = new Rules();
  const trust: TrustOptions = {
    signatureJwks: options.requireSignature,
    tokenJwks: options.requireToken,
    tokenIssuer: options.tokenIssuer,
  };
  const app = createServer(log);
  app.addHook('onRequest', async (request, reply) => {
    if (request.url === resolvePath) reply.raw.once('close', rules.begin());
  });
  mount(app, pingRoute(), machinery);
  const check = untrusted(trust);
  mount(app, guarded(resolveRoute(sql, rules), check), machinery);
  mount(app, guarded(linkRoute(sql), check), machinery);
  mount(app, guarded(unlinkRoute(sql), check), machinery);
  mountControl(app, machinery, {
    name: 'rules',
    schema: rulesSchema,
    apply: (spec, seed) => rules.replace(spec, seed),
    report: () => rules.report(),
  });
  mountAdmin(app, sql, () => {
    rules.replace(null);
    machinery.faults.replace([]);
    machinery.counts.clear();
  });
  await serve(app, options, () => sql.end({ timeout: 1 }));
});
