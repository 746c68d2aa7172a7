import type { BankConnector, PaymentInquiry } from '../bank/bank-connector.ts';
import { CircuitOpenError } from '../connector-error.ts';
import type { Circuit, Reading } from './circuit.ts';

/** A call that moves money and whose outcome is unknown had no answer, or one that no working bank gives. */
const money = <T extends { readonly outcome: string }>(): Reading<T> => ({
  isOutage: ({ outcome }) => outcome === 'unknown',
  postponed: (answer, notBefore) => ({ ...answer, notBefore }),
});

const INQUIRY: Reading<PaymentInquiry> = {
  isOutage: ({ status }) => status === 'unavailable',
  postponed: (inquiry, notBefore) => (inquiry.status === 'unavailable' ? { ...inquiry, notBefore } : inquiry),
};

/**
 * A bank connector whose calls pause while the bank is out of order.
 *
 * What moves money is held back by a CircuitOpenError, so by the port's contract it surely did not leave; an inquiry is
 * `unavailable` then, as the port has it.
 */
export function guardBank(bank: BankConnector, circuit: Circuit | null): BankConnector {
  if (!circuit) return bank;
  const { blockIsIdempotent } = bank;
  const inquire = bank.inquirePayment?.bind(bank);
  const release = bank.releaseBlock?.bind(bank);
  return {
    blockIsIdempotent,
    checkFunds: (request, ctx) => circuit.call(ctx, () => bank.checkFunds(request, ctx)),
    blockFunds: (request, ctx) => circuit.call(ctx, () => bank.blockFunds(request, ctx), money()),
    initiatePayment: (request, ctx) => circuit.call(ctx, () => bank.initiatePayment(request, ctx), money()),
    ...(inquire && {
      inquirePayment: (key, ctx) =>
        circuit.call(ctx, () => inquire(key, ctx), INQUIRY).catch(heldBackInquiry),
    }),
    ...(release && { releaseBlock: (request, ctx) => circuit.call(ctx, () => release(request, ctx)) }),
    reconciliationId: (entry) => bank.reconciliationId(entry),
    reversalReason: (entry) => bank.reversalReason(entry),
    close: async () => bank.close?.(),
  };
}

function heldBackInquiry(error: unknown): PaymentInquiry {
  if (!(error instanceof CircuitOpenError)) throw error;
  const { message, notBefore } = error;
  return { status: 'unavailable', message, notBefore };
}
