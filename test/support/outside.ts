import postgres from 'postgres';
import { get, post, startReceiver } from '../simulators/fixtures.ts';
import { createDatabase } from './database.ts';
import { type Simulator, startBank, startSpar } from './simulators.ts';
import { until } from './wait.ts';

/** One way to misbehave; see `simulators/README.md`. */
export interface Fault {
  readonly path: string;
  readonly kind:
    | 'delay'
    | 'drop_before'
    | 'drop_after'
    | 'error_before'
    | 'error_after'
    | 'refuse'
    | 'slow_body';
  readonly probability?: number;
  readonly count?: number;
  readonly delay_ms?: number;
  /** What `error_before` and `error_after` answer. */
  readonly status?: number;
}

/** What the bank's books say of an account, as `GET /_admin/ledger` answers. */
export interface Ledger {
  readonly balance: string;
  readonly blocked: string;
  readonly available: string;
  /** Payments made, and their sum. */
  readonly debits: number;
  readonly debited_sum: string;
  /** Payments that came back, and their sum. */
  readonly reversed: number;
  readonly reversed_sum: string;
  /** Payment references that were debited more than once. */
  readonly duplicate_references: number;
}

/** A simulator with its controls. */
export interface Controlled {
  readonly url: string;
  /** Replaces all faults; the same seed gives the same decisions. */
  faults(faults: readonly Fault[], seed?: number): Promise<void>;
  /** Requests to a path since the simulator started. */
  requests(path: string): Promise<number>;
  /** Stops answering: connections are refused until {@link start}. What it knows stays. */
  stop(): Promise<void>;
  /** Starts again at the same address, without faults. */
  start(): Promise<void>;
}

/** A payment as it stands in the bank's books. */
export interface BookedPayment {
  readonly reference: string;
  /** With two decimal places. */
  readonly amount: string;
  readonly account: string;
  readonly bank: string | null;
}

export interface SponsorBank extends Controlled {
  /** Creates an account in USD, or sets its balance. */
  account(number: string, balance: string): Promise<void>;
  /** Payments to this bank code come back in the next statement but one. */
  reversals(bankCode: string): Promise<void>;
  ledger(account: string): Promise<Ledger>;
  /** The blocks ever made on an account, as `[amount, remaining]`. */
  blocks(account: string): Promise<(readonly [string, string])[]>;
  /** Idempotency keys that the bank has acted under, of those that begin with `prefix`, in order. */
  keys(prefix: string): Promise<string[]>;
  /** The payments that the bank has made from an account, by reference. */
  payments(account: string): Promise<readonly BookedPayment[]>;
  /** Has the bank make a statement of an account. @returns the MT940 text as the bank uploads it */
  statement(account: string): Promise<string>;
}

export interface Mapper extends Controlled {
  /** Tells the mapper where the money of beneficiaries goes. */
  link(links: readonly Readonly<Record<string, string>>[]): Promise<void>;
  /** How answers depart from what is right; null: not at all. See `simulators/README.md`. */
  rules(rules: Readonly<Record<string, unknown>> | null): Promise<void>;
  /** Requests that were under way at the same time, at most, since the rules were set. */
  mostAtOnce(): Promise<number>;
}

/** The world outside the pipeline: one sponsor bank and one ID mapper, for the tests of a file. */
export interface Outside {
  readonly bank: SponsorBank;
  readonly mapper: Mapper;
  close(): Promise<void>;
}

/** Starts the simulators as processes, each with a database of its own. */
export async function openOutside(): Promise<Outside> {
  const [bankDatabase, mapperDatabase, receiver] = await Promise.all([
    createDatabase('bank'),
    createDatabase('spar'),
    startReceiver(),
  ]);
  const books = postgres(bankDatabase.url, { max: 1 });
  const startAt = {
    bank: (port?: number) =>
      startBank({ databaseUrl: bankDatabase.url, statementUploadUrl: receiver.url, ...(port && { port }) }),
    mapper: (port?: number) => startSpar({ databaseUrl: mapperDatabase.url, ...(port && { port }) }),
  };
  const [bank, mapper] = await Promise.all([controlled(startAt.bank), controlled(startAt.mapper)]);
  return {
    bank: {
      ...bank,
      account: (account_number, balance) =>
        done(bank.url, '/_admin/accounts', [{ account_number, currency: 'USD', balance }]),
      reversals: (bank_code) => done(bank.url, '/_control', { reversals: { bank_code } }),
      ledger: async (account) =>
        (await get(bank.url, `/_admin/ledger?account=${account}`)).body as unknown as Ledger,
      blocks: async (account) => {
        const rows = await books<{ amount: string; remaining: string }[]>`
          select amount, remaining from blocks where account_number = ${account} order by created_at`;
        return rows.map(({ amount, remaining }) => [amount, remaining] as const);
      },
      keys: async (prefix) => {
        const rows = await books<{ idempotency_key: string }[]>`
          select idempotency_key from submissions where starts_with(idempotency_key, ${prefix}) order by created_at`;
        return rows.map((row) => row.idempotency_key);
      },
      payments: async (account) => [
        ...(await books<BookedPayment[]>`
          select payment_reference_number as reference, amount, beneficiary_account as account,
            beneficiary_bank_code as bank
          from ledger where account_number = ${account} and mark = 'D' order by payment_reference_number, id`),
      ],
      statement: async (account) => {
        const before = receiver.statements.length;
        await done(bank.url, '/generate_account_statement', { program_account_number: account });
        await until('the bank has uploaded the statement', () => receiver.statements.length > before);
        return receiver.statements.at(-1) ?? '';
      },
    },
    mapper: {
      ...mapper,
      link: (links) => done(mapper.url, '/_admin/links', links),
      rules: (rules) => done(mapper.url, '/_control', { rules }),
      mostAtOnce: async () => {
        const { rules } = (await get(mapper.url, '/_control')).body as { rules: { most_at_once: number } };
        return rules.most_at_once;
      },
    },
    async close() {
      await Promise.all([bank.stop(), mapper.stop(), receiver.close(), books.end()]);
      await Promise.all([bankDatabase.drop(), mapperDatabase.drop()]);
    },
  };
}

/** Controls of a simulator that can be stopped and started again at its address. */
export async function controlled(startAt: (port?: number) => Promise<Simulator>): Promise<Controlled> {
  let simulator: Simulator | null = await startAt();
  const { url } = simulator;
  return {
    url,
    faults: (faults, seed) => done(url, '/_control', { faults, ...(seed !== undefined && { seed }) }),
    requests: async (path) => {
      const { requests } = (await get(url, '/_admin/stats')).body as { requests: Record<string, number> };
      return requests[path] ?? 0;
    },
    async stop() {
      await simulator?.stop();
      simulator = null;
    },
    async start() {
      simulator ??= await startAt(Number(new URL(url).port));
    },
  };
}

async function done(url: string, path: string, body: unknown): Promise<void> {
  const answer = await post(url, path, body);
  if (answer.status === 200 && answer.body.status !== 'failed') return;
  throw new Error(`POST ${path} was answered ${answer.status} ${JSON.stringify(answer.body)}`);
}
