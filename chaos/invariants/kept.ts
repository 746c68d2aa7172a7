import { quoted } from '../../src/db/bulk.ts';
import type { Sql } from '../../src/db/connection.ts';
import { compareDecimals } from '../../src/decimal.ts';
import type { Actor } from '../../src/runtime/actor.ts';
import { ACTORS } from '../../src/stages/actors.ts';
import { keptSums, sumsOfTables } from './kept-sums.ts';
import { type Finding, invariant } from './with-database.ts';

/** Sums and counts that are kept so that nobody has to add them up are what adding them up gives. */
export const keptSumsAreRight = invariant(
  'Sums and counts that are kept are those of the rows.',
  async function* (sql) {
    yield* money(sql);
    yield* receipts(sql);
    yield* allocations(sql);
    for (const actor of ACTORS) yield* states(sql, actor);
  },
);

async function* money(sql: Sql): AsyncGenerator<Finding> {
  const expected = new Map((await sumsOfTables(sql)).map((sums) => [sums.id, sums]));
  for (const kept of await keptSums(sql)) {
    const sums = expected.get(kept.id);
    if (!sums) continue;
    for (const name of ['shipped', 'reconciled', 'reversed'] as const) {
      if (compareDecimals(kept[name], sums[name]) === 0) continue;
      yield { found: `Envelope ${kept.id} keeps ${kept[name]} as ${name}; its rows come to ${sums[name]}.` };
    }
  }
}

async function* receipts(sql: Sql): AsyncGenerator<Finding> {
  const rows = await sql<{ id: string; kept: string; summed: string }[]>`
    select c.disbursement_envelope_id as id,
      c.number_of_disbursements_received || ' of ' || trim_scale(c.total_disbursement_quantity_received) as kept,
      coalesce(d.n, 0) || ' of ' || trim_scale(coalesce(d.quantity, 0)) as summed
    from envelope_control c
    left join (
      select disbursement_envelope_id as id, count(*) as n, sum(disbursement_quantity) as quantity
      from disbursements where cancellation_status = 'NOT_CANCELLED' group by 1
    ) d on d.id = c.disbursement_envelope_id
    where c.number_of_disbursements_received <> coalesce(d.n, 0)
      or c.total_disbursement_quantity_received <> coalesce(d.quantity, 0)`;
  for (const { id, kept, summed } of rows) {
    yield { found: `Envelope ${id} keeps ${kept} as received; its rows come to ${summed}.` };
  }
}

/** What each warehouse and agency has been given of an envelope. */
async function* allocations(sql: Sql): AsyncGenerator<Finding> {
  for (const kind of ['warehouse', 'agency']) {
    const rows = await sql<{ id: string; to: string; kept: string; summed: string }[]>`
      select coalesce(a.id, g.id) as id, coalesce(a.to, g.to) as to,
        trim_scale(coalesce(a.quantity, 0))::text as kept, trim_scale(coalesce(g.quantity, 0))::text as summed
      from (
        select disbursement_envelope_id as id, allocated_to as to, allocated_quantity as quantity
        from envelope_allocations where kind = ${kind}
      ) a
      full join (
        select disbursement_envelope_id as id, ${sql(`${kind}_id`)} as to, sum(total_quantity) as quantity
        from disbursement_batch_control_geo where ${sql(`${kind}_id`)} is not null group by 1, 2
      ) g on g.id = a.id and g.to = a.to
      where coalesce(a.quantity, 0) <> coalesce(g.quantity, 0)`;
    for (const { id, to, kept, summed } of rows) {
      yield { found: `Envelope ${id} keeps ${kept} for ${kind} ${to}; its rows come to ${summed}.` };
    }
  }
}

/** How many actors of each correlation, and of all, are in which state; initial states are not counted. */
async function* states(sql: Sql, actor: Actor): AsyncGenerator<Finding> {
  const regions = [
    ...actor.stages.map(({ region, columns }) => [region, columns.status] as const),
    ...Object.entries(actor.states),
  ];
  for (const [region, column] of regions) {
    const table = actor.tables.find(({ columns }) => columns.includes(column)) ?? actor.tables[0];
    const correlation = table === actor.tables[0] ? actor.correlation : table.id;
    const initial = String(actor.machine.states[region]?.config.initial);
    const rows = await sql.unsafe<{ of: string; state: string; kept: string; counted: string }[]>(
      `with counted as (
         select ${quoted(correlation)} as of, ${quoted(column)} as state, count(*) as n
         from ${quoted(table.name)} where ${quoted(column)} <> $3 group by 1, 2
       ), per as (
         select coalesce(k.of, c.of) as of, coalesce(k.state, c.state) as state, coalesce(k.n, 0) as kept,
           coalesce(c.n, 0) as counted
         from (
           select correlation_id as of, state, count as n from actor_counts where machine = $1 and region = $2
         ) k full join counted c on c.of = k.of and c.state = k.state
       ), total as (
         select 'all' as of, coalesce(k.state, c.state) as state, coalesce(k.n, 0) as kept, coalesce(c.n, 0) as counted
         from (select state, count as n from actor_totals where machine = $1 and region = $2) k
         full join (select state, sum(n) as n from counted group by 1) c on c.state = k.state
       )
       select * from per where kept <> counted union all select * from total where kept <> counted limit 20`,
      [actor.name, region, initial],
    );
    for (const { of, state, kept, counted } of rows) {
      const found = `${actor.name}.${region} ${state} of ${of}: ${kept} are kept, ${counted} are there.`;
      yield { found };
    }
  }
}
