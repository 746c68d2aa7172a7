import { describe, expect, it } from 'vitest';
import { setup } from 'xstate';
import { type StatementEvent, statementMachine } from '../../src/machines/statement.ts';
import { statementRecord } from './records.ts';
import { type MachineRules, processStatus } from './table.ts';
import { beginnings, Coverage, stageEvents, transitionsOf, walkEverywhere } from './walks.ts';

const rules: MachineRules = {
  regions: { statement_process: processStatus() },
  maxAttempts: 3,
  onEvent: (world, { type, at }) => ({
    world,
    raised: type === 'uploaded' ? [{ type: 'statement_process.enable', at, dueAt: at }] : [],
  }),
  onProcessed: (world) => ({ world }),
};

describe('a statement', () => {
  it('does in every state what the table says, and every transition is walked', () => {
    const coverage = new Coverage(statementMachine);
    walkEverywhere(
      {
        machine: statementMachine,
        input: statementRecord(),
        events: (snapshot, at): StatementEvent[] => [
          { type: 'uploaded', at },
          ...beginnings('statement_process', at),
          ...stageEvents(snapshot, 'statement_process', at),
        ],
        rules,
      },
      coverage,
    );
    expect(coverage.missed()).toEqual([]);
    expect(coverage.states).toBeGreaterThan(10);
  });
});

describe('the walks', () => {
  it('report every transition that they do not take, each guarded alternative on its own', () => {
    const machine = setup({
      types: {} as { events: { type: 'go' } | { type: 'stop' } },
      guards: { never: () => false },
    }).createMachine({
      id: 'm',
      type: 'parallel',
      on: { stop: {} },
      states: {
        lamp: {
          initial: 'OFF',
          states: {
            OFF: { on: { go: [{ guard: 'never', target: 'ON' }, { target: 'ON' }] } },
            ON: { always: { guard: 'never', target: 'OFF' } },
          },
        },
      },
    });
    const coverage = new Coverage(machine);
    expect(transitionsOf(machine)).toHaveLength(4);
    const [, , second] = transitionsOf(machine);
    coverage.take('second', () => (second ? [second.definition] : []));
    expect(coverage.missed()).toEqual([
      'm -(stop 1/1)->',
      'm.lamp.OFF -(go 1/2)->',
      'm.lamp.ON -(always 1/1)->',
    ]);
  });
});
