import type { TransactionSql } from 'postgres';
import { z } from 'zod';
import { type Random, seededRandom } from '../shared/random.ts';
import type { Payment } from './requests.ts';

/** Which payments will come back, as the `reversals` of `POST /_control` say it; null for none. */
export const returnRuleSchema = z
  .strictObject({
    /** A bank code other than the bank's own, or `*` for all of those. */
    bank_code: z.string().min(1).max(64),
    probability: z.number().min(0).max(1).default(1),
    count: z.int().min(1).optional(),
    reason: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 .,()/+?'-]{0,64}$/, 'must fit one line of an MT940 narrative')
      .default('ACCOUNT CLOSED'),
  })
  .nullable();

export type ReturnRule = z.infer<typeof returnRuleSchema>;

/**
 * Decides which payments a foreign bank will send back. The rule lives in memory, as faults do; a decision
 * is written with its payment and outlives the process.
 */
export class Returns {
  readonly #ownBankCode: string;
  #rule: ReturnRule = null;
  #random: Random = seededRandom(1);
  #planned = 0;

  constructor(ownBankCode: string) {
    this.#ownBankCode = ownBankCode;
  }

  /** @param seed whole number; the same seed and payments give the same decisions */
  replace(rule: ReturnRule, seed: number): void {
    this.#rule = rule;
    this.#random = seededRandom(seed);
    this.#planned = 0;
  }

  report(): object | null {
    return this.#rule === null ? null : { ...this.#rule, fired: this.#planned };
  }

  /** Marks those of the payments just booked that will come back. */
  async plan(tx: TransactionSql, payments: readonly Payment[]): Promise<void> {
    const rule = this.#rule;
    if (rule === null) return;
    const chosen = payments.filter((payment) => this.#chooses(rule, payment));
    if (chosen.length === 0) return;
    const accounts = chosen.map((payment) => payment.remitting_account);
    const references = chosen.map((payment) => payment.payment_reference_number);
    await tx`
      insert into pending_returns (account_number, ledger_id, reason)
      select ledger.account_number, ledger.id, ${rule.reason}
      from unnest(${accounts}::text[], ${references}::text[]) as payment (account, reference)
      join ledger on ledger.account_number = payment.account
        and ledger.payment_reference_number = payment.reference and ledger.mark = 'D'`;
  }

  #chooses(rule: NonNullable<ReturnRule>, payment: Payment): boolean {
    const code = payment.beneficiary_bank_code;
    if (!code || code === this.#ownBankCode) return false;
    if (rule.bank_code !== '*' && rule.bank_code !== code) return false;
    if (rule.count !== undefined && this.#planned >= rule.count) return false;
    if (this.#random() >= rule.probability) return false;
    this.#planned += 1;
    return true;
  }
}

/**
 * Credits back, on the account of a statement just made, the payments it reported that a foreign bank
 * returned. The credits come after the statement and so appear in the next one. The account's row must be
 * locked.
 *
 * @param throughLedgerId the last movement the statement reports
 * @returns how many came back
 */
export async function bookReturns(
  tx: TransactionSql,
  accountNumber: string,
  throughLedgerId: string,
): Promise<number> {
  // With fewer than five lines the reason must not land on the fifth, which readers take for the payment's id.
  const [booked] = await tx<{ returns: number }[]>`
    with due as (
      delete from pending_returns
      where account_number = ${accountNumber} and ledger_id <= ${throughLedgerId}
      returning account_number, ledger_id, reason
    ), lines as (
      select due.ledger_id, due.reason, string_to_array(narrative, E'\n') as line
      from due join ledger on ledger.account_number = due.account_number and ledger.id = due.ledger_id
    ), credits as (
      insert into ledger (account_number, mark, payment_reference_number, amount, beneficiary_account,
                          beneficiary_bank_code, narrative)
      select debit.account_number, 'RD', debit.payment_reference_number, debit.amount,
             debit.beneficiary_account, debit.beneficiary_bank_code,
             array_to_string(
               line[1:case when cardinality(line) >= 5 then 5 else least(cardinality(line), 3) end] || reason,
               E'\n')
      from lines join ledger debit on debit.account_number = ${accountNumber} and debit.id = lines.ledger_id
      order by debit.id
      returning amount
    ), credited as (
      update accounts set balance = balance + coalesce((select sum(amount) from credits), 0)
      where account_number = ${accountNumber}
    )
    select count(*)::integer as returns from credits`;
  return booked?.returns ?? 0;
}
