import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type {
  BankConnector,
  PaymentInquiry,
  PaymentOutcome,
} from '../../src/connectors/bank/bank-connector.ts';
import { Circuit, type CircuitSystem } from '../../src/connectors/circuit/circuit.ts';
import { Circuits } from '../../src/connectors/circuit/circuits.ts';
import { guardBank } from '../../src/connectors/circuit/guard-bank.ts';
import { guardNotifier } from '../../src/connectors/circuit/guard-notifier.ts';
import { bankSystem, MAPPER, NOTIFICATION } from '../../src/connectors/circuit/systems.ts';
import { CircuitOpenError, ConnectorError, OutageError } from '../../src/connectors/connector-error.ts';
import type { NotificationAnswer } from '../../src/connectors/notification/notification-connector.ts';
import { gate } from '../support/wait.ts';

const PAUSE_MS = 10_000;
const SETTINGS = { failureThreshold: 3, pauseMs: PAUSE_MS, pauseMaxMs: 35_000 };
const START = Date.parse('2026-03-01T08:00:00Z');

const down = new ConnectorError('MAPPER_UNREACHABLE', 'Nobody is there.');
const ctx = () => ({ signal: new AbortController().signal });
const at = (ms: number) => new Date(START + ms);

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: START }));
afterEach(() => void vi.useRealTimers());

function watched(system: CircuitSystem = MAPPER) {
  const heard: unknown[] = [];
  const circuit = new Circuit(system, SETTINGS, {
    opened: (name, { failures }) => heard.push(['opened', name, failures]),
    closed: (name, openMs) => heard.push(['closed', name, openMs]),
  });
  let calls = 0;
  const call = async (ends: unknown = 'fine', context = ctx()) => {
    const made = circuit.call(context, async () => {
      calls += 1;
      if (ends instanceof Error) throw ends;
      return ends;
    });
    return made.catch((error: unknown) => error);
  };
  const fail = async (times: number) => {
    for (let n = 0; n < times; n += 1) await call(down);
  };
  return { circuit, heard, call, fail, calls: () => calls };
}

