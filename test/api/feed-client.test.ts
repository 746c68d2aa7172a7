import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { type OperatorSurface, serveOperators } from '../support/operators.ts';
import { openShop, type Shop } from '../support/shop.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/wait.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/feed-client.ts', import.meta.url));

let shop: Shop;
let system: ActorSystem;
let surface: OperatorSurface;
let proxy: TcpProxy;
beforeEach(async () => {
  shop = await openShop();
  system = await shop.join({ works: false, mode: 'tick' });
  surface = await serveOperators({ system, database: shop.database });
  proxy = await startTcpProxy(surface.url);
});
afterEach(async () => {
  await proxy.close();
  await surface.close();
  await shop.close();
});

describe('the example client of the feed', () => {
  it('is short, and prints every transition once although its connection breaks again and again', async () => {
    const code = await readFile(EXAMPLE, 'utf8');
    const lines = code.replace(/\/\*\*[\s\S]*?\*\//, '').split('\n');
    expect(lines.filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(25);

    const token = (surface.as('viewer').headers.authorization ?? '').replace('Bearer ', '');
    const child = spawn(process.execPath, [EXAMPLE, '0'], {
      env: {
        ...process.env,
        G2P_BRIDGE_URL: new URL(proxy.through(surface.url)).origin,
        G2P_BRIDGE_TOKEN: token,
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const printed: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => printed.push(line));
    try {
      for (let round = 0; round < 4; round += 1) {
        await shop.receive(system, `o${round}`, 6, null);
        await until('they are printed', () => printed.length >= 6 * (round + 1));
        proxy.cut();
      }
      expect(printed.length).toBe(24);
      const journal = await shop.journal();
      expect(printed).toEqual(
        journal.map(
          (row) => `${row.seq} document ${row.actor_id} ${row.region} ${row.from_state} → ${row.to_state}`,
        ),
      );
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });
});
