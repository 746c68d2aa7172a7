import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BankConnector, PaymentRequest } from '../../src/connectors/bank/bank-connector.ts';
import { createBankConnector } from '../../src/connectors/bank/example-bank.ts';
import type { CallContext } from '../../src/connectors/call-context.ts';
import { ConnectorError } from '../../src/connectors/connector-error.ts';
import {
  bankConnectorContract,
  HTTP_FAULT_NAMES,
  type HttpFault,
  runContract,
} from '../../src/testing/index.ts';
import { type Create, exampleBank } from './example-bank-harness.ts';

const TIMEOUT_MS = 800;
/** Where no connector keeps to it. */
const SHORT_TIMEOUT_MS = 100;

const { harness, open, close } = exampleBank();
beforeAll(open);
afterAll(close);

/** A connector that is right but for some methods. */
type Lie = (honest: BankConnector) => Partial<BankConnector>;

const lying =
  (lie: Lie): Create =>
  (settings) => {
    const honest = createBankConnector(settings);
    return { ...honest, ...lie(honest) };
  };

/** What the honest connector calls unknown is told by another name. */
const insteadOfUnknown =
  (told: (message: string, request: PaymentRequest, ctx: CallContext) => unknown): Lie =>
  (honest) => ({
    async initiatePayment(request, ctx) {
      const outcome = await honest.initiatePayment(request, ctx);
      if (outcome.outcome !== 'unknown') return outcome;
      return ((await told(outcome.message, request, ctx)) ?? outcome) as typeof outcome;
    },
  });

/** The faults that a connector must wait for; one test of its own has them. */
const SLOW: readonly HttpFault[] = ['hang', 'trickle'];
const QUICK = HTTP_FAULT_NAMES.filter((fault) => !SLOW.includes(fault));

/** The checks of a call's faults. */
const all = (call: string, faults: readonly HttpFault[] = QUICK) => faults.map((fault) => `${call}.${fault}`);

/** What breaks money, and the checks that must fail: these and no others. */
const LIES: readonly (readonly [string, Lie, readonly string[]])[] = [
  ['nothing', () => ({}), []],
  [
    'sends payments again by itself',
    (honest) => insteadOfUnknown((_, request, ctx) => honest.initiatePayment(request, ctx))(honest),
    [...all('initiatePayment'), 'initiatePayment.aborted'],
  ],
  [
    'says accepted on a server error',
    insteadOfUnknown((message) => (message.includes('HTTP 500') ? { outcome: 'accepted' } : null)),
    all('initiatePayment', ['error_before', 'error_after']),
  ],
  [
    'says refused when a page came instead of an answer',
    insteadOfUnknown((message) =>
      message.includes('agreed form') ? { outcome: 'refused', code: 'X', message } : null,
    ),
    all('initiatePayment', ['garbage', 'not_found']),
  ],
  [
    'throws after sending',
    insteadOfUnknown((message) => {
      throw new ConnectorError('BANK_TIMEOUT', message);
    }),
    [...all('initiatePayment'), 'initiatePayment.aborted'],
  ],
  [
    'counts cents in binary floats',
    (honest) => ({
      initiatePayment: (request, ctx) => {
        const payments = request.payments.map((one) => {
          const { paymentAmount: amount } = one;
          return { ...one, paymentAmount: /^\d+\.\d\d$/.test(amount) ? throughCents(amount) : amount };
        });
        return honest.initiatePayment({ ...request, payments }, ctx);
      },
    }),
    ['initiatePayment.exact'],
  ],
  [
    'ignores the signal',
    (honest) => ({
      initiatePayment: (request) => honest.initiatePayment(request, { signal: new AbortController().signal }),
    }),
    ['initiatePayment.aborted_before', 'initiatePayment.aborted'],
  ],
  [
    'sends what is no amount',
    (honest) => ({
      initiatePayment: (request, ctx) => {
        const payments = request.payments.map((one) => ({
          ...one,
          paymentAmount: /^[\d.]+$/.test(one.paymentAmount) ? one.paymentAmount : '1',
        }));
        return honest.initiatePayment({ ...request, payments }, ctx);
      },
    }),
    ['initiatePayment.no_amount'],
  ],
  [
    'calls a repeated key refused',
    (honest) => {
      const seen = new Set<string>();
      return {
        initiatePayment: async (request, ctx) => {
          if (seen.has(request.idempotencyKey))
            return { outcome: 'refused', code: 'DUPLICATE', message: 'The key was used before.' };
          seen.add(request.idempotencyKey);
          return honest.initiatePayment(request, ctx);
        },
      };
    },
    ['initiatePayment.same_key'],
  ],
  [
    'names the account in a refusal',
    (honest) => ({
      initiatePayment: async (request, ctx) => {
        const outcome = await honest.initiatePayment(request, ctx);
        if (outcome.outcome !== 'refused') return outcome;
        return { ...outcome, message: `${request.payments[0]?.remittingAccount} is short of funds.` };
      },
    }),
    ['initiatePayment.refused'],
  ],
  [
    'says unknown when nobody listens',
    (honest) => ({
      initiatePayment: (request, ctx) =>
        honest.initiatePayment(request, ctx).catch((error) => {
          if (error.code !== 'BANK_UNREACHABLE') throw error;
          return { outcome: 'unknown', message: error.message };
        }),
    }),
    ['initiatePayment.unreachable'],
  ],
  [
    'blocks under a new key each time',
    (honest) => ({
      blockFunds: (request, ctx) => honest.blockFunds({ ...request, idempotencyKey: randomUUID() }, ctx),
    }),
    ['blockFunds.same_key', 'blockFunds.recovered'],
  ],
  [
    'takes the page of a gateway for a key that was never seen',
    (honest) => ({
      inquirePayment: async (key, ctx) => {
        const inquiry = await honest.inquirePayment?.(key, ctx);
        if (inquiry?.status === 'unavailable' && inquiry.message.includes('404'))
          return { status: 'never_seen' };
        return inquiry ?? { status: 'never_seen' };
      },
    }),
    ['inquirePayment.not_found'],
  ],
  [
    'lists some of the payments that were taken',
    (honest) => ({
      inquirePayment: async (key, ctx) => {
        const inquiry = await honest.inquirePayment?.(key, ctx);
        if (inquiry?.status !== 'accepted') return inquiry ?? { status: 'never_seen' };
        return { ...inquiry, paymentReferences: inquiry.paymentReferences?.slice(1) ?? null };
      },
    }),
    ['inquirePayment.accepted', 'inquirePayment.after_drop_after', 'inquirePayment.after_error_after'],
  ],
  [
    'says that there are no funds when the bank is not there',
    (honest) => ({
      checkFunds: (request, ctx) => honest.checkFunds(request, ctx).catch(() => ({ available: false })),
    }),
    all('checkFunds'),
  ],
  [
    'takes a block for released when the bank has not said so',
    (honest) => ({
      releaseBlock: (request, ctx) => honest.releaseBlock?.(request, ctx).catch(() => {}) ?? never(),
    }),
    all('releaseBlock'),
  ],
  [
    'reads the id from sixteen characters, and fails where there is no text',
    (honest) => ({
      reconciliationId: (entry) => entry.customerReference as string,
      reversalReason: (entry) => honest.reversalReason(entry),
    }),
    ['reconciliationId.found', 'reversalReason.found', 'statements.pure'],
  ],
];

