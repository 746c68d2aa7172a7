import { Writable } from 'node:stream';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { type Server, startServer } from '../../src/main.ts';
import { get } from '../simulators/fixtures.ts';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { openPipeline, type Pipeline } from '../support/pipeline.ts';
import { until } from '../support/wait.ts';

let outside: Outside;
let pipeline: Pipeline;
let server: Server;
const lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  outside = await openOutside();
  pipeline = await openPipeline(outside, { processes: 0 });
  // It only receives; the server does the work.
  await pipeline.join({ works: false });
  const settings = { ...pipeline.settings, db_datasource_bridge: pipeline.url, port: '0' };
  const config = loadConfig(
    Object.fromEntries(
      Object.entries(settings).map(([name, text]) => [`G2P_BRIDGE_${name.toUpperCase()}`, text]),
    ),
  );
  const log = new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).trim().split('\n')) lines.push(JSON.parse(line));
      done();
    },
  });
  const pauses = { circuit_pause_seconds: 0.05, circuit_pause_max_seconds: 0.1 };
  server = await startServer({ ...config, ...pauses }, pino({ level: 'info' }, log));
});
afterAll(async () => {
  await server.stop();
  await pipeline.close();
  await outside.close();
});

const circuits = async () => (await get(server.url, '/readyz')).body.circuits as Record<string, unknown>;
const metric = async (name: string) => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name}{system="mapper"}`));
  return Number(line?.split(' ').at(-1));
};
const logged = (code: string) => lines.filter((line) => line.code === code);

it('an outage shows in /readyz, in metrics and in the log while it lasts, and the process stays ready', async () => {
  const closed = { state: 'closed', since: expect.stringMatching(/^\d{4}-.+Z$/), failures: 0 };
  expect(await circuits()).toEqual({ 'bank:EXAMPLE-BANK': closed, mapper: closed });
  expect(await metric('g2p_bridge_circuit_state')).toBe(0);
  expect(await metric('g2p_bridge_circuit_openings_total')).toBe(0);

  const program = await pipeline.program();
  const announced = await pipeline.announce(program, [['10'], ['20']]);
  await outside.mapper.stop();
  const stopped = Date.now();
  for (const batch of announced.batches) await pipeline.receive(batch);
  await until('probes fail', async () => {
    const { mapper } = (await circuits()) as { mapper: { failures: number } };
    return mapper.failures > 5;
  });
  const ready = await get(server.url, '/readyz');
  expect(ready.status).toBe(200);
  expect(ready.body).toMatchObject({ ready: true, circuits: { 'bank:EXAMPLE-BANK': { state: 'closed' } } });
  const { mapper } = (await circuits()) as { mapper: { state: string; since: string } };
  expect(['open', 'half_open']).toContain(mapper.state);
  expect(Date.parse(mapper.since)).toBeGreaterThanOrEqual(stopped);
  expect(await metric('g2p_bridge_circuit_state')).toBeGreaterThan(0);
  expect(await metric('g2p_bridge_circuit_openings_total')).toBe(1);
  expect(logged('CIRCUIT_OPENED')).toMatchObject([{ name: 'circuits', system: 'mapper', failures: 3 }]);
  expect(logged('CIRCUIT_CLOSED')).toEqual([]);

  await outside.mapper.start();
  await becomes(() => pipeline.envelope(announced.envelope.id), { number_of_disbursements_shipped: 2 });
  expect((await circuits()).mapper).toEqual(closed);
  expect(await metric('g2p_bridge_circuit_state')).toBe(0);
  expect(await metric('g2p_bridge_circuit_openings_total')).toBe(1);
  expect(logged('CIRCUIT_CLOSED')).toMatchObject([{ system: 'mapper', openMs: expect.any(Number) }]);
});