describe('a circuit', () => {
  it('lets calls pass and gives back what they give', async () => {
    const { circuit, call } = watched();
    expect(await call('answer')).toBe('answer');
    expect(circuit.view()).toEqual({ state: 'closed', since: at(0), failures: 0, openings: 0 });
  });

  it("goes by the time that it is given, and on when the machine's clock is set back meanwhile", async () => {
    let now = START;
    const silent = { opened: () => {}, closed: () => {} };
    const circuit = new Circuit(MAPPER, SETTINGS, silent, () => now);
    const call = (perform: () => Promise<string>) =>
      circuit.call(ctx(), perform).catch((error: unknown) => error);
    for (let n = 0; n < SETTINGS.failureThreshold; n += 1) await call(() => Promise.reject(down));
    vi.setSystemTime(at(-6 * 3_600_000));
    now += PAUSE_MS - 1;
    expect(await call(async () => 'fine')).toMatchObject({ notBefore: at(PAUSE_MS) });
    now += 1_002;
    expect(await call(async () => 'fine')).toBe('fine');
    expect(circuit.view()).toMatchObject({ state: 'closed', failures: 0 });
  });

  it('opens after failures in a row, and then sends nothing', async () => {
    const { circuit, heard, call, fail, calls } = watched();
    await fail(2);
    expect(circuit.view()).toMatchObject({ state: 'closed', failures: 2 });
    await fail(1);
    expect(circuit.view()).toEqual({ state: 'open', since: at(0), failures: 3, openings: 1 });
    expect(heard).toEqual([['opened', 'mapper', 3]]);
    vi.setSystemTime(at(PAUSE_MS - 1));
    const held = await call();
    expect(calls()).toBe(3);
    expect(held).toBeInstanceOf(CircuitOpenError);
    expect(held).toMatchObject({
      name: 'ConnectorError',
      code: 'MAPPER_CIRCUIT_OPEN',
      retryable: true,
      notBefore: at(PAUSE_MS),
      message:
        'The mapper has been out of order since 2026-03-01T08:00:00.000Z, so nothing was sent; ' +
        'the next call is let through at 2026-03-01T08:00:10.000Z.',
    });
    expect(() => circuit.requireNotPaused()).toThrow(CircuitOpenError);
  });

  it('does not open while answers come in between, be they refusals', async () => {
    const { circuit, call, fail } = watched();
    const refusals = [
      'fine',
      new ConnectorError('MAPPER_REFUSED', 'No.'),
      new ConnectorError('rjct.filter.invalid', 'No.'),
      new ConnectorError('PBMS_QUERY_FAILED', 'There is no such table.', false),
      new ConnectorError('BANK_ERROR', 'Never again.', false),
    ];
    for (const refusal of refusals) {
      await fail(2);
      expect(await call(refusal)).toBe(refusal);
      expect(circuit.view()).toMatchObject({ state: 'closed', failures: 0 });
    }
  });

  it.each([
    'BANK_TIMEOUT',
    'BANK_CONNECTION_LOST',
    'MAPPER_ERROR',
    'MAPPER_BAD_ANSWER',
    'PBMS_UNAVAILABLE',
    'KEYMANAGER_UNREACHABLE',
    'OAUTH_TIMEOUT',
  ])('counts %s, also of another copy of the error class', async (code) => {
    const { circuit, call } = watched();
    const foreign = Object.assign(new Error('Away.'), { name: 'ConnectorError', code, retryable: true });
    for (let n = 0; n < 3; n += 1) await call(foreign);
    expect(circuit.view().state).toBe('open');
  });

  it('counts neither way what was not asked, what we broke off ourselves, and faults of our own', async () => {
    const { circuit, call, fail } = watched();
    await fail(2);
    const aborted = { signal: AbortSignal.abort() };
    for (const nothing of [
      new ConnectorError('MAPPER_BAD_REQUEST', 'Twice the same.', false),
      new ConnectorError('MAPPER_CALL_ABORTED', 'Stopping.'),
      new TypeError('x is not a function'),
    ]) {
      expect(await call(nothing)).toBe(nothing);
    }
    expect(await call(down, aborted)).toBe(down);
    expect(circuit.view()).toMatchObject({ state: 'closed', failures: 2 });
    await fail(1);
    expect(circuit.view().state).toBe('open');
  });

  it('sends one probe after the pause, while others wait for what comes of it', async () => {
    const { circuit, heard, call, fail, calls } = watched();
    await fail(3);
    vi.setSystemTime(at(PAUSE_MS));
    const answer = gate<string>();
    const probe = circuit.call(ctx(), () => answer.opened);
    expect(circuit.view().state).toBe('half_open');
    expect(() => circuit.requireNotPaused()).not.toThrow();
    const others = [call('second'), call('third')];
    expect(calls()).toBe(3);
    answer.open('first');
    expect(await Promise.all([probe, ...others])).toEqual(['first', 'second', 'third']);
    expect(circuit.view()).toEqual({ state: 'closed', since: at(PAUSE_MS), failures: 0, openings: 1 });
    expect(heard.at(-1)).toEqual(['closed', 'mapper', PAUSE_MS]);
  });

  it('holds back those who waited when the probe fails', async () => {
    const { circuit, call, fail, calls } = watched();
    await fail(3);
    vi.setSystemTime(at(PAUSE_MS));
    const answer = gate();
    const probe = circuit.call(ctx(), () => answer.opened.then(() => Promise.reject(down)));
    const other = call();
    answer.open();
    await expect(probe).rejects.toMatchObject({ code: 'MAPPER_UNREACHABLE', notBefore: at(3 * PAUSE_MS) });
    expect(await other).toMatchObject({ code: 'MAPPER_CIRCUIT_OPEN', notBefore: at(3 * PAUSE_MS) });
    expect(calls()).toBe(3);
  });

  it('does not keep those waiting whose work is taken back', async () => {
    const { circuit, call, fail } = watched();
    await fail(3);
    vi.setSystemTime(at(PAUSE_MS));
    const answer = gate();
    const probe = circuit.call(ctx(), () => answer.opened);
    const stop = new AbortController();
    const other = call('sent', stop);
    stop.abort();
    expect(await other).toMatchObject({ code: 'MAPPER_CALL_ABORTED' });
    answer.open();
    await probe;
  });

  it('pauses twice as long after each probe that fails, up to a bound, and shortly again after an answer', async () => {
    const { circuit, heard, call, fail } = watched();
    await fail(3);
    let now = 0;
    for (const pause of [10_000, 20_000, 35_000, 35_000]) {
      vi.setSystemTime(at(now + pause - 1));
      expect(await call()).toMatchObject({ code: 'MAPPER_CIRCUIT_OPEN', notBefore: at(now + pause) });
      now += pause;
      vi.setSystemTime(at(now));
      await fail(1);
      expect(circuit.view()).toEqual({
        state: 'open',
        since: at(0),
        failures: 3 + heard.length,
        openings: 1,
      });
      heard.push('probed');
    }
    vi.setSystemTime(at(now + 35_000));
    expect(await call()).toBe('fine');
    await fail(3);
    expect(await call()).toMatchObject({ notBefore: at(now + 35_000 + PAUSE_MS) });
    expect(circuit.view().openings).toBe(2);
  });

  it('learns nothing from a probe that was broken off: the next one comes after the same pause', async () => {
    const { circuit, call, fail } = watched();
    await fail(3);
    vi.setSystemTime(at(PAUSE_MS));
    expect(await call(down, { signal: AbortSignal.abort() })).toBe(down);
    expect(circuit.view()).toMatchObject({ state: 'open', failures: 3 });
    expect(await call()).toMatchObject({ notBefore: at(2 * PAUSE_MS) });
  });

  it('says when to ask again after an outage, unless the system answers others', async () => {
    const { call, fail } = watched();
    const first = await call(down);
    expect(first).toBeInstanceOf(OutageError);
    expect(first).toMatchObject({ code: 'MAPPER_UNREACHABLE', message: 'Nobody is there.', cause: down });
    expect(first).toMatchObject({ notBefore: at(PAUSE_MS) });
    await call('fine');
    expect(await call(down)).toMatchObject({ notBefore: null });
    vi.setSystemTime(at(PAUSE_MS));
    expect(await call(down)).toMatchObject({ notBefore: at(2 * PAUSE_MS) });
    await fail(1);
    vi.setSystemTime(at(PAUSE_MS + 5_000));
    expect(await call(down)).toMatchObject({ code: 'MAPPER_CIRCUIT_OPEN', notBefore: at(2 * PAUSE_MS) });
  });
});

