/** Novu, the notification service of demo, tests and benchmarks: takes events and delivers nothing. */
import '../shared/quick-start.ts';
import { type ServerArguments, serverCommand, wholeNumber } from '../shared/arguments.ts';
import { mountControl } from '../shared/control.ts';
import { openDatabase } from '../shared/database.ts';
import { createLog } from '../shared/log.ts';
import { createMachinery, mount, pingRoute } from '../shared/routes.ts';
import { createServer, serve, start } from '../shared/server.ts';
import { mountAdmin } from './admin.ts';
import { bulkRoute, type Novu, triggerRoute } from './routes.ts';
import { Rules, rulesSchema } from './rules.ts';
import { novuTables } from './tables.ts';

interface NovuArguments extends ServerArguments {
  apiKey?: string;
  delayMs: number;
}

const name = 'novu-simulator';
const delayMsMax = 600_000;

const options = serverCommand(name, 'A notification service: takes events, each transaction id once')
  .option('--api-key <key>', 'the secret key that requests must carry; without it none is asked for')
  .option('--delay-ms <ms>', 'how long every request takes besides its work', wholeNumber(0, delayMsMax), 0)
  .parse()
  .opts<NovuArguments>();

await start(name, async () => {
  const log = createLog(name);
  const sql = await openDatabase(options.databaseUrl, name, novuTables);
  const machinery = createMachinery();
  const rules = new Rules();
  const novu: Novu = { sql, rules, apiKey: options.apiKey ?? null, delayMs: options.delayMs };
  const app = createServer(log);
  app.addHook('onRequest', async (request) => {
    if (request.url.startsWith('/v1/')) rules.onRequest();
  });
  app.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode !== 429) return;
    const seconds = rules.onLimited();
    if (seconds !== null) reply.header('retry-after', seconds);
  });
  mount(app, pingRoute(), machinery);
  mount(app, triggerRoute(novu), machinery);
  mount(app, bulkRoute(novu), machinery);
  mountControl(app, machinery, {
    name: 'rules',
    schema: rulesSchema,
    apply: (spec) => rules.replace(spec),
    report: () => rules.report(),
  });
  mountAdmin(app, sql, () => {
    machinery.faults.replace([]);
    machinery.counts.clear();
    rules.replace(null);
  });
  await serve(app, options, () => sql.end({ timeout: 1 }));
});
