import { Session } from 'node:inspector/promises';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, it } from 'vitest';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { startPipelineChild } from '../support/pipeline-child.ts';
import { until } from '../support/wait.ts';

const N = Number(process.env.N ?? 10000);
const CHILD = process.env.CHILD !== '0';
let outside: Outside;
let world: InKindPipeline;
beforeAll(async () => {
  outside = await openOutside();
  world = await openInKind(outside, { delayMs: 20, processes: 0 });
});
afterAll(async () => {
  await world.close();
  await outside.close();
});

it('measures', { timeout: 300_000 }, async () => {
  await world.pipeline.join({ works: !CHILD });
  if (CHILD) await startPipelineChild(world.pipeline.url, world.pipeline.settings);
  const zones = world.zones.smallZones;
  const wanted = Array.from({ length: N }, (_, n) => ({ quantity: '1', zone: zones[n % zones.length] ?? null }));
  const { sql } = world.pipeline.database;
  const { envelope, batches } = await world.disburse('COMMODITY', [wanted]);
  const q = async () => {
    const rows = await sql<{ s: string; n: number }[]>`select beneficiary_notification_status s, count(*)::int n from disbursement_resolution_geo_address group by 1`;
    return Object.fromEntries(rows.map(({ s, n }) => [s, n]));
  };
  const begun = Date.now();
  const session = new Session(); session.connect();
  await session.post('Profiler.enable'); await session.post('Profiler.setSamplingInterval', { interval: 500 }); await session.post('Profiler.start');
  const samples = new Map<string, number>(); let nsamples = 0; let sampling = process.env.SAMPLE === '1';
  const sampler = (async () => { while (sampling) { nsamples++;
    for (const r of await sql`select state, application_name a, coalesce(wait_event_type || ':' || wait_event, 'cpu') w, left(regexp_replace(query, '\\s+', ' ', 'g'), 110) q from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state in ('active', 'idle in transaction')`)
      { const k = `${r.state} | ${r.a} | ${r.w} | ${r.q}`; samples.set(k, (samples.get(k) ?? 0) + 1); }
    await new Promise((r) => setTimeout(r, 15)); } })();
  const cpu0 = process.cpuUsage(); const pg0 = pgCpu();
  let last = 0;
  await until('all', async () => {
    const c = await q();
    if (Date.now() - last > 2000) {
      last = Date.now();
      const mail = await sql`select count(*)::int n from actor_messages`;
      const jobs = await sql`select state, count(*)::int n from pgboss.job where name = 'beneficiary_notification_worker' group by 1`;
      console.log(Date.now() - begun, JSON.stringify(c), 'mail', mail[0]?.n, JSON.stringify(jobs));
    }
    await new Promise((r) => setTimeout(r, 500));
    return (c.PROCESSED ?? 0) >= N;
  }, 280_000);
  sampling = false; await sampler;
  for (const [k, v] of [...samples].sort((a, b) => b[1] - a[1]).slice(0, 45)) console.log('SAMPLE', v, '/', nsamples, k);
  const cpu = process.cpuUsage(cpu0); const pg1 = pgCpu();
  console.log('wall', Date.now() - begun, 'node cpu ms', (cpu.user + cpu.system) / 1000);
  for (const [k, v] of Object.entries(pg1)) { const d = v.ms - (pg0[k]?.ms ?? 0); if (d > 50) console.log('pg', k, d, v.name); }
  const { profile } = await session.post('Profiler.stop'); writeFileSync('/tmp/measure/p.cpuprofile', JSON.stringify(profile));
  const times = await sql`
    select region, event, count(*)::int, min(at), max(at), extract(epoch from max(at) - min(at)) as s
    from actor_transitions where correlation_id = ${envelope.id} or machine <> 'x' group by 1, 2 order by 4, 5`;
  for (const row of times) console.log(row.region, row.event, row.count, row.min?.toISOString(), row.max?.toISOString(), row.s);
  console.log(await world.novu.count(), 'bulk', await world.novu.requests('/v1/events/trigger/bulk'), 'single', await world.novu.requests('/v1/events/trigger'));
  const st = await sql`select * from pg_stat_statements limit 1`.catch(() => null);
  console.log(st, batches.length);
});

function pgCpu(): Record<string, { ms: number; name: string }> {
  const out: Record<string, { ms: number; name: string }> = {};
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const cmd = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (!cmd.includes(world.pipeline.url.split('/').at(-1) as string) && !cmd.includes('simulators/novu') ) continue;
      const st = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      out[pid] = { ms: (Number(st[11]) + Number(st[12])) * 10, name: cmd.slice(0, 80) };
    } catch {}
  }
  return out;
}
