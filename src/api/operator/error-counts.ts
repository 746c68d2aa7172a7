import { quoted } from '../../db/bulk.ts';
import type { Queryable } from '../../db/connection.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import { type StageInfo, stageList } from './stages.ts';

/** Work of one stage that stands in ERROR with one code. */
export interface ErrorCount {
  readonly stage: string;
  readonly code: string;
  readonly count: number;
  /** When the first of it stopped. */
  readonly since: Date;
}

/** What stands in ERROR, by stage and code, most first; read off the indexes of what is in ERROR. */
export async function errorCounts(system: ActorSystem, sql: Queryable): Promise<readonly ErrorCount[]> {
  const stages = stageList(system);
  if (stages.length === 0) return [];
  return sql.unsafe<ErrorCount[]>(`${stages.map(errorCountOf).join(' union all ')} order by count desc`, [], {
    prepare: true,
  });
}

/** States and names are written out, as in the condition of the index: parameters would keep it from being used. */
function errorCountOf({ stage, actor, region: { columns }, states }: StageInfo): string {
  const [main] = actor.tables;
  const table = actor.tables.find(({ columns: some }) => some.includes(columns.status)) ?? main;
  const [code, at] = [quoted(columns.latest_error_code), quoted(columns.timestamp)];
  return `select '${stage}' as stage, coalesce(${code}, '') as code, count(*)::int as count, min(${at}) as since
    from ${quoted(table.name)} where ${quoted(columns.status)} = '${states.error}' group by ${code}`;
}
