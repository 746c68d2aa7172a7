import type { Tx } from '../../src/db/connection.ts';
import type { Outcome, Stage } from '../../src/runtime/stage.ts';
import type { ProcessOptions } from './pipeline-system.ts';

/** Counts the SQL statements of everything that stages record; to be put between them and the system. */
export function countingStatements(counter: { statements: number }): NonNullable<ProcessOptions['between']> {
  const count = <F extends object>(run: F, counts: (given: readonly unknown[]) => boolean): F =>
    new Proxy(run, {
      apply(target, self, given: unknown[]) {
        if (counts(given)) counter.statements += 1;
        return Reflect.apply(target as never, self, given);
      },
      get: (target, name) =>
        name === 'unsafe'
          ? count(Reflect.get(target, name) as object, () => true)
          : Reflect.get(target, name),
    });
  const isTemplate = ([text]: readonly unknown[]) => Array.isArray(text) && 'raw' in text;
  const ofOutcome = (outcome: Outcome): Outcome => {
    const { write } = outcome;
    return write
      ? { ...outcome, write: (tx) => write({ ...tx, sql: count<Tx>(tx.sql, isTemplate) }) }
      : outcome;
  };
  return (stages: readonly Stage[]) =>
    stages.map((stage) =>
      'perform' in stage
        ? { ...stage, perform: async (work) => ofOutcome(await stage.perform(work)) }
        : stage,
    );
}
