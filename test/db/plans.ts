import { connect } from '../../src/db/connection.ts';

/** A node of a plan that was carried out, as PostgreSQL describes it. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** What a statement read of one table, at one place of its plan. */
export interface Read {
  readonly statement: string;
  readonly table: string;
  /** `Seq Scan`, `Index Scan` … */
  readonly how: string;
  /** Rows looked at in all, whether or not they were wanted. */
  readonly rows: number;
}

/** How much larger the planner takes tables to be than they are. */
const LARGER = 20;

/**
 * Has PostgreSQL tell everybody who connects to a database from now on how it carried out each statement. It plans as if
 * to read a table from end to end cost as much as if it were twenty times as large.
 */
export async function tellPlans(url: string): Promise<void> {
  const database = connect(url, { max: 1 });
  const name = new URL(url).pathname.slice(1);
  const settings = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_format': 'json',
    'auto_explain.log_level': 'notice',
    seq_page_cost: String(LARGER),
  };
  for (const [setting, value] of Object.entries(settings))
    await database.sql.unsafe(`alter database ${name} set ${setting} = '${value}'`);
  await database.close();
}

/** What a statement read of tables, by a message that tells its plan; nothing for all other messages. */
export function readsOf(message: string): readonly Read[] {
  const plan = /^duration: .*? plan:\n(.*)$/s.exec(message)?.[1];
  if (plan === undefined) return [];
  const { 'Query Text': text, Plan: root } = JSON.parse(plan) as { 'Query Text': string; Plan: PlanNode };
  return scans(root).map((node) => ({
    statement: text.replaceAll(/\s+/g, ' ').trim(),
    table: node['Relation Name'] ?? node['Index Name'] ?? '',
    how: node['Node Type'],
    rows:
      (node['Actual Rows'] +
        (node['Rows Removed by Filter'] ?? 0) +
        (node['Rows Removed by Index Recheck'] ?? 0)) *
      node['Actual Loops'],
  }));
}

function scans(node: PlanNode): readonly PlanNode[] {
  const below = (node.Plans ?? []).flatMap(scans);
  return node['Node Type'].endsWith('Scan') ? [node, ...below] : below;
}
