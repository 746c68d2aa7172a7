import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stop as strikeStop } from '../../chaos/faults/processes.ts';
import { Supervised, surroundingsOf } from '../../chaos/processes.ts';
import { randomFor } from '../../chaos/random.ts';
import type { StrikableWorld } from '../../chaos/world.ts';

const TELLS = `
  console.log(JSON.stringify({ ready: true, cwd: process.cwd(), env: process.env }));
  setInterval(() => {}, 1000);`;

let folder: string;
let supervised: Supervised;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaos-processes-'));
  await writeFile(join(folder, 'program.mjs'), TELLS);
  supervised = new Supervised(
    {
      name: 'worker-1',
      args: [join(folder, 'program.mjs')],
      env: { G2P_BRIDGE_ROLE: 'worker' },
      folder,
      logFile: join(folder, 'log'),
    },
    { note: () => {}, around: async () => [] },
    randomFor(1, 'restarts'),
  );
});
afterEach(async () => {
  await supervised.stop();
  delete process.env.G2P_BRIDGE_IN_KIND_ENABLED;
  await rm(folder, { recursive: true, force: true });
});

describe('a supervised process', () => {
  it('runs in the folder of the run, without what a developer has set', async () => {
    process.env.G2P_BRIDGE_IN_KIND_ENABLED = 'false';
    const { cwd, env } = (await supervised.start()) as { cwd: string; env: NodeJS.ProcessEnv };
    expect(cwd).toBe(folder);
    expect(env.G2P_BRIDGE_ROLE).toBe('worker');
    expect(env).not.toHaveProperty('G2P_BRIDGE_IN_KIND_ENABLED');
    expect(env.PATH).toBe(process.env.PATH);
  });

  it('is struck by a stop only while there is one', async () => {
    const world = { processes: new Map([['worker-1', supervised]]) } as unknown as StrikableWorld;
    const fault = { kind: 'stop', target: 'worker-1', atMs: 0, forMs: 1 } as const;
    expect(await strikeStop(world, fault)).toEqual({ struck: false });
    await supervised.start();
    const { struck, giveBack } = await strikeStop(world, fault);
    expect(struck).toBe(true);
    await giveBack?.();
  });
});

describe('the surroundings of a process', () => {
  it('have nothing that would change what it does', () => {
    const kept = { PATH: '/bin', HOME: '/home/x', TMPDIR: '/tmp', LANG: 'C' };
    const dropped = {
      G2P_BRIDGE_ROLE: 'all',
      DATABASE_URL: 'postgres://x',
      PGHOST: 'x',
      NODE_OPTIONS: '--inspect',
      https_proxy: 'http://x',
      CHAOS_RUN: 'another',
    };
    expect(surroundingsOf({ ...kept, ...dropped })).toEqual(kept);
  });
});
