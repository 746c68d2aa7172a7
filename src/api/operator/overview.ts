import type { Tx } from '../../db/connection.ts';
import { attentionOf } from './attention.ts';
import type { OperatorContext } from './context.ts';
import { endpoint } from './endpoint.ts';
import {
  blockedQuantity,
  type EnvelopeStateOnWire,
  envelopeStateOf,
  envelopeTables,
} from './envelope-rows.ts';
import { missingView } from './missing.ts';
import { atOneMoment } from './one-moment.ts';
import { MINUTE_MS, minuteOf, stageOverviews } from './stage-overview.ts';
import { stageList } from './stages.ts';
import { type Overview, overview, type Throughput, throughput, throughputQuery } from './wire/overview.ts';

/** `GET /operator/overview`: the whole pipeline at one moment. */
export const overviewEndpoint = endpoint({
  method: 'GET',
  path: '/operator/overview',
  summary: 'The pipeline at one moment: its stages, money, envelopes, and what needs a person',
  role: 'viewer',
  answer: overview,
  handle: (context) => atOneMoment(context.database, (tx) => overviewOf(context, tx)),
});

async function overviewOf(context: OperatorContext, tx: Tx): Promise<Overview> {
  const now = context.clock.now();
  const { seq, stages } = await stageOverviews(context.system, tx, now);
  return {
    as_of: now.toISOString(),
    seq,
    stages: [...stages],
    money: await moneyOf(tx),
    envelopes: await envelopesByState(tx),
    attention: await attentionOf(context, tx, { now, stages, missing: missingView(context) }),
  };
}

/** The cash of all envelopes that stand, unit by unit. A statement may come before the bank's answer to the payments. */
async function moneyOf(tx: Tx): Promise<Overview['money']> {
  return tx<Overview['money']>`
    select e.measurement_unit,
      sum(e.total_disbursement_quantity) as declared,
      sum(r.total_disbursement_quantity_received) as received,
      sum(${blockedQuantity(tx)}) as blocked,
      sum(b.quantity_shipped) as shipped,
      sum(b.quantity_reconciled) as reconciled,
      sum(b.quantity_reversed) as reversed,
      sum(greatest(b.quantity_shipped - b.quantity_reconciled, 0)) as in_flight
    from ${envelopeTables(tx)}
    where e.cancellation_status <> 'Cancelled' and e.benefit_type in ('CASH_DIGITAL', 'CASH_PHYSICAL')
    group by e.measurement_unit order by e.measurement_unit`;
}

async function envelopesByState(tx: Tx): Promise<Overview['envelopes']> {
  const rows = await tx<{ state: EnvelopeStateOnWire; count: number }[]>`
    select state, count(*)::int as count
    from (select ${envelopeStateOf(tx)} as state from ${envelopeTables(tx)}) states group by state`;
  const none = { receiving: 0, under_way: 0, needs_attention: 0, complete: 0, cancelled: 0 };
  return { ...none, ...Object.fromEntries(rows.map(({ state, count }) => [state, count])) };
}

/** `GET /operator/throughput`: what each stage has done, minute by minute. */
export const throughputEndpoint = endpoint({
  method: 'GET',
  path: '/operator/throughput',
  summary: 'What each stage has done, minute by minute',
  role: 'viewer',
  query: throughputQuery,
  answer: throughput,
  async handle({ system, database: { sql }, clock }, { query: { minutes } }) {
    const now = clock.now();
    const from = new Date(minuteOf(now).getTime() - (minutes - 1) * MINUTE_MS);
    const regions = stageList(system).map(({ stage, actor, region: { region }, states }) => {
      return { stage, machine: actor.name, region, processed: states.processed, error: states.error };
    });
    // Two days are a hundred thousand counts, so what is left of them is put together where they are.
    const rows = await sql<Throughput['stages']>`
      with points as (
        select s.stage, to_char(f.minute at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as minute,
          coalesce(sum(f.count) filter (where f.state = s.processed), 0) as processed,
          coalesce(sum(f.count) filter (where f.state = s.error), 0) as errors
        from actor_flow f
        join json_to_recordset(${JSON.stringify(regions)}::json)
          as s(stage text, machine text, region text, processed text, error text)
          on s.machine = f.machine and s.region = f.region and f.state in (s.processed, s.error)
        where f.minute >= ${from}
        group by s.stage, f.minute
      )
      select stage, json_agg(json_build_object('minute', minute, 'processed', processed, 'errors', errors) order by minute)
        as points
      from points group by stage`;
    const points = new Map(rows.map((row) => [row.stage, row.points]));
    const stages = regions.map(({ stage }) => ({ stage, points: points.get(stage) ?? [] }));
    return { from: from.toISOString(), to: now.toISOString(), stages };
  },
});
