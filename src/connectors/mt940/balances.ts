import { type Decimal, formatDecimal, negate, parseDecimal, plus } from '../../decimal.ts';
import { Mt940Error } from './error.ts';
import type { EntryMark, Mt940Balance } from './types.ts';

const zero: Decimal = { units: 0n, scale: 0 };

/**
 * Holds a file to its own arithmetic, exactly: opening + entries = closing in every message, and a message
 * that goes on with :60M: opens with what the one before closed with (:62M: of the same account).
 */
export class BalanceCheck {
  private running: Decimal = zero;
  private account = '';
  private previous: { account: string; balance: Mt940Balance } | null = null;

  /** @throws Mt940Error MT940_BALANCE_MISMATCH */
  open(account: string, opening: Mt940Balance, line: number): void {
    const previous = this.previous;
    this.previous = null;
    this.account = account;
    this.running = signed(opening);
    if (!opening.intermediate || previous === null || previous.account !== account) return;
    if (equal(this.running, signed(previous.balance)) && previous.balance.currency === opening.currency)
      return;
    const found = `${opening.currency} ${formatDecimal(this.running)}`;
    const expected = `${previous.balance.currency} ${formatDecimal(signed(previous.balance))}`;
    const reason = `the message goes on with a balance of ${found}, but the one before ended with ${expected}.`;
    throw new Mt940Error('MT940_BALANCE_MISMATCH', { line, tag: '60M' }, reason);
  }

  /** RC takes a credit back and RD a debit, so they count as the opposite. */
  add(mark: EntryMark, amount: string): void {
    const value = parseDecimal(amount);
    this.running = plus(this.running, mark === 'C' || mark === 'RD' ? value : negate(value));
  }

  /** @throws Mt940Error MT940_BALANCE_MISMATCH */
  close(closing: Mt940Balance, entries: number, line: number): void {
    const stated = signed(closing);
    if (!equal(stated, this.running)) {
      const reason =
        `the opening balance and ${entries} ${entries === 1 ? 'entry' : 'entries'} make ${formatDecimal(this.running)}, ` +
        `but the closing balance is ${formatDecimal(stated)}.`;
      const tag = closing.intermediate ? '62M' : '62F';
      throw new Mt940Error('MT940_BALANCE_MISMATCH', { line, tag }, reason);
    }
    this.previous = closing.intermediate ? { account: this.account, balance: closing } : null;
  }
}

function signed(balance: Mt940Balance): Decimal {
  const value = parseDecimal(balance.amount);
  return balance.mark === 'D' ? negate(value) : value;
}

function equal(a: Decimal, b: Decimal): boolean {
  return plus(a, negate(b)).units === 0n;
}
