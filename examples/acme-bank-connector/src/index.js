/**
 * @import { BankConnector, BankConnectorSettings, PaymentInquiry, PaymentRequest } from 'g2p-bridge-xstate/connectors'
 * @import { Outcome } from './http.js'
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectorError } from './connector-error.js';
import { isAmount, isAtLeast } from './decimal.js';
import { exchange } from './http.js';
import { field, reconciliationId, reversalReason, toBatch } from './wire.js';

/** How often the bank is asked whether it has decided about a batch, in milliseconds. */
const POLL_MS = 100;

/**
 * The connector to the ACME bank.
 *
 * The bank takes batches and decides about them later, and it answers a batch key that it has seen before with 409. So a
 * payment is a POST, and then questions until the bank has decided or the time of the call is up.
 *
 * @param {BankConnectorSettings} settings with the options `apiUrl` and `apiKey`
 * @returns {BankConnector}
 */
export function createBankConnector({ options, requestTimeoutMs, responseBytesMax }) {
  const { apiUrl, apiKey } = options;
  if (typeof apiUrl !== 'string' || typeof apiKey !== 'string') {
    throw new TypeError('the options apiUrl and apiKey must be given');
  }
  /**
   * @param {string} method
   * @param {string} path
   * @param {AbortSignal} signal
   * @param {unknown} [body]
   */
  const ask = (method, path, signal, body) =>
    exchange(method, apiUrl + path, {
      headers: { 'x-acme-key': apiKey },
      body,
      bytesMax: responseBytesMax,
      signal,
    });
  /** One signal for the whole call: that of the caller, and the time-out. @param {AbortSignal} signal */
  const bounded = (signal) => AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]);

  /**
   * What the bank knows about a batch.
   *
   * @param {string} key
   * @param {AbortSignal} signal
   * @returns {Promise<PaymentInquiry>}
   */
  async function inquire(key, signal) {
    const outcome = await ask('GET', `/v2/batches/${encodeURIComponent(key)}`, signal);
    if (outcome.kind === 'failure') return { status: 'unavailable', message: outcome.message };
    const { status, json } = outcome;
    if (status === 200) return verdictOf(json);
    // Any gateway can answer 404. Only the bank's own word for it allows the payments to be sent again.
    if (status === 404 && field(json, 'error', 'code') === 'NO_SUCH_BATCH') return { status: 'never_seen' };
    return { status: 'unavailable', message: `The bank answered HTTP ${status}.` };
  }

  return {
    blockIsIdempotent: true,

    async checkFunds({ accountNumber, amount }, { signal }) {
      requireAmount(amount);
      const outcome = await ask('GET', `/v2/accounts/${encodeURIComponent(accountNumber)}`, bounded(signal));
      if (outcome.kind === 'failure') throw new ConnectorError(outcome.code, outcome.message);
      const available = field(outcome.json, 'available', 'value');
      if (outcome.status !== 200 || typeof available !== 'string' || !isAmount(available)) {
        throw new ConnectorError('BANK_ERROR', `The bank gave no balance, but HTTP ${outcome.status}.`);
      }
      return { available: isAtLeast(available, amount) };
    },

    async blockFunds({ accountNumber, currency, amount, idempotencyKey }, { signal }) {
      requireAmount(amount);
      const hold = { account: accountNumber, amount: { value: amount, currency } };
      const path = `/v2/holds/${encodeURIComponent(idempotencyKey)}`;
      const outcome = await ask('PUT', path, bounded(signal), hold);
      if (outcome.kind === 'failure') return unanswered(outcome);
      const holdId = field(outcome.json, 'holdId');
      if (outcome.status === 200 && typeof holdId === 'string' && /^[\x21-\x7e]{1,100}$/.test(holdId)) {
        return { outcome: 'accepted', blockReference: holdId };
      }
      return refusalIn(outcome) ?? undecided(outcome.status);
    },

    async initiatePayment(request, { signal }) {
      if (request.payments.length === 0) return { outcome: 'accepted' };
      for (const { paymentAmount } of request.payments) requireAmount(paymentAmount);
      const deadline = bounded(signal);
      const outcome = await ask('POST', '/v2/batches', deadline, toBatch(request));
      if (outcome.kind === 'failure') return unanswered(outcome);
      const refusal = refusalIn(outcome);
      if (refusal) return refusal;
      // 409: the bank has this batch already, from a request whose answer we never had. That is no refusal.
      const taken = outcome.status === 202 && field(outcome.json, 'state') === 'RECEIVED';
      const takenBefore =
        outcome.status === 409 && field(outcome.json, 'error', 'code') === 'DUPLICATE_BATCH';
      return taken || takenBefore ? decisionOn(request, deadline) : undecided(outcome.status);
    },

    inquirePayment: (idempotencyKey, { signal }) => inquire(idempotencyKey, bounded(signal)),

    async releaseBlock({ blockReference }, { signal }) {
      const path = `/v2/holds/by-id/${encodeURIComponent(blockReference)}`;
      const outcome = await ask('DELETE', path, bounded(signal));
      if (outcome.kind === 'failure') throw new ConnectorError(outcome.code, outcome.message);
      const { status, json } = outcome;
      if (status === 200 && field(json, 'state') === 'RELEASED') return;
      throw new ConnectorError('BANK_ERROR', `The bank did not release the funds: HTTP ${status}.`);
    },

    reconciliationId,
    reversalReason,
  };

  /**
   * Waits until the bank has decided about a batch that it has.
   *
   * @param {PaymentRequest} request
   * @param {AbortSignal} deadline
   * @returns {ReturnType<BankConnector['initiatePayment']>}
   */
  async function decisionOn({ idempotencyKey }, deadline) {
    for (;;) {
      const inquiry = await inquire(idempotencyKey, deadline);
      if (inquiry.status === 'accepted') return { outcome: 'accepted' };
      if (inquiry.status === 'rejected') {
        return { outcome: 'refused', code: 'BANK_REFUSED', message: inquiry.message };
      }
      if (deadline.aborted) {
        return {
          outcome: 'unknown',
          message: 'The bank has the batch and had not decided about it in time.',
        };
      }
      await delay(POLL_MS, undefined, { signal: deadline }).catch(() => {});
    }
  }
}

