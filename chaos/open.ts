/**
 * Starts the PostgreSQL of a run that was kept, says where it is, and stops it with Ctrl-C:
 *
 *     node chaos/open.ts data/chaos/RUN
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { onInterrupt } from '../src/cli/interrupt.ts';
import { startEmbedded } from '../src/db/embedded.ts';
import { DATABASES } from './databases.ts';

const dataDir = join(resolve(process.argv[2] ?? ''), 'postgres');
if (existsSync(dataDir)) await open();
else {
  console.error(`${dataDir} is not there: name the folder of a run that was kept.`);
  process.exitCode = 2;
}

async function open(): Promise<void> {
  const interrupt = onInterrupt('PostgreSQL stops.');
  const server = await startEmbedded({ dataDir });
  for (const name of DATABASES) console.log(server.urlFor(name));
  await new Promise<void>((stopped) => interrupt.signal.addEventListener('abort', () => stopped()));
  await server.stop();
  interrupt.release();
}
