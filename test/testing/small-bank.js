import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

/** The bank of docs/connectors.md. */
export async function startSmallBank() {
  /** In cents. @type {Map<string, { balance: bigint, blocked: bigint, paid: { reference: string, amount: string }[] }>} */
  const accounts = new Map();
  /** Answers by key. @type {Map<string, any>} */
  const answers = new Map();

  /** @param {string} key @param {any} body */
  function block(key, { accountNumber, amount }) {
    const account = accounts.get(accountNumber);
    if (!account || account.balance - account.blocked < cents(amount)) return { status: 'refused' };
    account.blocked += cents(amount);
    return { block: `B-${key.slice(-30)}` };
  }

  /** @param {any[]} payments */
  function pay(payments) {
    const account = accounts.get(payments[0]?.remittingAccount);
    const sum = payments.reduce((total, one) => total + cents(one.paymentAmount), 0n);
    if (payments.length > 0 && (!account || account.blocked < sum)) return { status: 'refused' };
    for (const one of payments)
      account?.paid.push({ reference: one.paymentReferenceNumber, amount: one.paymentAmount });
    if (account) account.blocked -= sum;
    return { status: 'taken' };
  }

  const server = createServer(async (request, response) => {
    const [, kind = '', id = '', , amount = '0'] = (request.url ?? '').split('/');
    const account = accounts.get(id);
    let answer = answers.get(`${kind} ${id}`);
    if (kind === 'accounts')
      answer = { covers: account && account.balance - account.blocked >= cents(amount) };
    else if (request.method === 'PUT') {
      const body = /** @type {any} */ (await json(request));
      answer ??= kind === 'blocks' ? block(id, body) : pay(body);
      answers.set(`${kind} ${id}`, answer);
    }
    response.writeHead(answer ? 200 : 404).end(JSON.stringify(answer ?? { status: 'unknown key' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    /** @param {string} balance */
    open(balance) {
      const accountNumber = `ACC-${randomUUID()}`;
      accounts.set(accountNumber, { balance: cents(balance), blocked: 0n, paid: [] });
      return { accountNumber, accountType: null, branchCode: null, currency: 'USD' };
    },
    /** @param {string} accountNumber */
    booked: (accountNumber) => accounts.get(accountNumber)?.paid ?? [],
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** @param {string} amount */
function cents(amount) {
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(2, '0'));
}
