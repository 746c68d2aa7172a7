import { Command, Option } from 'commander';
import { loadConfig } from '../config.ts';
import { startServer } from '../main.ts';
import { createLogger } from '../telemetry/logs.ts';
import { entranceDocument, showEntrance } from './entrance.ts';
import { onInterrupt } from './interrupt.ts';
import { printJson } from './output.ts';

/** `serve`: runs one process of the system until it is told to stop, or its database is replaced by another. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('Run the system: answer partners, do the work, or both, as G2P_BRIDGE_ROLE says.')
    .addOption(new Option('--json', 'write {"ready":true,"url":…} on standard output when ready'))
    .action(async (options: { json?: true }) => serve(options.json === true));
}

async function serve(json: boolean): Promise<void> {
  const config = loadConfig(process.env);
  const logger = createLogger(config.log_level);
  for (const variable of config.ignored) logger.warn({ variable }, 'this setting has no effect here');
  const interrupt = onInterrupt('the server stops.');
  const server = await startServer(config, logger);
  const { url, embedded, operators } = server;
  if (json) printJson({ ready: true, url, ...(operators && entranceDocument(operators)) });
  else if (operators) showEntrance(operators, config, url);
  logger.info({ url, role: config.role, embedded, operators: operators?.kind ?? null }, 'ready');
  const end = AbortSignal.any([interrupt.signal, server.replaced]);
  await new Promise<void>((resolve) => {
    if (end.aborted) resolve();
    end.addEventListener('abort', () => resolve());
  });
  logger.info('stopping');
  await server.stop();
  logger.info('stopped');
  server.replaced.throwIfAborted();
}