describe('the circuits of a process', () => {
  it('are one for each system, known by name', async () => {
    const circuits = new Circuits(SETTINGS);
    const opened: string[] = [];
    circuits.observe({ opened: (system) => opened.push(system), closed: () => {} });
    const one = circuits.of(bankSystem('ONE'));
    expect(circuits.of(bankSystem('ONE'))).toBe(one);
    circuits.of(MAPPER);
    for (let n = 0; n < 3; n += 1) await one?.call(ctx(), () => Promise.reject(down)).catch(() => {});
    expect([...circuits.views()].map(([name, { state }]) => [name, state])).toEqual([
      ['bank:ONE', 'open'],
      ['mapper', 'closed'],
    ]);
    expect(opened).toEqual(['bank:ONE']);
  });

  it('are none when the threshold is 0', () => {
    const circuits = new Circuits({ ...SETTINGS, failureThreshold: 0 });
    expect(circuits.of(MAPPER)).toBeNull();
    expect(circuits.views().size).toBe(0);
  });
});

describe('a guarded bank', () => {
  let outcome: PaymentOutcome;
  let inquiry: PaymentInquiry;
  let sent: number;
  const bank: BankConnector = {
    blockIsIdempotent: true,
    checkFunds: async () => ({ available: false }),
    blockFunds: async () => ({ outcome: 'unknown', message: 'HTTP 503.' }),
    initiatePayment: async () => {
      sent += 1;
      return outcome;
    },
    inquirePayment: async () => inquiry,
    reconciliationId: () => 'D-1',
    reversalReason: () => 'closed account',
  };
  const guarded = () => guardBank(bank, new Circuits(SETTINGS).of(bankSystem('B')));
  const pay = (one: BankConnector) => one.initiatePayment({ idempotencyKey: 'k', payments: [] }, ctx());
  beforeEach(() => {
    outcome = { outcome: 'unknown', message: 'The connection was cut.' };
    inquiry = { status: 'unavailable', message: 'HTTP 503.' };
    sent = 0;
  });

  it('counts outcomes that are unknown and inquiries without an answer, and tells when to ask again', async () => {
    const one = guarded();
    expect(await pay(one)).toEqual({ ...outcome, notBefore: at(PAUSE_MS) });
    expect(await one.inquirePayment?.('k', ctx())).toEqual({ ...inquiry, notBefore: at(PAUSE_MS) });
    await one.blockFunds({} as never, ctx());
    await expect(pay(one)).rejects.toMatchObject({ code: 'BANK_CIRCUIT_OPEN', notBefore: at(PAUSE_MS) });
    expect(sent).toBe(1);
  });

  it('holds an inquiry back as unavailable, never as an error that says that nothing left', async () => {
    const one = guarded();
    for (let n = 0; n < 3; n += 1) await pay(one);
    inquiry = { status: 'never_seen' };
    expect(await one.inquirePayment?.('k', ctx())).toMatchObject({
      status: 'unavailable',
      message: expect.stringContaining('The sponsor bank B has been out of order since'),
      notBefore: at(PAUSE_MS),
    });
  });

  it('leaves answers, refusals and what is no call as they are', async () => {
    const one = guarded();
    for (let n = 0; n < 5; n += 1) {
      outcome = { outcome: 'refused', code: 'BANK_REFUSED', message: 'No.' };
      expect(await pay(one)).toBe(outcome);
      expect(await one.checkFunds({} as never, ctx())).toEqual({ available: false });
    }
    expect(one.blockIsIdempotent).toBe(true);
    expect(one.reconciliationId({} as never)).toBe('D-1');
    expect(one.releaseBlock).toBeUndefined();
    const { inquirePayment: _, ...mute } = bank;
    expect(guardBank(mute, new Circuits(SETTINGS).of(bankSystem('B'))).inquirePayment).toBeUndefined();
  });

  it('does not count what we broke off ourselves', async () => {
    const circuits = new Circuits(SETTINGS);
    const one = guardBank(bank, circuits.of(bankSystem('B')));
    const aborted = { signal: AbortSignal.abort() };
    for (let n = 0; n < 5; n += 1) {
      expect(await one.initiatePayment({ idempotencyKey: 'k', payments: [] }, aborted)).toBe(outcome);
    }
    expect(circuits.views().get('bank:B')).toMatchObject({ state: 'closed', failures: 0 });
  });
});

