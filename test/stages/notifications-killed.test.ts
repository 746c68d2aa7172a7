import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../support/becomes.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { BULK, calls, living, received, settled } from '../support/notified.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type PipelineChild, startPipelineChild } from '../support/pipeline-child.ts';
import type { PipelineSystem } from '../support/pipeline-system.ts';
import { until } from '../support/wait.ts';

/** Longer than any test waits: the killed process never sees the answer. */
const NEVER_MS = 60_000;
const ZONES = 4;
const MANY = 1_200;
/** How many of them have been notified when a process is killed. */
const KILLED_AFTER = [150, 400, 650];

describe('notifications of processes that are killed (SIGKILL)', () => {
  let outside: Outside;
  let world: InKindPipeline;
  const others: PipelineSystem[] = [];
  const victims: PipelineChild[] = [];
  beforeAll(async () => {
    outside = await openOutside();
    world = await openInKind(outside, { processes: 0 });
    // Receives only: what works are the processes that a test starts.
    await world.pipeline.join({ works: false });
  });
  afterEach(async () => {
    await world.novu.faults([]);
    await Promise.all([
      ...victims.splice(0).map((victim) => victim.kill()),
      ...others.splice(0).map((other) => other.close()),
    ]);
  });
  afterAll(async () => {
    await world.close();
    await outside.close();
  });

  const start = async (): Promise<PipelineChild> => {
    const victim = await startPipelineChild(world.pipeline.url, world.pipeline.settings);
    victims.push(victim);
    return victim;
  };
  const join = async (): Promise<void> => {
    others.push(await world.pipeline.join());
  };
  async function disburse(count: number, zones: number) {
    const { envelope, batches } = await world.disburse('COMMODITY', [living(world, count, zones)]);
    const logs = () => world.logs(envelope.id);
    const batch = batches[0]?.row.id;
    // Asked for again and again: without the logs themselves.
    const answers = async () => {
      const [row] = await world.pipeline.database.sql<{ n: number }[]>`
        select count(*)::int as n from notification_logs
        where disbursement_envelope_id = ${envelope.id} and status = 'PROCESSED'`;
      return row?.n ?? 0;
    };
    return { batch, logs, answers, events: async () => received(world, await logs()) };
  }
  const answered = (logs: readonly Row[]) => logs.filter((log) => log.status === 'PROCESSED');

  /** Every notification was accepted, in its place and once, and the pipeline has no work left. */
  async function expectAllTold(
    { batch, logs, events }: Awaited<ReturnType<typeof disburse>>,
    count: number,
    zones: number,
  ): Promise<void> {
    expect(await settled(world, batch, 40_000)).toEqual({
      warehouse_notification: { PROCESSED: zones },
      agency_notification: { PROCESSED: zones },
      beneficiary_notification: { PROCESSED: count },
    });
    expect(answered(await logs())).toHaveLength(count + 2 * zones);
    // The service keeps one for each transaction id.
    expect(await events()).toHaveProperty('size', count + 2 * zones);
    const { sql } = world.pipeline.database;
    await until('no job and no claim is left', async () => {
      const [left] = await sql<{ jobs: number; claims: number; mail: number }[]>`
        select (select count(*)::int from actor_claims) as claims, (select count(*)::int from actor_messages) as mail,
          (select count(*)::int from pgboss.job where state < 'completed' and name like '%worker') as jobs`;
      return left !== undefined && left.claims + left.jobs + left.mail === 0;
    });
    expect(await sql`select from pgboss.job where name = 'lost_work'`).toHaveLength(0);
  }

  it('are not sent again when the log has their answer, although nothing else was recorded', async () => {
    const { sql } = world.pipeline.database;
    await world.novu.faults([{ path: BULK, kind: 'delay', delay_ms: 1_500, count: 1 }]);
    const before = await world.novu.requests(BULK);
    const victim = await start();
    const told = await disburse(20, 1);
    await until('the bulk is under way', async () => (await world.novu.requests(BULK)) > before);
    // Nobody can record anything about the beneficiaries as long as their rows are locked.
    await sql.begin(async (tx) => {
      await tx`
        select from disbursement_resolution_geo_address
        where disbursement_batch_control_id = ${told.batch ?? null} for update`;
      await until('the log has all answers', async () => (await told.answers()) === 22);
      await victim.kill();
    });
    const sent = await calls(world);
    await join();
    await expectAllTold(told, 20, 1);
    expect(await calls(world)).toBe(sent);
    for (const { times_received } of (await told.events()).values()) expect(times_received).toBe(1);
  });

  it('are sent again under the same id when their answer came too late', async () => {
    await world.novu.faults([{ path: BULK, kind: 'slow_body', delay_ms: NEVER_MS }]);
    const victim = await start();
    const told = await disburse(20, 1);
    await until('the service has taken them', async () => (await told.events()).size === 22);
    await victim.kill();
    const known = new Set(answered(await told.logs()).map((log) => log.notification_id));
    expect(known.size).toBeLessThan(22);
    await world.novu.faults([]);
    await join();
    await expectAllTold(told, 20, 1);
    for (const [id, { times_received }] of await told.events()) {
      expect(`${id} ${times_received}`).toBe(`${id} ${known.has(id) ? 1 : 2}`);
    }
  });

  it('reach everybody once, however often the process is killed midway', { timeout: 90_000 }, async () => {
    let victim = await start();
    const told = await disburse(MANY, ZONES);
    const known = new Map<string, number>();
    for (const after of KILLED_AFTER) {
      await until(`${after} are notified`, async () => (await told.answers()) > after);
      await victim.kill();
      const events = await told.events();
      for (const { notification_id } of answered(await told.logs())) {
        const id = String(notification_id);
        known.set(id, known.get(id) ?? events.get(id)?.times_received ?? 0);
      }
      victim = await start();
    }
    expect(known.size).toBeGreaterThan(KILLED_AFTER.at(-1) ?? 0);
    expect(known.size).toBeLessThan(MANY + 2 * ZONES);
    await expectAllTold(told, MANY, ZONES);
    // What had been answered before a process died was not sent after it.
    const events = await told.events();
    for (const [id, times] of known) expect(`${id} ${events.get(id)?.times_received}`).toBe(`${id} ${times}`);
  });

  it('reach nobody twice when two processes send them', async () => {
    await Promise.all([start(), join()]);
    const told = await disburse(600, ZONES);
    await expectAllTold(told, 600, ZONES);
    for (const { times_received } of (await told.events()).values()) expect(times_received).toBe(1);
  });
});
