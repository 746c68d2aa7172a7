import { createPartnerClient } from '../../src/cli/partner-client.ts';
import { countIn, decimalIn, type JsonObject } from '../../src/cli/partner-messages.ts';
import type { Sql } from '../../src/db/connection.ts';
import { addDecimals, compareDecimals, sumDecimals } from '../../src/decimal.ts';
import { isCash } from '../../src/machines/benefit-type.ts';
import { ledgerOf } from './bank.ts';
import { type Standing, standingOf } from './standing.ts';
import { type Finding, invariant, lastHeardOf } from './with-database.ts';

interface Kept {
  readonly shipped: string;
  readonly reconciled: string;
  readonly reversed: string;
}

/** What one account is to have paid, and what the bridge says that it has. */
interface AccountSums {
  submitted: string;
  shipped: string;
  reconciled: string;
  reversed: string;
  /** Nothing can be said of the whole when part of it stopped. */
  stopped: boolean;
}

/** What was submitted, what the bridge tells partners and keeps itself, and what the bank has booked: three times the same. */
export const sumsAgree = invariant(
  'Submitted, bridge and bank agree on counts and sums.',
  async function* (sql, run) {
    const client = createPartnerClient({ url: run.world.apiUrl, sender: 'CHAOS' });
    const accounts = new Map<string, AccountSums>();
    try {
      for await (const standing of standingOf(sql, run)) {
        const answer = await client.envelopeStatus(standing.envelopeId);
        const at = () => lastHeardOf(sql, standing.envelopeId);
        if (answer.kind !== 'success') {
          yield {
            found: `The API says of envelope ${standing.envelopeId}: ${answer.message}`,
            at: await at(),
          };
          continue;
        }
        const kept = await keptOf(sql, standing.envelopeId);
        const findings = [...ofEnvelope(standing, answer.payload), ...ofMoney(standing, kept)];
        for (const found of findings) yield { found, at: await at() };
        addTo(accounts, standing, kept);
      }
    } finally {
      await client.close();
    }
    for (const [account, sums] of accounts) yield* ofAccount(run.world.bankUrl, account, sums);
  },
);

/** What partners are told against what they sent. */
function* ofEnvelope(standing: Standing, status: JsonObject): Generator<string> {
  const { envelopeId, cancelled, stopped, disbursements, submitted } = standing;
  const told = (name: string) => countIn(status, name) ?? -1;
  const expected = new Map<string, number>([
    ['number_of_disbursements_received', disbursements.size],
    ['number_of_disbursements_cancelled', submitted.cancelled.size],
  ]);
  if (!stopped) {
    const reached = cancelled ? 0 : disbursements.size;
    if (isCash(submitted.program.benefitType)) expected.set('number_of_disbursements_reconciled', reached);
    if (submitted.program.benefitType !== 'CASH_DIGITAL' && !cancelled) {
      expected.set('no_of_beneficiaries_notified', reached);
    }
  }
  for (const [name, count] of expected) {
    if (told(name) !== count) yield `Envelope ${envelopeId}: ${name} is ${told(name)} instead of ${count}.`;
  }
  const received = decimalIn(status, 'total_disbursement_quantity_received') ?? '-1';
  const sent = quantityOf(standing);
  if (compareDecimals(received, sent) !== 0) {
    yield `Envelope ${envelopeId}: total_disbursement_quantity_received is ${received} instead of ${sent}.`;
  }
}

const quantityOf = ({ disbursements }: Standing): string =>
  sumDecimals(disbursements.values().map(({ quantity }) => quantity));

/** What the bridge keeps of an envelope's money against what was sent. */
function* ofMoney(standing: Standing, kept: Kept): Generator<string> {
  const { envelopeId, cancelled, stopped, submitted } = standing;
  if (stopped || !isCash(submitted.program.benefitType)) return;
  const due = cancelled ? '0' : quantityOf(standing);
  for (const [name, sum] of [
    ['shipped', kept.shipped],
    ['reconciled', kept.reconciled],
  ] as const) {
    if (compareDecimals(sum, due) !== 0) yield `Envelope ${envelopeId}: ${sum} ${name} instead of ${due}.`;
  }
}

async function keptOf(sql: Sql, envelopeId: string): Promise<Kept> {
  const [row] = await sql<Kept[]>`
    select quantity_shipped::text as shipped, quantity_reconciled::text as reconciled,
      quantity_reversed::text as reversed
    from envelope_batch_status_for_cash where disbursement_envelope_id = ${envelopeId}`;
  return row ?? { shipped: '0', reconciled: '0', reversed: '0' };
}

function addTo(accounts: Map<string, AccountSums>, standing: Standing, kept: Kept): void {
  const { account } = standing.submitted.program;
  if (account === null) return;
  const none = { submitted: '0', shipped: '0', reconciled: '0', reversed: '0', stopped: false };
  const sums = accounts.get(account) ?? none;
  accounts.set(account, {
    submitted: addDecimals(sums.submitted, standing.cancelled ? '0' : quantityOf(standing)),
    shipped: addDecimals(sums.shipped, kept.shipped),
    reconciled: addDecimals(sums.reconciled, kept.reconciled),
    reversed: addDecimals(sums.reversed, kept.reversed),
    stopped: sums.stopped || standing.stopped,
  });
}

async function* ofAccount(bankUrl: string, account: string, sums: AccountSums): AsyncGenerator<Finding> {
  const bank = await ledgerOf(bankUrl, account);
  const pairs: readonly (readonly [string, string, string])[] = [
    ['the bridge has reconciled', sums.reconciled, bank.debited_sum],
    ['the bridge has shipped', sums.shipped, bank.debited_sum],
    ['the bridge saw come back', sums.reversed, bank.reversed_sum],
    ...(sums.stopped ? [] : [['were submitted', sums.submitted, bank.debited_sum] as const]),
  ];
  for (const [what, ours, theirs] of pairs) {
    if (compareDecimals(ours, theirs) === 0) continue;
    yield { found: `Account ${account}: ${ours} ${what}, and the bank has booked ${theirs}.` };
  }
}
