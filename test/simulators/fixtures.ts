import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

/** The status and JSON body of an answer. */
export interface HttpAnswer {
  status: number;
  body: Record<string, unknown>;
}

/** Sends JSON; a string goes as it is. */
export async function post(
  url: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<HttpAnswer> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

export async function get(url: string, path: string): Promise<HttpAnswer> {
  const response = await fetch(url + path);
  return { status: response.status, body: JSON.parse(await response.text()) };
}

export const keyed = (key: string) => ({ 'Idempotency-Key': key });

/** Puts one account in the bank and blocks an amount of it. @returns the block's reference */
export async function accountWithBlock(
  url: string,
  account: string,
  balance: string,
  amount: string,
): Promise<string> {
  await post(url, '/_admin/accounts', [{ account_number: account, currency: 'INR', balance }]);
  const blocked = await post(url, '/block_funds', { account_number: account, currency: 'INR', amount });
  return String(blocked.body.block_reference_no);
}

/** A payment that the bank accepts when the account and the block are there. */
export function payment(account: string, block: string, reference: string, fields: object = {}): object {
  return {
    payment_reference_number: reference,
    remitting_account: account,
    remitting_account_currency: 'INR',
    payment_amount: '10.50',
    funds_blocked_reference_number: block,
    beneficiary_name: 'Asha',
    beneficiary_account: '0098',
    beneficiary_account_currency: 'INR',
    beneficiary_account_type: 'BANK_ACCOUNT',
    beneficiary_bank_code: 'FAR-BANK',
    beneficiary_branch_code: 'B1',
    beneficiary_mobile_wallet_provider: null,
    beneficiary_phone_no: null,
    beneficiary_email: null,
    beneficiary_email_wallet_provider: null,
    narrative_1: 'Seed support',
    narrative_2: 'PROG',
    narrative_3: '2025-01',
    narrative_4: `BEN-${reference}`,
    narrative_5: reference,
    narrative_6: null,
    payment_date: '2025-01-31',
    ...fields,
  };
}

/** Somebody who takes statements. */
export interface StatementReceiver {
  url: string;
  /** The text of each accepted statement, in the order of arrival. */
  statements: string[];
  /** Headers and status of every upload, accepted or not. */
  uploads: { status: number; authorization: string | undefined; fileName: string }[];
  /** What to answer from now on. */
  status: number;
  /** How many uploads to break off from now on, after their first bytes. */
  hangUps: number;
  close(): Promise<void>;
}

/** Takes uploads as multipart field `statement_file`; anything else is answered 400. */
export async function startReceiver(status = 200): Promise<StatementReceiver> {
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    if (receiver.hangUps > 0) {
      receiver.hangUps -= 1;
      request.once('data', () => request.destroy());
      return;
    }
    const content = await text(request);
    const file =
      /^--(\S+)\r\nContent-Disposition: form-data; name="statement_file"; filename="([^"]+)"\r\nContent-Type: text\/plain\r\n\r\n(.*)\r\n--\1--\r\n$/s.exec(
        content,
      );
    const answer = file === null ? 400 : receiver.status;
    receiver.uploads.push({
      status: answer,
      authorization: request.headers.authorization,
      fileName: file?.[2] ?? '',
    });
    if (answer === 200) receiver.statements.push(file?.[3] ?? '');
    response.writeHead(answer).end('{}');
  };
  const server = createServer((request, response) => void receive(request, response).catch(() => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const receiver: StatementReceiver = {
    url: `http://127.0.0.1:${port}/upload_mt940`,
    statements: [],
    uploads: [],
    status,
    hangUps: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

/** One `:61:` with its `:86:`, as these tests read a statement. */
export interface ReadEntry {
  mark: string;
  amount: string;
  customerReference: string;
  bankReference: string;
  narrative: string[];
}

/** Reads a statement of ours with nothing but regular expressions. */
export function readStatement(mt940: string) {
  const entryPattern =
    /^:61:\d{6}\d{4}(R?[DC])(\d+,\d*)NTRF(.*?)\/\/(\S*)\r\n(?::86:((?:.*\r\n)+?)(?=[:-]))?/gm;
  const entries = [...mt940.matchAll(entryPattern)].map(
    ([, mark = '', amount = '', customerReference = '', bankReference = '', narrative = '']): ReadEntry => ({
      mark,
      amount,
      customerReference,
      bankReference,
      narrative: narrative.replace(/\r\n$/, '').split('\r\n'),
    }),
  );
  return {
    account: /^:25:(.*)\r$/m.exec(mt940)?.[1],
    number: /^:28C:(\d+)\/1\r$/m.exec(mt940)?.[1],
    opening: /^:60F:C\d{6}INR(.*)\r$/m.exec(mt940)?.[1],
    closing: /^:62F:C\d{6}INR(.*)\r$/m.exec(mt940)?.[1],
    entries,
  };
}
