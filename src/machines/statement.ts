import { setup } from 'xstate';
import {
  type ActorContext,
  PROCESS_STATUS,
  type StageEvent,
  stageImplementations,
  stageRegion,
  type Timed,
} from './stage.ts';

export type StatementRegion = 'statement_process';
export type StatementEvent = StageEvent<StatementRegion> | (Timed & { readonly type: 'uploaded' });
export type StatementContext = ActorContext<StatementRegion, Record<never, never>>;

const shared = stageImplementations<StatementRegion, Record<never, never>, StatementEvent>();

const statement = setup({
  types: {} as { context: StatementContext; events: StatementEvent; input: StatementContext },
  actions: shared.actions,
  guards: shared.guards,
});

/** A bank's statement, of which a file may have several; its one region is `statement_process_status` of `account_statements`. */
export const statementMachine = statement.createMachine({
  id: 'statement',
  type: 'parallel',
  context: ({ input }) => input,
  on: {
    uploaded: {
      actions: statement.raise(({ event }) => ({
        type: 'statement_process.enable',
        at: event.at,
        dueAt: event.at,
      })),
    },
  },
  states: {
    statement_process: stageRegion('statement_process', PROCESS_STATUS, {
      releasable: false,
      onProcessed: [],
    }),
  },
});