/** The checks that a lie is tried on: those of the methods that it changes, all when it changes none. */
function methodsOf(lie: Lie): readonly string[] {
  const honest = createBankConnector({
    bankCode: 'EXAMPLE-BANK',
    apiUrl: 'http://127.0.0.1:1',
    connectTimeoutMs: 1,
    requestTimeoutMs: 1,
    responseBytesMax: 1,
    connectionsMax: 1,
    options: {},
  });
  const changed = Object.keys(lie(honest));
  if (changed.length === 0) return [''];
  return changed.includes('reconciliationId') ? [...changed, 'statements'] : changed;
}

function throughCents(amount: string): string {
  return (Math.trunc(Number(amount) * 100) / 100).toFixed(2);
}

function never(): never {
  throw new Error('There is nothing to lie about.');
}

describe('the contract test catches a connector that', () => {
  test.each(LIES)('%s', { timeout: 60_000 }, async (_, lie, expected) => {
    const checks = bankConnectorContract({ ...harness(lying(lie)), requestTimeoutMs: TIMEOUT_MS });
    const about = methodsOf(lie);
    const quick = checks.filter(
      ({ id }) =>
        about.some((method) => id.startsWith(method)) && !SLOW.some((fault) => id.endsWith(`.${fault}`)),
    );
    const failed = (await runContract(quick)).filter(({ outcome }) => outcome === 'failed');
    expect(failed.map(({ id }) => id).sort()).toEqual([...expected].sort());
  });

  test('has no time-out', { timeout: 60_000 }, async () => {
    const patient: Create = (settings) => {
      const bank = createBankConnector({ ...settings, requestTimeoutMs: 60_000 });
      // Closing would wait for what hangs, which the proxy cuts in the end.
      return { ...bank, close: async () => {} };
    };
    const checks = bankConnectorContract({ ...harness(patient), requestTimeoutMs: SHORT_TIMEOUT_MS });
    const payments = checks.filter(({ id }) => id.startsWith('initiatePayment.'));
    const failed = (await runContract(payments)).filter(({ outcome }) => outcome === 'failed');
    expect(failed.map(({ id }) => id)).toEqual(all('initiatePayment', SLOW));
    expect(failed[0]?.reason).toContain('the call had not ended after');
  });
});

test('a broken rule says what was seen, where it stands and what to do', async () => {
  const generous = lying(insteadOfUnknown(() => ({ outcome: 'accepted' })));
  const check = bankConnectorContract(harness(generous)).find(
    ({ id }) => id === 'initiatePayment.error_before',
  );
  await expect(check?.run()).rejects.toMatchObject({
    name: 'ContractViolation',
    code: 'CONTRACT_VIOLATED',
    message:
      'initiatePayment is unknown whenever the bank may have acted and has not clearly said so, and is sent once.\n' +
      '  seen:  the call returned {"outcome":"accepted"}, where the outcome is unknown\n' +
      '  rule:  BankConnector.initiatePayment, and the three outcomes at BankConnector\n' +
      '  to do: Return { outcome: "unknown", message } for all but a decision of the bank; never throw or repeat after sending.',
  });
});
