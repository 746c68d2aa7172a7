import { quoted } from '../../db/bulk.ts';
import type { Queryable } from '../../db/connection.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import { isSubmittedText } from './payers-work.ts';
import { type StageInfo, stageList } from './stages.ts';

/** Work of one stage that stands in ERROR with one code; what has been submitted is counted by itself. */
export interface ErrorCount {
  readonly stage: string;
  readonly code: string;
  /** Whether it has been submitted to the bank, so that its money may be out. */
  readonly submitted: boolean;
  readonly count: number;
  /** When the first of it stopped. */
  readonly since: Date;
}

/** What stands in ERROR, by stage and code, most first; read off the indexes of what is in ERROR. */
export async function errorCounts(system: ActorSystem, sql: Queryable): Promise<readonly ErrorCount[]> {
  const stages = stageList(system);
  if (stages.length === 0) return [];
  return sql.unsafe<ErrorCount[]>(
    `${stages.map(errorCountText).join(' union all ')} order by count desc`,
    [],
    {
      prepare: true,
    },
  );
}

/** Counts of one stage. States and names are written out, as in the condition of the index: parameters would keep it from being used. */
export function errorCountText(info: StageInfo): string {
  const { stage, actor, region, states } = info;
  const { columns } = region;
  const [main] = actor.tables;
  const table = actor.tables.find(({ columns: some }) => some.includes(columns.status)) ?? main;
  const [code, at] = [quoted(columns.latest_error_code), quoted(columns.timestamp)];
  const submitted = isSubmittedText(info);
  return `select '${stage}' as stage, coalesce(${code}, '') as code, ${submitted ?? 'false'} as submitted,
      count(*)::int as count, min(${at}) as since
    from ${quoted(table.name)} where ${quoted(columns.status)} = '${states.error}' 
    group by ${code}${submitted === null ? '' : `, ${submitted}`}`;
}
