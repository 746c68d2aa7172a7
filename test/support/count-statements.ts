import type { Tx } from '../../src/db/connection.ts';
import type { Outcome, Stage } from '../../src/runtime/stage.ts';
import type { ProcessOptions } from './pipeline-system.ts';

/** How many SQL statements stages have recorded their outcomes with, by the record that they are about. */
export type StatementCounts = Map<string, number>;

/** Counts the SQL statements of what stages record; to be put between them and the system. */
export function countingStatements(counts: StatementCounts): NonNullable<ProcessOptions['between']> {
  const ofOutcome = (id: string, outcome: Outcome): Outcome => {
    const { write } = outcome;
    const sent = () => counts.set(id, (counts.get(id) ?? 0) + 1);
    return write ? { ...outcome, write: (tx) => write({ ...tx, sql: counted(tx.sql, sent) }) } : outcome;
  };
  return (stages: readonly Stage[]) =>
    stages.map((stage) =>
      'perform' in stage
        ? { ...stage, perform: async (work) => ofOutcome(work.id, await stage.perform(work)) }
        : stage,
    );
}

/** A template is a statement or a part of one; `unsafe` is a statement. */
function counted(sql: Tx, sent: () => void): Tx {
  const unsafe: Tx['unsafe'] = (...given) => {
    sent();
    return sql.unsafe(...given);
  };
  return new Proxy(sql, {
    apply(target, self, given: unknown[]) {
      if (Array.isArray(given[0]) && 'raw' in given[0]) sent();
      return Reflect.apply(target, self, given);
    },
    get: (target, name) => (name === 'unsafe' ? unsafe : Reflect.get(target, name)),
  });
}
