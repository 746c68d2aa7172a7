import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedServer, startEmbedded } from '../../src/db/embedded.ts';
import { migrate } from '../../src/db/migrate.ts';

/** A server of the benchmark's own, with full durability, on an empty folder that goes away afterwards. */
export async function withServer<T>(run: (server: EmbeddedServer) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'g2p-bench-'));
  // The server may run as another user than ours.
  await chmod(folder, 0o755);
  const server = await startEmbedded({ dataDir: join(folder, 'data') });
  try {
    await migrate(server.url);
    return await run(server);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
