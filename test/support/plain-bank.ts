import { randomUUID } from 'node:crypto';
import type { BankConnector, BankConnectorSettings } from '../../src/connectors/bank/bank-connector.ts';
import { createBankConnector as createExampleBank } from '../../src/connectors/bank/example-bank.ts';

/** The setting under which a deployment would name this connector. */
export const PLAIN_BANK = {
  bank_code: 'PLAIN-BANK',
  bank_connectors_impls: JSON.stringify({ 'PLAIN-BANK': new URL(import.meta.url).pathname }),
};

/**
 * The connector of a deployment to a bank without idempotency keys that can neither be asked about payments nor told to
 * give a block back: whatever is sent twice is done twice.
 */
export function createBankConnector(settings: BankConnectorSettings): BankConnector {
  const { inquirePayment: _, releaseBlock: __, ...bank } = createExampleBank(settings);
  const unrecognised = () => ({ idempotencyKey: randomUUID() });
  return {
    ...bank,
    blockIsIdempotent: false,
    blockFunds: (request, ctx) => bank.blockFunds({ ...request, ...unrecognised() }, ctx),
    initiatePayment: (request, ctx) => bank.initiatePayment({ ...request, ...unrecognised() }, ctx),
  };
}
