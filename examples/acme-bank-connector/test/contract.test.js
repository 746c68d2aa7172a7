/**
 * @import { BankCall, BankHarness, FaultyProxy, ProxiedRequest } from 'g2p-bridge-xstate/testing'
 */
import { after, before, test } from 'node:test';
import { bankConnectorContract, startFaultyProxy, unusedUrl } from 'g2p-bridge-xstate/testing';
import { createBankConnector } from '../src/index.js';
import { AcmeBank, API_KEY } from './acme-bank.js';

const bank = new AcmeBank();
/** @type {FaultyProxy<BankCall>} */
let proxy;
before(async () => {
  await bank.start();
  proxy = await startFaultyProxy(bank.url, callOf);
});
after(async () => {
  await proxy.close();
  await bank.stop();
});

/** Which call of the port a request of ours belongs to. @param {ProxiedRequest} request @returns {BankCall | null} */
function callOf({ method, path }) {
  const kind = path.split('/')[2];
  if (kind === 'accounts') return 'checkFunds';
  if (kind === 'holds') return method === 'DELETE' ? 'releaseBlock' : 'blockFunds';
  if (kind === 'batches') return method === 'POST' ? 'initiatePayment' : 'inquirePayment';
  return null;
}

/** @param {string} apiUrl @param {number} requestTimeoutMs */
function connectorTo(apiUrl, requestTimeoutMs) {
  return createBankConnector({
    bankCode: 'ACME',
    apiUrl: '',
    connectTimeoutMs: requestTimeoutMs,
    requestTimeoutMs,
    responseBytesMax: 1_000_000,
    connectionsMax: 4,
    options: { apiUrl, apiKey: API_KEY },
  });
}

/** @type {BankHarness} */
const harness = {
  offers: { blockIsIdempotent: true, inquirePayment: true, releaseBlock: true },
  // The bank is on this machine: what hangs is given up sooner than after the second that is usual.
  requestTimeoutMs: 500,
  connect: ({ requestTimeoutMs }) => connectorTo(proxy.url, requestTimeoutMs),
  connectNowhere: async ({ requestTimeoutMs }) => connectorTo(await unusedUrl(), requestTimeoutMs),
  account: (balance) => ({
    accountNumber: bank.open(balance),
    accountType: 'CURRENT',
    branchCode: null,
    currency: 'USD',
  }),
  booked: ({ accountNumber }) => bank.booked(accountNumber),
  blocked: ({ accountNumber }) => bank.held(accountNumber),
  misbehave: (call, fault) => proxy.misbehave(call, fault),
  received: (call) => proxy.received(call),
  // As the ACME bank's manual describes its statements.
  statementEntry: (_, { paymentReferenceNumber, narratives }) => ({
    bankReference: null,
    customerReference: 'NONREF',
    narrative: [narratives[0] ?? '', `/EREF/${paymentReferenceNumber}`],
  }),
  reversalEntry: ({ paymentReferenceNumber }, reason) => ({
    bankReference: null,
    customerReference: 'NONREF',
    narrative: [`/EREF/${paymentReferenceNumber}`, `/RTRN/${reason}`],
  }),
};

for (const { name, skipped, run } of bankConnectorContract(harness)) {
  test(name, { skip: skipped ?? false }, run);
}
