/**
 * @import { Payment, PaymentRequest } from 'g2p-bridge-xstate/connectors'
 */

/** What begins the lines of a statement that the ACME bank writes for us. */
const REFERENCE = '/EREF/';
const RETURNED = '/RTRN/';

/**
 * A batch as `POST /v2/batches` takes it. Amounts stay the text they are.
 *
 * @param {PaymentRequest} request
 */
export function toBatch({ idempotencyKey, payments }) {
  return { batchKey: idempotencyKey, payments: payments.map(toPayment) };
}

/** @param {Payment} payment */
function toPayment(payment) {
  return {
    endToEndId: payment.paymentReferenceNumber,
    hold: payment.fundsBlockedReferenceNumber,
    debtor: payment.remittingAccount,
    amount: { value: payment.paymentAmount, currency: payment.remittingAccountCurrency },
    executionDate: payment.paymentDate,
    creditor: {
      name: payment.beneficiaryName,
      account: payment.beneficiaryAccount,
      bank: payment.beneficiaryBankCode,
      branch: payment.beneficiaryBranchCode,
      walletProvider: payment.beneficiaryMobileWalletProvider ?? payment.beneficiaryEmailWalletProvider,
      phone: payment.beneficiaryPhoneNo,
      email: payment.beneficiaryEmail,
    },
    text: payment.narratives[0] ?? '',
  };
}

/**
 * A field of an answer, however deep; undefined when the answer is not of that form.
 *
 * @param {unknown} json
 * @param {...string} path
 * @returns {unknown}
 */
export function field(json, ...path) {
  return path.reduce((value, name) => {
    const inside = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    return inside ? /** @type {Record<string, unknown>} */ (value)[name] : undefined;
  }, json);
}

/**
 * Our id in an entry of a statement of the ACME bank: `/EREF/` and the whole reference.
 *
 * @param {{ narrative: readonly string[] }} entry
 */
export function reconciliationId({ narrative }) {
  return lineAfter(REFERENCE, narrative);
}

/**
 * Why a payment came back: `/RTRN/` and the reason.
 *
 * @param {{ narrative: readonly string[] }} entry
 */
export function reversalReason({ narrative }) {
  return lineAfter(RETURNED, narrative);
}

/**
 * @param {string} mark
 * @param {readonly string[]} lines
 */
function lineAfter(mark, lines) {
  const line = lines.find((one) => one.startsWith(mark));
  return line?.slice(mark.length).trim() ?? '';
}
