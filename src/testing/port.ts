import type { CallContext } from '../connectors/call-context.ts';
import type { Awaitable, ConnectorLimits } from './bank/harness.ts';
import {
  type ContractCheck,
  contractCheck,
  type Ended,
  endOf,
  type Judge,
  type Rule,
  said,
} from './check.ts';
import { requireConnectorError } from './connector-fault.ts';
import { HTTP_FAULT_NAMES, HTTP_FAULTS, type HttpFault } from './http-fault.ts';

const REQUEST_TIMEOUT_MS = 1_000;
const PATIENT_MS = 30_000;
const GRACE_MS = 2_000;
const ABORT_MS = 500;
/** Time for a request to leave before it is aborted, where nobody can tell when it has, in milliseconds. */
const LEAVE_MS = 50;

/** A connector of any port. */
export interface Closeable {
  close?(): Promise<void>;
}

/** What the contract test of a port needs besides what is particular to the port. */
export interface PortHarness<C extends Closeable> {
  /** What connectors are given as their time-out, in milliseconds; 1,000 unless told otherwise. */
  readonly requestTimeoutMs?: number;
  /** Makes a connector to the system. The check that asked for it closes it. */
  connect(limits: ConnectorLimits): Awaitable<C>;
  /** Makes a connector to an address where nobody listens; `unusedUrl` gives one. */
  connectNowhere?(limits: ConnectorLimits): Awaitable<C>;
  /** Makes the system misbehave in all requests from now on; null: no longer. `startFaultyProxy` can. */
  misbehave?(fault: HttpFault | null): Awaitable<void>;
  /** The faults that {@link misbehave} can do; all unless told otherwise. */
  readonly faults?: readonly HttpFault[];
}

/** A rule with what its check needs of the harness. */
export interface PortRule extends Rule {
  readonly fault?: HttpFault;
  readonly nowhere?: boolean;
  readonly requestTimeoutMs?: number;
}

/** A connector for the time of one check. */
export interface PortTrial<C> {
  readonly connector: C;
  readonly judge: Judge;
  /** Makes a call and waits for its end; fails when it hangs. */
  ended<T>(call: (ctx: CallContext) => Promise<T>, signal?: AbortSignal): Promise<Ended<T>>;
  /** Makes a call that is to succeed. */
  value<T>(call: (ctx: CallContext) => Promise<T>): Promise<T>;
}

/**
 * Makes a check that connects, sets the fault of its rule in the moment that `body` asks for, always lifts it and closes
 * the connector.
 *
 * @param missing what else the harness lacks for this check, if anything
 */
export function portCheck<C extends Closeable>(
  harness: PortHarness<C>,
  rule: PortRule,
  body: (trial: PortTrial<C>) => Promise<void>,
  missing: string | null = null,
): ContractCheck {
  return contractCheck(rule, missing ?? missingFor(harness, rule), async (judge) => {
    const limits = {
      requestTimeoutMs: rule.requestTimeoutMs ?? harness.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    };
    const connector = await (rule.nowhere ? harness.connectNowhere?.(limits) : harness.connect(limits));
    if (!connector) throw new Error('The harness made no connector.');
    const trial = trialOf(connector, judge, limits.requestTimeoutMs + GRACE_MS);
    try {
      await body(trial);
    } finally {
      if (rule.fault) await harness.misbehave?.(null);
      await endOf(async () => connector.close?.(), GRACE_MS);
    }
  });
}

function missingFor<C extends Closeable>(
  harness: PortHarness<C>,
  { fault, nowhere }: PortRule,
): string | null {
  if (nowhere && !harness.connectNowhere) return 'the harness has no connectNowhere()';
  if (fault === undefined) return null;
  if (!harness.misbehave) return 'the harness has no misbehave()';
  const faults = harness.faults ?? HTTP_FAULT_NAMES;
  return faults.includes(fault) ? null : `the harness cannot do the fault ${fault}`;
}

function trialOf<C>(connector: C, judge: Judge, boundMs: number): PortTrial<C> {
  const ended: PortTrial<C>['ended'] = async (call, signal = new AbortController().signal) => {
    const end = await endOf(() => call({ signal }), boundMs);
    return end.kind === 'hung' ? judge.fail(`the call had not ended after ${boundMs} ms`) : end;
  };
  return {
    connector,
    judge,
    ended,
    async value(call) {
      const end = await ended(call);
      return end.kind === 'returned' ? end.value : judge.fail(said(end));
    },
  };
}

/** A call of a port that only asks, and what its checks are called by. */
export interface AskingCall<C> {
  /** The interface and its method. */
  readonly port: string;
  readonly method: string;
  /** Makes a call that would be answered, had the system no fault. */
  readonly ask: () => Awaitable<(connector: C, ctx: CallContext) => Promise<unknown>>;
}

/** What holds for every call that only asks: no answer is a ConnectorError, in time, and never a result. */
export function askingChecks<C extends Closeable>(
  harness: PortHarness<C>,
  { port, method, ask }: AskingCall<C>,
): readonly ContractCheck[] {
  const rule = {
    where: `${port}.${method}`,
    rule: `${method} throws a ConnectorError when there is no complete answer, within its time-out.`,
    remedy: 'Throw a ConnectorError with a stable code; leave trying again to the pipeline.',
  };
  const expected = 'there was no answer';
  const withSignal = (signal: AbortSignal, name: string, id: string) =>
    portCheck(harness, { ...rule, id: `${method}.${id}`, name }, async (trial) => {
      const call = await ask();
      const ended = await trial.ended((ctx) => call(trial.connector, ctx), signal);
      requireConnectorError(trial.judge, ended, 'the call was aborted before it began');
    });
  return [
    ...HTTP_FAULT_NAMES.map((fault) =>
      portCheck(
        harness,
        {
          ...rule,
          id: `${method}.${fault}`,
          name: `${method} is a fault when ${HTTP_FAULTS[fault].meaning}`,
          fault,
        },
        async (trial) => {
          const call = await ask();
          await harness.misbehave?.(fault);
          requireConnectorError(
            trial.judge,
            await trial.ended((ctx) => call(trial.connector, ctx)),
            expected,
          );
        },
      ),
    ),
    portCheck(
      harness,
      {
        ...rule,
        id: `${method}.unreachable`,
        name: `${method} is a fault that may be repeated when nobody listens at the address`,
        nowhere: true,
      },
      async (trial) => {
        const call = await ask();
        const ended = await trial.ended((ctx) => call(trial.connector, ctx));
        requireConnectorError(trial.judge, ended, expected, [], true);
      },
    ),
    withSignal(AbortSignal.abort(), `${method} does not begin when its signal is aborted`, 'aborted_before'),
    portCheck(
      harness,
      {
        ...rule,
        id: `${method}.aborted`,
        name: `${method} ends soon after its signal is aborted`,
        rule: 'A call ends soon after ctx.signal is aborted, whatever the other side does.',
        remedy: 'Hand ctx.signal on, together with the time-out: AbortSignal.any([…]).',
        fault: 'hang',
        requestTimeoutMs: PATIENT_MS,
      },
      async (trial) => {
        const call = await ask();
        await harness.misbehave?.('hang');
        const signal = AbortSignal.timeout(LEAVE_MS);
        const ended = await endOf(() => call(trial.connector, { signal }), LEAVE_MS + ABORT_MS);
        if (ended.kind === 'hung') trial.judge.fail(`the call had not ended ${ABORT_MS} ms after the abort`);
        requireConnectorError(trial.judge, ended, 'the call was aborted');
      },
    ),
  ];
}
