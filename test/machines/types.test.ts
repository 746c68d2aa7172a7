import { describe, expect, expectTypeOf, it } from 'vitest';
import { type EventFromLogic, initialTransition, transition } from 'xstate';
import { type BatchEvent, batchMachine } from '../../src/machines/batch.ts';
import type { BeneficiaryEvent, beneficiaryMachine } from '../../src/machines/beneficiary.ts';
import type { EnvelopeEvent, envelopeMachine } from '../../src/machines/envelope.ts';
import type { GeoEvent, geoMachine } from '../../src/machines/geo.ts';
import { PROCESS_STATUS, type StageEvent, stageRegion } from '../../src/machines/stage.ts';
import type { StatementEvent, statementMachine } from '../../src/machines/statement.ts';
import { batchRecord, later, newBatch, newEnvelope, START, step } from './records.ts';

/**
 * What must not compile. The compiler checks this file: a line that becomes valid makes its `@ts-expect-error` an
 * error. What the machines do with such events, should one come from outside the compiler's reach, is checked as well.
 */

const at = START;
const retryAt = later(at);

describe('the types of events', () => {
  it('come out of the machines as they went in', () => {
    expectTypeOf<EventFromLogic<typeof batchMachine>>().toEqualTypeOf<BatchEvent>();
    expectTypeOf<EventFromLogic<typeof envelopeMachine>>().toEqualTypeOf<EnvelopeEvent>();
    expectTypeOf<EventFromLogic<typeof statementMachine>>().toEqualTypeOf<StatementEvent>();
    expectTypeOf<EventFromLogic<typeof geoMachine>>().toEqualTypeOf<GeoEvent>();
    expectTypeOf<EventFromLogic<typeof beneficiaryMachine>>().toEqualTypeOf<BeneficiaryEvent>();
  });

  it('have one event for each region and kind, and none of another region', () => {
    type Kinds<R extends string> = StageEvent<R>['type'];
    expectTypeOf<Kinds<'a' | 'b'>>().toEqualTypeOf<Kinds<'a'> | Kinds<'b'>>();
    expectTypeOf<Extract<BatchEvent, { type: 'funds_blocked.due' }>>().toBeNever();
    expectTypeOf<
      Extract<EnvelopeEvent, { type: 'funds_blocked.succeeded' }>['reference']
    >().toEqualTypeOf<string>();
  });

  it('know no misspelt event, no other machine’s, and no region that is not there', () => {
    const batch = newBatch('CASH_DIGITAL');
    // @ts-expect-error a misspelt event
    expect(step(batchMachine, batch, { type: 'fa_resolution.suceeded', at, job: 'j' }).snapshot).toBe(batch);
    // @ts-expect-error an event of the envelope
    expect(step(batchMachine, batch, { type: 'batch_ready', at, batch: 'b' }).snapshot).toBe(batch);
    // @ts-expect-error a region of the envelope
    expect(step(batchMachine, batch, { type: 'funds_blocked.dispatch', at, job: 'j' }).snapshot).toBe(batch);
    // @ts-expect-error a region without its event
    expect(transition(batchMachine, batch, { type: 'fa_resolution', at })[0]).toBe(batch);
  });

  it('know no event without its time or its fields', () => {
    const send = (..._: readonly (BatchEvent | EnvelopeEvent | StatementEvent | GeoEvent)[]) => {};
    // @ts-expect-error when?
    send({ type: 'received' });
    // @ts-expect-error at which job?
    send({ type: 'fa_resolution.dispatch', at });
    // @ts-expect-error times are dates
    send({ type: 'fa_resolution.dispatch', at: '2026-03-01', job: 'j' });
    // @ts-expect-error from when?
    send({ type: 'geo_resolution.enable', at });
    // @ts-expect-error a permission has a time
    send({ type: 'sponsor_bank_dispatch.due', at, dueAt: null });
    // @ts-expect-error with which code?
    send({ type: 'statement_process.failed', at, job: 'j', retryAt });
    // @ts-expect-error when again?
    send({ type: 'statement_process.stale', at });
    // @ts-expect-error under which reference?
    send({ type: 'funds_blocked.succeeded', at, job: 'j' });
    // @ts-expect-error is anybody to be notified?
    send({ type: 'agency_allocation.succeeded', at, job: 'j' });
    // @ts-expect-error and again?
    send({ type: 'allocated', at });
    // @ts-expect-error which batch?
    send({ type: 'batch_ready', at });
    // @ts-expect-error amounts are exact texts
    send({ type: 'batch_received', at, count: 1, quantity: 0.1 });
    // @ts-expect-error how many?
    send({ type: 'shipped', at });
    // @ts-expect-error amounts are exact texts
    send({ type: 'reconciled', at, count: 1, quantity: 0.1 });
    // @ts-expect-error from when anew?
    send({ type: 'geo_resolution.restart', at });
    // @ts-expect-error postponed until when?
    send({ type: 'fa_resolution.postponed', at, job: 'j', code: 'C' });
    // @ts-expect-error to which totals?
    send({ type: 'amend', at, funds_due_from: at });
    // @ts-expect-error how many, and of how much?
    send({ type: 'disbursements_cancelled', at, count: '1' });
    // @ts-expect-error there is no such field
    send({ type: 'fa_resolution.succeeded', at, job: 'j', code: 'X' });
    send(
      { type: 'sponsor_bank_dispatch.refused', at, job: 'j', code: 'ACCOUNT_CLOSED', retryAt, final: true },
      { type: 'funds_blocked.succeeded', at, job: 'j', reference: 'B' },
    );
  });
});

describe('the types of records', () => {
  it('know no status that their machine does not', () => {
    const envelope = newEnvelope();
    expect(envelope.matches({ funds_blocked: 'NOT_APPLICABLE' })).toBe(true);
    // @ts-expect-error a status of another region
    expect(envelope.matches({ funds_blocked: 'FUNDS_AVAILABLE' })).toBe(false);
    // @ts-expect-error ProcessStatus is not a status of funds
    expect(envelope.matches({ funds_available: 'PENDING' })).toBe(false);
    // @ts-expect-error and the other way round
    expect(newBatch('SERVICE').matches({ fa_resolution: 'PENDING_CHECK' })).toBe(false);
  });

  it('need every column and know no other benefit type', () => {
    const record = batchRecord('SERVICE');
    const { stages: _, ...incomplete } = record;
    // @ts-expect-error the stages are missing
    const make = () => initialTransition(batchMachine, incomplete);
    expect(make).not.toThrow();
    // @ts-expect-error no such benefit type
    expect(batchRecord('CASH').facts.benefit_type).toBe('CASH');
  });

  it('let a region be built only of all its words', () => {
    const { askAgain: _, ...words } = PROCESS_STATUS;
    // @ts-expect-error one word is missing
    const build = () => stageRegion('r', words, { releasable: false, onProcessed: [] });
    expect(Object.keys(build().states)).toContain('PENDING');
  });
});
