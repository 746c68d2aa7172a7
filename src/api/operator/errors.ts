import { z } from 'zod';
import { quoted } from '../../db/bulk.ts';
import type { Tx } from '../../db/connection.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { endpoint } from './endpoint.ts';
import { atOneMoment } from './one-moment.ts';
import { isSubmittedText } from './payers-work.ts';
import { type StageInfo, stageList, stageNamed } from './stages.ts';
import { PAYER_CODES } from './wire/actions.ts';
import { line } from './wire/common.ts';
import {
  type ErrorItems,
  type Errors,
  errorItems,
  errorItemsQuery,
  errors,
  errorsQuery,
} from './wire/errors.ts';

/** Codes of one stage that are listed at most. */
const CODES_MAX = 100;
/** Latest entries of an actor among which the sentence of its error is looked for. */
const ENTRIES_READ_MAX = 1_000;

/** `GET /operator/errors`: what stands in ERROR, by stage and code, in the order of the pipeline. */
export const readErrors = endpoint({
  method: 'GET',
  path: '/operator/errors',
  summary: 'What stands in ERROR, by stage and code',
  role: 'viewer',
  query: errorsQuery,
  answer: errors,
  handle({ system, database }, { query: { envelope } }): Promise<Errors> {
    return atOneMoment(database, async (sql) => {
      const groups: Errors['groups'] = [];
      for (const info of stageList(system)) {
        if (envelope !== undefined && !belongsToEnvelopes(info)) continue;
        groups.push(...(await groupsOf(sql, info, envelope)));
      }
      return { groups };
    });
  },
});

/** `GET /operator/errors/{stage}/{code}`: the records that stand there, the latest first. */
export const readErrorItems = endpoint({
  method: 'GET',
  path: '/operator/errors/{stage}/{code}',
  summary: 'The records that stand in ERROR at one stage with one code',
  role: 'viewer',
  params: z.object({ stage: line(100).min(1), code: line(200).min(1) }),
  query: errorItemsQuery as z.ZodType<z.output<typeof errorItemsQuery>>,
  answer: errorItems,
  refusals: { STAGE_UNKNOWN: 404, CURSOR_INVALID: 400 },
  handle({ system, database }, { params: { stage, code }, query }): Promise<ErrorItems> {
    const info = stageNamed(system, stage);
    const before = decodeCursor(query.cursor, ['moment', 'text']);
    if (query.envelope !== undefined && !belongsToEnvelopes(info))
      return Promise.resolve({ items: [], next_cursor: null });
    return atOneMoment(database, async (sql) => {
      const rows = await itemsOf(sql, info, { ...query, code, before });
      const items = rows.slice(0, query.limit);
      const last = rows.length > query.limit ? items.at(-1) : undefined;
      return {
        items: items.map(({ id, at, attempts, envelope, message }) => ({
          machine: info.actor.name,
          id,
          envelope,
          at: at.toISOString(),
          attempts,
          message,
        })),
        next_cursor: last ? encodeCursor([last.at.toISOString(), last.id]) : null,
      };
    });
  },
});

/** A statement is of an account, not of an envelope. */
const belongsToEnvelopes = ({ actor }: StageInfo): boolean => actor.name !== 'statement';

interface Group {
  readonly code: string;
  readonly count: number;
  readonly first_at: Date;
  readonly last_at: Date;
  /** Whether money of some of them may be out. */
  readonly submitted: boolean;
}

async function groupsOf(sql: Tx, info: StageInfo, envelope: string | undefined): Promise<Errors['groups']> {
  const { from, code, timestamp, where, values } = textsOf(info, envelope);
  // From code to code by the index, and each counted on it: twice as quick as grouping where very many stand there.
  const submitted = `bool_or(${isSubmittedText(info) ?? 'false'})`;
  const next = (beyond: string) =>
    `select ${code} from ${from} where ${where} ${beyond} order by ${code} limit 1`;
  const rows = await sql.unsafe<Group[]>(
    `with recursive codes (code, n) as (
       (select code, 1 from (${next('')}) first (code))
       union all
       select (${next(`and ${code} > codes.code`)}), n + 1 from codes where codes.code is not null and n < ${CODES_MAX})
     select codes.code, counted.* from codes, lateral (
       select count(*)::int as count, min(${timestamp}) as first_at, max(${timestamp}) as last_at,
         ${submitted} as submitted
       from ${from} where ${where} and ${code} = codes.code) counted
     where codes.code is not null order by count desc, code`,
    values,
  );
  const groups: Errors['groups'] = [];
  for (const { code: one, count, first_at, last_at, submitted: isOut } of rows) {
    const [latest] = await itemsOf(sql, info, { code: one, envelope, limit: 0, before: null });
    groups.push({
      stage: info.stage,
      title: info.title,
      machine: info.actor.name,
      region: info.region.region,
      code: one,
      count,
      first_at: first_at.toISOString(),
      last_at: last_at.toISOString(),
      message: latest?.message ?? null,
      ...actionsOn(info, one, isOut),
    });
  }
  return groups;
}

