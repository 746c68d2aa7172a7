import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

/**
 * @typedef {{ account: string, cents: bigint }} Hold
 * @typedef {{ state: 'RECEIVED' | 'BOOKED' | 'REJECTED', reason: string | null, payments: any[] }} Batch
 */

export const API_KEY = 'acme-test-key';
/** How long the bank thinks about a batch, in milliseconds. */
const DECISION_MS = 50;

/** A tiny ACME bank for tests: holds, batches that are decided later, and books to look into. */
export class AcmeBank {
  /** Balance by account number, in cents. @type {Map<string, bigint>} */
  #balances = new Map();
  /** By hold id. @type {Map<string, Hold>} */
  #holds = new Map();
  /** Hold id by key. @type {Map<string, string>} */
  #holdIds = new Map();
  /** By key. @type {Map<string, Batch>} */
  #batches = new Map();
  #server = createServer((request, response) => {
    this.#answer(request).then(
      ({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      },
      () => response.destroy(),
    );
  });
  url = '';

  async start() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (typeof address === 'object' && address) this.url = `http://127.0.0.1:${address.port}`;
  }

  async stop() {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  /** @param {string} balance @param {string} [number] @returns {string} the account's number */
  open(balance, number = String(BigInt(`0x${randomUUID().slice(0, 8)}`) + 10_000_000_000n)) {
    this.#balances.set(number, cents(balance));
    return number;
  }

  /** What is held on an account. @param {string} account */
  held(account) {
    const held = [...this.#holds.values()].filter((hold) => hold.account === account);
    return text(held.reduce((sum, hold) => sum + hold.cents, 0n));
  }

  /** The payments out of an account, once nothing is undecided. @param {string} account */
  async booked(account) {
    for (;;) {
      const batches = [...this.#batches.values()];
      if (batches.every(({ state }) => state !== 'RECEIVED')) {
        return batches
          .filter(({ state }) => state === 'BOOKED')
          .flatMap(({ payments }) => payments)
          .filter(({ debtor }) => debtor === account)
          .map(({ endToEndId, amount }) => ({ reference: String(endToEndId), amount: String(amount.value) }));
      }
      await new Promise((resolve) => setTimeout(resolve, DECISION_MS));
    }
  }

  /** @param {import('node:http').IncomingMessage} request */
  async #answer(request) {
    if (request.headers['x-acme-key'] !== API_KEY) return error(401, 'UNAUTHORIZED');
    const [, , kind = '', id = '', last = ''] = (request.url ?? '').split('/').map(decodeURIComponent);
    const body = /** @type {any} */ (
      request.method === 'GET' || request.method === 'DELETE' ? null : await json(request)
    );
    switch (`${request.method} ${kind}`) {
      case 'GET accounts':
        return this.#account(id);
      case 'PUT holds':
        return this.#hold(id, body);
      case 'DELETE holds':
        return this.#release(last);
      case 'POST batches':
        return this.#take(body);
      case 'GET batches':
        return this.#batch(id);
      default:
        return error(404, 'NO_SUCH_RESOURCE');
    }
  }

  /** @param {string} number */
  #account(number) {
    const balance = this.#balances.get(number);
    if (balance === undefined) return error(404, 'NO_SUCH_ACCOUNT');
    return { status: 200, body: { available: { value: text(balance - cents(this.held(number))) } } };
  }

  /** @param {string} key @param {{ account: string, amount: { value: string } }} hold */
  #hold(key, { account, amount }) {
    const known = this.#holdIds.get(key);
    if (known) return { status: 200, body: { holdId: known } };
    const wanted = cents(amount.value);
    if ((this.#balances.get(account) ?? 0n) - cents(this.held(account)) < wanted) {
      return error(422, 'REFUSED', 'The funds do not suffice.');
    }
    const holdId = `H-${randomUUID()}`;
    this.#holdIds.set(key, holdId);
    this.#holds.set(holdId, { account, cents: wanted });
    return { status: 200, body: { holdId } };
  }

  /** @param {string} holdId */
  #release(holdId) {
    this.#holds.delete(holdId);
    return { status: 200, body: { state: 'RELEASED' } };
  }

  /** @param {{ batchKey: string, payments: any[] }} body */
  #take({ batchKey, payments }) {
    if (this.#batches.has(batchKey)) return error(409, 'DUPLICATE_BATCH');
    if (payments.some(({ amount }) => !/^\d+(\.\d{1,2})?$/.test(amount.value))) {
      return error(422, 'REFUSED', 'An amount is malformed.');
    }
    /** @type {Batch} */
    const batch = { state: 'RECEIVED', reason: null, payments };
    this.#batches.set(batchKey, batch);
    setTimeout(() => this.#decide(batch), DECISION_MS);
    return { status: 202, body: { state: batch.state } };
  }

  /** @param {Batch} batch */
  #decide(batch) {
    /** @type {Map<string, bigint>} */
    const sums = new Map();
    for (const { hold, amount } of batch.payments)
      sums.set(hold, (sums.get(hold) ?? 0n) + cents(amount.value));
    if ([...sums].some(([hold, sum]) => (this.#holds.get(hold)?.cents ?? 0n) < sum)) {
      batch.state = 'REJECTED';
      batch.reason = 'The hold does not cover the batch.';
      return;
    }
    for (const [id, sum] of sums) {
      const hold = this.#holds.get(id);
      if (!hold) continue;
      hold.cents -= sum;
      this.#balances.set(hold.account, (this.#balances.get(hold.account) ?? 0n) - sum);
    }
    batch.state = 'BOOKED';
  }

  /** @param {string} key */
  #batch(key) {
    const batch = this.#batches.get(key);
    if (!batch) return error(404, 'NO_SUCH_BATCH');
    const { state, reason, payments } = batch;
    return {
      status: 200,
      body: { state, reason, endToEndIds: payments.map(({ endToEndId }) => endToEndId) },
    };
  }
}

/** @param {number} status @param {string} code @param {string} [reason] */
function error(status, code, reason) {
  return { status, body: { error: { code, reason } } };
}

/** @param {string} amount */
function cents(amount) {
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(2, '0'));
}

/** @param {bigint} amount in cents */
function text(amount) {
  const digits = String(amount).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
