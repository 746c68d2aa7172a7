import type {
  BankConnector,
  BankConnectorSettings,
  Payment,
  ProgramAccount,
} from '../../src/connectors/bank/bank-connector.ts';
import {
  type BankCall,
  type BankHarness,
  type ConnectorLimits,
  type FaultyProxy,
  startFaultyProxy,
  unusedUrl,
} from '../../src/testing/index.ts';
import { readAll } from '../mt940/support.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { newId } from '../support/records.ts';

/** Makes the connector under test, or one that is deliberately wrong. */
export type Create = (settings: BankConnectorSettings) => BankConnector;

/** The sponsor bank as the contract test needs it. */
export interface ExampleBank {
  /** The harness of a connector to it. */
  harness(create: Create, offers?: Partial<BankHarness['offers']>): BankHarness;
  open(): Promise<void>;
  close(): Promise<void>;
}

const CALLS = new Map<string, BankCall>([
  ['/check_funds', 'checkFunds'],
  ['/block_funds', 'blockFunds'],
  ['/initiate_payment', 'initiatePayment'],
  ['/payment_status', 'inquirePayment'],
  ['/release_funds', 'releaseBlock'],
]);

/** The example bank's simulator behind a proxy that spoils its answers; started by `open`. */
export function exampleBank(): ExampleBank {
  let outside: Outside;
  let proxy: FaultyProxy<BankCall>;
  const connected =
    (create: Create, urlOf: () => string | Promise<string>) => async (limits: ConnectorLimits) =>
      create({
        bankCode: 'EXAMPLE-BANK',
        apiUrl: await urlOf(),
        connectTimeoutMs: limits.requestTimeoutMs,
        requestTimeoutMs: limits.requestTimeoutMs,
        responseBytesMax: 1_000_000,
        connectionsMax: 4,
        options: {},
      });
  return {
    async open() {
      outside = await openOutside();
      proxy = await startFaultyProxy(outside.bank.url, ({ path }) => CALLS.get(path) ?? null);
    },
    async close() {
      await proxy.close();
      await outside.close();
    },
    harness: (create, offers = {}) => ({
      offers: { blockIsIdempotent: true, inquirePayment: true, releaseBlock: true, ...offers },
      requestTimeoutMs: 500,
      connect: connected(create, () => proxy.url),
      connectNowhere: connected(create, unusedUrl),
      account: (balance) => openAccount(outside, balance),
      async booked({ accountNumber }) {
        const payments = await outside.bank.payments(accountNumber);
        return payments.map(({ reference, amount }) => ({ reference, amount }));
      },
      blocked: async ({ accountNumber }) => (await outside.bank.ledger(accountNumber)).blocked,
      misbehave: (call, fault) => proxy.misbehave(call, fault),
      received: (call) => proxy.received(call),
      statementEntry: (account, payment) => entryOf(outside, account, payment),
      reversalEntry: ({ paymentReferenceNumber, narratives }, reason) => ({
        bankReference: 'REF1',
        customerReference: paymentReferenceNumber.slice(0, 16),
        narrative: [...narratives.slice(0, 5), reason],
      }),
    }),
  };
}

async function openAccount({ bank }: Outside, balance: string): Promise<ProgramAccount> {
  const accountNumber = newId('ACC');
  await bank.account(accountNumber, balance);
  return { accountNumber, accountType: 'CURRENT', branchCode: 'B1', currency: 'USD' };
}

/** The entry of a payment in the statement that the bank makes now. */
async function entryOf({ bank }: Outside, { accountNumber }: ProgramAccount, payment: Payment) {
  const statements = await readAll([Buffer.from(await bank.statement(accountNumber))]);
  const line = payment.paymentReferenceNumber;
  const entry = statements
    .flatMap(({ entries }) => entries)
    .find(({ narrative }) => narrative.includes(line));
  if (!entry) throw new Error(`The statement of ${accountNumber} has no entry of ${line}.`);
  const { bankReference, customerReference, narrative } = entry;
  return { bankReference, customerReference, narrative };
}