/**
 * What an operator can do about an error, and what of it only a payer.
 *
 * @param isOut whether money of one of those that have it may be out
 */
function actionsOn(
  { actor, region, states }: StageInfo,
  code: string,
  isOut: boolean,
): Pick<Errors['groups'][number], 'actions' | 'payer_only'> {
  const state = actor.machine.states[region.region]?.states[states.error];
  const actions = (['retry', 'release'] as const).filter((action) =>
    state?.transitions.has(`${region.region}.${action}`),
  );
  const isPayers = isOut || PAYER_CODES.includes(code);
  return { actions, payer_only: actions.filter((action) => action === 'release' || isPayers) };
}

interface Item {
  readonly id: string;
  readonly at: Date;
  readonly attempts: number;
  readonly envelope: string | null;
  readonly message: string | null;
}

/** One more than the limit, to see whether there are more. */
async function itemsOf(
  sql: Tx,
  info: StageInfo,
  asked: {
    readonly code: string;
    readonly envelope?: string | undefined;
    readonly limit: number;
    readonly before: readonly [string, string] | null;
  },
): Promise<Item[]> {
  const { from, id, code, timestamp, attempts, correlation, where, values } = textsOf(info, asked.envelope);
  const parameter = (value: string | number) => `$${values.push(value)}`;
  const after = asked.before
    ? `and (${timestamp}, ${id}) < (${parameter(asked.before[0])}::timestamptz, ${parameter(asked.before[1])})`
    : '';
  return sql.unsafe<Item[]>(
    `with these as materialized (
       select ${id} as id, ${timestamp} as at, ${attempts} as attempts, ${correlation} as envelope from ${from}
       where ${where} and ${code} = ${parameter(asked.code)} ${after}
       order by ${timestamp} desc, ${id} desc limit ${parameter(asked.limit + 1)})
     select these.*, (
       select error_message from (
         select region, error_code, error_message from actor_transitions j
         where j.machine = ${parameter(info.actor.name)} and j.actor_id = these.id
         order by seq desc limit ${ENTRIES_READ_MAX}) latest
       where region = ${parameter(info.region.region)} and error_code = ${parameter(asked.code)}
         and error_message is not null limit 1) as message
     from these order by at desc, id desc`,
    values,
  );
}

/** Of the table that has a stage's columns, the parts of queries that its partial indexes answer. */
function textsOf({ actor, region, states }: StageInfo, envelope: string | undefined) {
  const [main] = actor.tables;
  const table = actor.tables.find(({ columns }) => columns.includes(region.columns.status)) ?? main;
  // Further tables hold the rest of the same row, under the same id.
  const envelopeId = quoted(table === main ? actor.correlation : table.id);
  const values: (string | number)[] = [];
  const ofEnvelope = envelope === undefined ? '' : ` and ${envelopeId} = $${values.push(envelope)}`;
  const timestamp = quoted(region.columns.timestamp);
  return {
    from: quoted(table.name),
    id: quoted(table.id),
    code: quoted(region.columns.latest_error_code),
    timestamp,
    attempts: quoted(region.columns.attempts),
    correlation: actor.name === 'statement' ? 'null' : envelopeId,
    // The state is a word of the machine, written as the indexes have it. Its way into ERROR left a code and a time.
    where:
      `${quoted(region.columns.status)} = '${states.error}' and ${quoted(region.columns.latest_error_code)} is not null ` +
      `and ${timestamp} is not null${ofEnvelope}`,
    values,
  };
}
