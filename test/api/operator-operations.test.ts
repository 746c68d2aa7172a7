import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configuration, type Operations, operations } from '../../src/api/operator/wire/operations.ts';
import { overview } from '../../src/api/operator/wire/overview.ts';
import { isDefault } from '../../src/config/defaults.ts';
import { SETTING_NAMES } from '../../src/config/settings.ts';
import { loadConfig } from '../../src/config.ts';
import { ActorSystem } from '../../src/runtime/system.ts';
import { ACTORS } from '../../src/stages/actors.ts';
import { processReport, reportCircuits } from '../../src/telemetry/process-report.ts';
import { openOperatorApi, serveOperators, type TestOperatorApi } from '../support/operators.ts';
import { until } from '../support/wait.ts';

const MARK = 'dont-show-me';

describe('the operations of a system', () => {
  let api: TestOperatorApi;
  let isOpen = false;
  beforeAll(async () => {
    const since = new Date('2026-03-01T10:00:00Z');
    const circuits = () =>
      new Map([
        [
          'bank:EXAMPLE-BANK',
          { state: isOpen ? ('open' as const) : ('closed' as const), since, failures: 3, openings: 1 },
        ],
      ]);
    api = await openOperatorApi({
      system: { role: 'api', report: () => ({ ...processReport(circuits()) }) },
    });
  });
  afterAll(() => api.close());

  async function look(): Promise<Operations> {
    const { status, body } = await api.as('viewer').get('/operator/operations');
    expect(status, JSON.stringify(body)).toBe(200);
    return operations.parse(body);
  }

  const attention = async () =>
    overview.parse((await api.as('viewer').get('/operator/overview')).body).attention;

  it('have every stage with its ticks, the last that ran and the next to come', async () => {
    const before = await look();
    expect(before.stages).toHaveLength(12);
    expect(before.stages.every(({ last_tick: tick }) => tick === null)).toBe(true);
    expect(before.stages.filter(({ payer_only: payer }) => payer).map(({ stage }) => stage)).toEqual([
      'disburse_funds_from_bank',
    ]);
    await api.system.tickNow('mapper_resolution');
    const stage = (await look()).stages.find(({ stage: name }) => name === 'mapper_resolution');
    expect(stage?.last_tick).toMatchObject({ dispatched: 0, stale: 0 });
    const [row] = await api.database.sql<[{ now: Date }]>`select clock_timestamp() as now`;
    const next = Date.parse(stage?.next_tick_at ?? '');
    expect(next % 3_600_000).toBe(0);
    expect(Math.abs(next - row.now.getTime())).toBeLessThanOrEqual(3_600_000);
  });

  it('have the processes that live, with what they say of themselves', async () => {
    const [own] = (await look()).processes;
    expect(own).toMatchObject({ role: 'api', pid: process.pid, alive: true });
    expect(own?.report?.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(own?.report?.resident_bytes).toBeGreaterThan(1_000_000);
    expect(own?.report?.circuits).toEqual([
      {
        system: 'bank:EXAMPLE-BANK',
        state: 'closed',
        since: '2026-03-01T10:00:00.000Z',
        failures: 3,
        openings: 1,
      },
    ]);
    await api.database.sql`
      insert into actor_processes (role, host, pid, started_at, report) values ('worker', 'gone', 1, now(), '{"odd": 1}')`;
    const gone = (await look()).processes.find(({ host }) => host === 'gone');
    expect(gone).toMatchObject({ alive: false, report: null });
    expect((await attention()).map(({ kind }) => kind)).toContain('no_worker');
  });

  it('need nobody for want of a worker once there is one', async () => {
    const worker = new ActorSystem({
      database: api.database,
      actors: ACTORS,
      stages: [],
      works: false,
      role: 'worker',
    });
    await worker.start();
    try {
      expect((await attention()).map(({ kind }) => kind)).not.toContain('no_worker');
    } finally {
      await worker.stop();
    }
    await until('it is missed', async () => (await attention()).some(({ kind }) => kind === 'no_worker'));
  });

  it('show a circuit as soon as it opens and until it closes', async () => {
    const { opened, closed } = reportCircuits(api.system);
    isOpen = true;
    const view = { state: 'open' as const, since: new Date(), failures: 3, openings: 1 };
    opened('bank:EXAMPLE-BANK', view);
    await until('it is seen', async () =>
      (await attention()).some(
        ({ kind, sentence }) => kind === 'circuit_open' && sentence.includes('bank:EXAMPLE-BANK'),
      ),
    );
    isOpen = false;
    closed('bank:EXAMPLE-BANK', 1_000);
    await until('it is over', async () => !(await attention()).some(({ kind }) => kind === 'circuit_open'));
  });

  it('count the jobs of every queue, whatever there is of them', async () => {
    await api.database.sql`
      update pgboss.queue set queued_count = 5, active_count = 2, failed_count = 1 where name = 'geo_resolution_worker'`;
    const { stages } = await look();
    expect(stages.find(({ stage }) => stage === 'geo_resolution')?.queue).toEqual({
      waiting: 5,
      active: 2,
      failed: 1,
    });
  });

  it('name records that cannot be read', async () => {
    const at = new Date('2026-03-02T00:00:00Z');
    await api.database.sql`
      insert into actor_parked (machine, actor_id, reason, parked_at) values ('batch', 'B-7', 'It is LOST.', ${at})`;
    expect((await look()).parked).toEqual([
      { machine: 'batch', id: 'B-7', reason: 'It is LOST.', since: at.toISOString() },
    ]);
  });

  it('show pauses', async () => {
    await api.system.pauses.pause('mapper_resolution', { by: 'ana', reason: 'The mapper is moved' });
    const stage = (await look()).stages.find(({ stage: name }) => name === 'mapper_resolution');
    expect(stage?.paused).toMatchObject({ by: 'ana', reason: 'The mapper is moved' });
    await api.system.pauses.resume('mapper_resolution', { by: 'ana', reason: 'It has been moved' });
  });
});

describe('the configuration that operators see', () => {
  let api: TestOperatorApi;
  beforeAll(async () => {
    api = await openOperatorApi();
  });
  afterAll(() => api.close());

  it('has every setting and never a secret', async () => {
    const settings = {
      db_datasource_bridge: `postgres://bridge:${MARK}@db.example:5432/bridge?password=${MARK}`,
      db_datasource_pbms: `postgresql://pbms:${MARK}@db.example/pbms`,
      mt940_upload_token: MARK,
      novu_api_key: MARK,
      oauth_client_secret: MARK,
      celery_broker_url: `redis://:${MARK}@localhost:6379/0`,
      mapper_chunk_size: '123',
    };
    const surface = await serveOperators(api, { settings });
    try {
      const { status, body, text } = await surface.as('viewer').get('/operator/configuration');
      expect(status).toBe(200);
      expect(text).not.toContain(MARK);
      const shown = configuration.parse(body).settings;
      expect(shown.map(({ name }) => name)).toEqual(SETTING_NAMES);
      const of = (name: string) => shown.find((one) => one.name === name);
      expect(of('db_datasource_bridge')?.value).toMatch(
        /^postgresql:\/\/bridge:\*+@db\.example:5432\/bridge/,
      );
      expect(of('novu_api_key')).toMatchObject({ is_secret: true, is_default: false });
      expect(of('novu_api_key')?.value).toMatch(/^\*+$/);
      expect(of('oauth_url')).toMatchObject({ value: null, is_secret: false, is_default: true });
      expect(of('mapper_chunk_size')).toEqual({
        name: 'mapper_chunk_size',
        value: '123',
        is_secret: false,
        is_default: false,
      });
    } finally {
      await surface.close();
    }
  });

  it('knows what is as it is when nobody sets it', () => {
    const config = loadConfig({});
    expect(SETTING_NAMES.filter((name) => !isDefault(config, name))).toEqual([]);
    const changed = loadConfig({
      G2P_BRIDGE_PORT: '8123',
      G2P_BRIDGE_KNOWN_PROGRAM_MNEMONICS: 'A,B',
      G2P_BRIDGE_MAPPER_CHUNK_SIZE: '500',
      G2P_BRIDGE_BANK_FA_DECONSTRUCT_STRATEGY:
        '^(?<account_number>.*)-(?<branch_code>.*)-(?<bank_code>.*)-(?<mobile_number>.*)-(?<email_address>.*)-(?<fa_type>.*)$',
    });
    expect(SETTING_NAMES.filter((name) => !isDefault(changed, name))).toEqual([
      'port',
      'known_program_mnemonics',
      'bank_fa_deconstruct_strategy',
    ]);
  });
});
