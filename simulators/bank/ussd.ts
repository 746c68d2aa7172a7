import type { Sql } from 'postgres';
import type { Ussd } from './requests.ts';

const accountsShownMax = 5;
const shownDigits = 4;

/**
 * `/ussd`: one step of the text menu. `CON` asks for more, `END` is the last word.
 *
 * @param request what the operator sends; `text` is all input so far, steps joined by `*`
 */
export async function ussdMenu(sql: Sql, request: Ussd): Promise<string> {
  const choice = request.text.split('*').at(-1);
  if (choice === '') return 'CON Welcome to Example Bank\n1. Balance\n2. Leave';
  if (choice === '2') return 'END Goodbye.';
  if (choice !== '1') return 'END There is no such choice.';
  const accounts = await sql<{ account_number: string; currency: string; available: string }[]>`
    select account_number, currency, balance - blocked as available
    from accounts where phone = ${request.phoneNumber}
    order by account_number limit ${accountsShownMax}`;
  if (accounts.length === 0) return 'END No account is registered for this number.';
  const lines = accounts.map(
    (account) =>
      `Account ..${account.account_number.slice(-shownDigits)}: ${account.currency} ${account.available}`,
  );
  return `END ${lines.join('\n')}`;
}
