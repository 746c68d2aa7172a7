import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import { stageColumns } from '../../src/db/schema/stage-columns.ts';
import { type Actor, type ActorSpec, defineActor } from '../../src/runtime/actor.ts';
import { decode, encode, type Row, view } from '../../src/runtime/codec.ts';
import { documentActor, documentMachine, orderActor, toyDocuments, toyOrders } from '../support/toy.ts';

const MAX_ATTEMPTS = { typesetting: 3, printing: 3, paper: 5 };

const statesOf = (actor: Actor, region: string) => Object.keys(actor.machine.states[region]?.states ?? {});

/** Any row that an actor's tables can hold. */
function rows(actor: Actor): fc.Arbitrary<Row> {
  const time = fc.option(fc.date({ noInvalidDate: true }));
  const columns: Record<string, fc.Arbitrary<unknown>> = { id: fc.string() };
  for (const { region, columns: of } of actor.stages) {
    columns[of.status] = fc.constantFrom(...statesOf(actor, region));
    columns[of.attempts] = fc.nat();
    columns[of.latest_error_code] = fc.option(fc.string());
    columns[of.timestamp] = time;
    columns[of.job_id] = fc.option(fc.uuid());
    columns[of.due_at] = time;
    if (of.submission !== null) columns[of.submission] = fc.nat();
    if (of.submitted_at !== null) columns[of.submitted_at] = time;
  }
  for (const [region, column] of Object.entries(actor.states)) {
    columns[column] = fc.constantFrom(...statesOf(actor, region));
  }
  for (const column of actor.facts) columns[column] = fc.oneof(fc.string(), fc.integer(), fc.constant(null));
  return fc.record(columns);
}

describe.each([documentActor, orderActor] as Actor[])('the row of an actor ($name)', (actor) => {
  it('is the same after it has been made a snapshot and a row again', () => {
    fc.assert(
      fc.property(rows(actor), (row) => {
        const { id, ...columns } = row;
        const snapshot = decode(actor, row, MAX_ATTEMPTS);
        expect(encode(actor, snapshot)).toEqual(columns);
        expect(view(snapshot).context.id).toBe(id);
      }),
    );
  });

  it('keeps its very values, so that only what a transition changes is written', () => {
    fc.assert(
      fc.property(rows(actor), (row) => {
        const again = encode(actor, decode(actor, row, MAX_ATTEMPTS));
        for (const [column, value] of Object.entries(again)) expect(value).toBe(row[column]);
      }),
    );
  });

  it('cannot be read when a status is none of its machine: table, id, column and value are named', () => {
    const statuses = [...actor.stages.map(({ columns }) => columns.status), ...Object.values(actor.states)];
    const strangers = fc.oneof(
      fc.string(),
      fc.constant(null),
      fc.constant('processed'),
      fc.constant('toString'),
    );
    fc.assert(
      fc.property(rows(actor), fc.constantFrom(...statuses), strangers, (row, column, value) => {
        fc.pre(!statesOf(actor, column.replace(/_status$/, '')).includes(String(value)));
        expect(() => decode(actor, { ...row, [column]: value }, MAX_ATTEMPTS)).toThrow(
          expect.objectContaining({
            code: 'UNKNOWN_STATE',
            message:
              `${actor.tables[0].name} ${row.id}: column ${column} holds ${JSON.stringify(value)}, which its machine ` +
              'does not know. Correct the row; the actor then goes on by itself.',
          }),
        );
      }),
    );
  });
});

describe('an actor is refused at the start', () => {
  const spec: ActorSpec<typeof documentMachine> = {
    name: 'document',
    machine: documentMachine,
    tables: [{ table: toyDocuments, id: 'id' }],
    stages: { typesetting: {}, printing: {} },
    facts: ['order_id', 'pages'],
  };
  const lamp = (config: object) => ({
    name: 'lamp',
    machine: createMachine(config),
    tables: [{ table: toyOrders, id: 'id' }] as const,
    stages: {},
    states: { light: 'delivery_status' },
  });
  const region = (on: object) => ({
    id: 'lamp',
    type: 'parallel',
    states: { light: { initial: 'ON', states: { ON: on, OFF: {} } } },
  });

  const refused: [string, () => unknown, RegExp][] = [
    ['with a fact that no table has', () => defineActor({ ...spec, facts: ['colour'] }), /no column colour/],
    [
      'without the columns of a stage',
      () => defineActor({ ...spec, tables: [{ table: bare(), id: 'id' }] }),
      /no column/,
    ],
    [
      'with a region too many',
      () => defineActor({ ...spec, stages: { ...spec.stages, binding: {} } }),
      /no region binding/,
    ],
    ['with a region too few', () => defineActor({ ...spec, stages: { typesetting: {} } }), /region printing/],
    [
      'when a stage is not one',
      () => defineActor({ ...lamp(region({})), stages: { light: {} }, states: {} }),
      /stageRegion/,
    ],
    [
      'when it is not parallel',
      () => defineActor(lamp({ id: 'lamp', initial: 'a', states: { a: {} } })),
      /not parallel/,
    ],
    ['with timers', () => defineActor(lamp(region({ after: { 100: 'OFF' } }))), /`after`.*lamp\.light\.ON/],
    [
      'with states in states',
      () => defineActor(lamp(region({ initial: 'a', states: { a: {} } }))),
      /states within/,
    ],
  ];
  it.each(refused)('%s', (_, define, message) => {
    expect(define).toThrow(
      expect.objectContaining({ code: 'BAD_ACTOR', message: expect.stringMatching(message) }),
    );
  });
});

/** A table that lacks what a stage needs. */
const bare = () => {
  const { typesetting_due_at: _, ...columns } = {
    ...stageColumns('typesetting'),
    ...stageColumns('printing'),
  };
  return pgTable('bare', { id: text().primaryKey(), order_id: text(), pages: integer(), ...columns });
};