/**
 * What the bank says about a batch that it has.
 *
 * @param {unknown} json
 * @returns {PaymentInquiry}
 */
function verdictOf(json) {
  const references = field(json, 'endToEndIds');
  switch (field(json, 'state')) {
    case 'BOOKED':
      return {
        status: 'accepted',
        paymentReferences: Array.isArray(references) ? references.map(String) : null,
      };
    case 'REJECTED':
      return { status: 'rejected', message: `The bank refused: ${reasonIn(field(json, 'reason'))}.` };
    case 'RECEIVED':
      return { status: 'unavailable', message: 'The bank has the batch and has not decided about it yet.' };
    default:
      return {
        status: 'unavailable',
        message: 'The bank answered about a batch in a form that is not known.',
      };
  }
}

/**
 * A refusal: HTTP 422 with the bank's own reason in it.
 *
 * @param {{ status: number, json: unknown }} outcome
 * @returns {{ outcome: 'refused', code: string, message: string } | null}
 */
function refusalIn({ status, json }) {
  const reason = field(json, 'error', 'reason');
  if (status !== 422 || typeof reason !== 'string') return null;
  return { outcome: 'refused', code: 'BANK_REFUSED', message: `The bank refused: ${reasonIn(reason)}.` };
}

/**
 * The bank's reason as part of one line of ours. The ACME bank puts no account numbers into reasons, but digits in a
 * row are not worth the risk.
 *
 * @param {unknown} reason
 */
function reasonIn(reason) {
  const text = typeof reason === 'string' ? reason : 'no reason given';
  return text
    .slice(0, 300)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .replace(/\d{5,}/g, '…')
    .replace(/\.$/, '');
}

/**
 * A call that moves money and had no answer: thrown when it surely was not sent, otherwise unknown.
 *
 * @param {Extract<Outcome, { kind: 'failure' }>} failure
 * @returns {{ outcome: 'unknown', message: string }}
 */
function unanswered({ sent, code, message }) {
  if (!sent) throw new ConnectorError(code, message);
  return { outcome: 'unknown', message };
}

/**
 * @param {number} status
 * @returns {{ outcome: 'unknown', message: string }}
 */
function undecided(status) {
  return { outcome: 'unknown', message: `The bank answered HTTP ${status}, which is no decision.` };
}

/** @param {string} amount */
function requireAmount(amount) {
  if (isAmount(amount)) return;
  throw new ConnectorError('BANK_BAD_REQUEST', 'An amount is not a plain decimal.', false);
}
