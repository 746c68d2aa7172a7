import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('./pipeline-process.ts', import.meta.url));

/** A process of the pipeline that can be killed. */
export interface PipelineChild {
  /** Kills it at once (SIGKILL) and waits until it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a process of the pipeline and waits until it works.
 *
 * @throws Error with what it wrote to stderr when it ends instead
 */
export async function startPipelineChild(
  databaseUrl: string,
  settings: Readonly<Record<string, string>>,
): Promise<PipelineChild> {
  const child = spawn(process.execPath, [MAIN, JSON.stringify([databaseUrl, settings])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const complaint = text(child.stderr);
  await Promise.race([
    once(child.stdout, 'data'),
    exited.then(async () => {
      throw new Error(`The process of the pipeline did not start: ${await complaint}`);
    }),
  ]);
  return {
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