describe('a guarded notification service', () => {
  const failed = (notificationId: string, code: string): NotificationAnswer => ({
    notificationId,
    outcome: 'failed',
    code,
    message: 'It failed.',
    retryable: true,
    response: null,
  });
  const notifications = ['a', 'b'].map((notificationId) => ({ notificationId }) as never);

  async function stateAfter(answers: readonly NotificationAnswer[], times = 3) {
    const circuits = new Circuits(SETTINGS);
    const circuit = circuits.of(NOTIFICATION);
    const one = guardNotifier({ bulkMax: 2, send: async () => answers }, circuit);
    const last = [];
    for (let n = 0; n < times; n += 1) last.push(await one.send(notifications, ctx()));
    return { state: circuit?.view().state, last: last.at(-1), one };
  }

  it('is out of order when it answers about none of a list', async () => {
    const away = ['a', 'b'].map((id) => failed(id, 'NOTIFICATION_SERVICE_UNAVAILABLE'));
    const { state, last, one } = await stateAfter(away);
    expect(state).toBe('open');
    expect(last).toEqual(away.map((answer) => ({ ...answer, notBefore: at(PAUSE_MS) })));
    expect(() => one.requireNotPaused()).toThrow('The notification service has been out of order since');
    await expect(one.send(notifications, ctx())).rejects.toMatchObject({ code: 'NOTIFICATION_CIRCUIT_OPEN' });
    expect(await one.send([], ctx())).toEqual(away);
  });

  it('is in order when it has processed or refused one, or limits the rate', async () => {
    const away = failed('a', 'NOTIFICATION_SERVICE_UNAVAILABLE');
    for (const other of [
      { notificationId: 'b', outcome: 'processed', response: '' } as const,
      failed('b', 'NOTIFICATION_NOT_PROCESSED'),
      failed('b', 'NOTIFICATION_RATE_LIMITED'),
    ]) {
      const { state, last } = await stateAfter([away, other]);
      expect(state).toBe('closed');
      expect(last).toEqual([away, other]);
    }
  });
});
