import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../src/db/connection.ts';
import { openTown, type Town, tell } from '../support/bridge.ts';
import { createDatabase } from '../support/database.ts';
import { fastFolder } from '../support/fast-folder.ts';
import { until } from '../support/wait.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Runs `serve` where it is expected to end by itself. */
async function serve(env: Readonly<Record<string, string>>) {
  const folder = await fastFolder('serve');
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stderr = text(child.stderr);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  await rm(folder, { recursive: true });
  return { code, stderr: await stderr };
}

describe('serve refuses to start, in one line,', () => {
  it('with a setting that nobody knows, naming the nearest', async () => {
    const { code, stderr } = await serve({ G2P_BRIDGE_DISPATCH_MOD: 'event' });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error CONFIG_UNKNOWN_SETTING: .*G2P_BRIDGE_DISPATCH_MOD.*G2P_BRIDGE_DISPATCH_MODE.*\n$/,
    );
  });

  it('with a value that cannot be', async () => {
    const { code, stderr } = await serve({ G2P_BRIDGE_PORT: 'eight thousand' });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error CONFIG_BAD_VALUE: .*G2P_BRIDGE_PORT.*\n$/);
  });

  it('with a connector that cannot be loaded', async () => {
    const { url, drop } = await createDatabase('serve');
    const { code, stderr } = await serve({
      DATABASE_URL: url,
      G2P_BRIDGE_MAPPER_CONNECTOR_IMPL: 'no-such-package',
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error CONNECTOR_NOT_LOADED: .*no-such-package.*\n$/);
    await drop();
  });

  it('on a port that is taken', async () => {
    const { url, drop } = await createDatabase('serve');
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => {
        const address = other.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
    const { code, stderr } = await serve({ DATABASE_URL: url, G2P_BRIDGE_PORT: String(port) });
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^error PORT_TAKEN: .*${port}.*G2P_BRIDGE_PORT.*\\n$`));
    other.close();
    await drop();
  });

  it('on a database that cannot be reached', async () => {
    const { code, stderr } = await serve({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' });
    expect(code).toBe(3);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('a running process', () => {
  let town: Town;
  beforeEach(async () => {
    town = await openTown({ G2P_BRIDGE_LOG_LEVEL: 'info' });
  });
  afterEach(() => town.close());

  it('says that it is alive and ready, and counts what it does', async () => {
    await town.startBridge();
    expect(await tell(town.bridgeUrl, '/readyz')).toMatchObject({ ready: true, role: 'all' });
    expect(await tell(town.bridgeUrl, '/healthz')).toBeTruthy();
    const metrics = await (await fetch(`${town.bridgeUrl}/metrics`)).text();
    for (const name of [
      'queue_depth',
      'work_total',
      'work_errors_total',
      'work_retries_total',
      'stale_recoveries_total',
      'due_to_start_seconds',
      'work_seconds',
      'missing_payments',
      'stage_paused',
    ]) {
      expect(metrics).toContain(`g2p_bridge_${name}`);
    }
  });

  it('leaves nothing behind when it is stopped: no process, no claim, no active job', async () => {
    const bridge = await town.startBridge();
    await bridge.stop();
    const { sql, close } = connect(town.databaseUrl, { max: 1 });
    await until('its connections are gone', async () => {
      const [row] = await sql<{ n: number }[]>`
        select count(*)::int as n from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`;
      return row?.n === 0;
    });
    const [left] = await sql<{ processes: number; claims: number; active: number }[]>`
      select (select count(*) from actor_processes)::int as processes,
        (select count(*) from actor_claims)::int as claims,
        (select count(*) from pgboss.job where state = 'active')::int as active`;
    expect(left).toEqual({ processes: 0, claims: 0, active: 0 });
    await close();
  });
});
