/** SPAR, the ID mapper of demo, tests and benchmarks: ids to financial addresses. */
import '../shared/quick-start.ts';
import { type ServerArguments, serverCommand } from '../shared/arguments.ts';
import { mountControl } from '../shared/control.ts';
import { openDatabase } from '../shared/database.ts';
import { createLog } from '../shared/log.ts';
import { createMachinery, mount, pingRoute } from '../shared/routes.ts';
import { createServer, serve, start } from '../shared/server.ts';
import { mountAdmin } from './admin.ts';
import { linkRoute, resolveRoute, unlinkRoute } from './routes.ts';
import { sparTables } from './tables.ts';

const name = 'spar-simulator';

const options = serverCommand(name, 'An ID mapper: links ids to financial addresses and resolves them')
  .parse()
  .opts<ServerArguments>();

await start(name, async () => {
  const log = createLog(name);
  const sql = await openDatabase(options.databaseUrl, name, sparTables);
  const machinery = createMachinery();
  const app = createServer(log);
  mount(app, pingRoute(), machinery);
  mount(app, resolveRoute(sql), machinery);
  mount(app, linkRoute(sql), machinery);
  mount(app, unlinkRoute(sql), machinery);
  mountControl(app, machinery);
  mountAdmin(app, sql, () => {
    machinery.faults.replace([]);
    machinery.counts.clear();
  });
  await serve(app, options, () => sql.end({ timeout: 1 }));
});
