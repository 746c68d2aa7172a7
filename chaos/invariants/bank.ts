import { z } from 'zod';
import { type Decimal, parseDecimal, plus } from '../../src/decimal.ts';

const debit = z.object({
  id: z.number(),
  reference: z.string(),
  amount: z.string(),
  booked_at: z.coerce.date(),
});
const ledger = z.object({
  blocked: z.string(),
  debited_sum: z.string(),
  debits: z.number(),
  reversed: z.number(),
  reversed_sum: z.string(),
});

export type Debit = z.infer<typeof debit>;
export type Ledger = z.infer<typeof ledger>;

const TIMEOUT_MS = 60_000;

/** An account's payments in the order in which the bank booked them, page by page. */
export async function* debitsOf(bankUrl: string, account: string): AsyncGenerator<Debit, void, void> {
  for (let after = 0; ; ) {
    const path = `/_admin/debits?account=${encodeURIComponent(account)}&after=${after}`;
    const page = z.array(debit).parse(await getJson(bankUrl, path));
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    after = last.id;
  }
}

/** What the bank's books say of an account. */
export async function ledgerOf(bankUrl: string, account: string): Promise<Ledger> {
  return ledger.parse(await getJson(bankUrl, `/_admin/ledger?account=${encodeURIComponent(account)}`));
}

/** @throws Error when it is not answered with 200 */
export async function getJson(url: string, path: string): Promise<unknown> {
  const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  throw new Error(`${url}${path} answered ${response.status}: ${text.slice(0, 200)}`);
}

/** The exact sum of quantities. */
export function sumOf(quantities: Iterable<string>): Decimal {
  let sum: Decimal = { units: 0n, scale: 0 };
  for (const quantity of quantities) sum = plus(sum, parseDecimal(quantity));
  return sum;
}
