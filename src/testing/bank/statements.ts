import type { BankConnector, StatementEntryTexts } from '../../connectors/bank/bank-connector.ts';
import { type ContractCheck, endOf, type Judge } from '../check.ts';
import type { BankHarness } from './harness.ts';
import { accepted, fundedFor } from './payments.ts';
import { bankCheck } from './trial.ts';

const REASON = 'ACCOUNT CLOSED';

/** Entries such as statements have that carry none of our ids. */
const EMPTY_ENTRIES: readonly StatementEntryTexts[] = [
  { bankReference: null, customerReference: null, narrative: [] },
  { bankReference: '', customerReference: '', narrative: ['', ' ', ''] },
];

/** What holds for reading statements, and for closing. */
export function statementChecks(harness: BankHarness): readonly ContractCheck[] {
  return [
    bankCheck(
      harness,
      {
        id: 'reconciliationId.found',
        name: 'reconciliationId finds the full payment reference in the entry of a payment',
        rule: 'reconciliationId returns the paymentReferenceNumber that the payment was sent with.',
        where: 'BankConnector.reconciliationId',
        remedy: 'Send the reference in a text that the statement brings back whole, and read it from there.',
        needs: ['statementEntry'],
      },
      async (trial) => {
        const funded = await fundedFor(trial, ['10.00']);
        const request = trial.request(funded, ['10.00']);
        await accepted(trial, request, funded);
        for (const payment of request.payments) {
          const entry = await trial.harness.statementEntry?.(funded.account, payment);
          if (!entry) throw new Error('The harness found no entry of the payment.');
          const id = trial.bank.reconciliationId(frozen(entry));
          trial.judge.require(
            id === payment.paymentReferenceNumber,
            `it was ${JSON.stringify(id)}, not "${payment.paymentReferenceNumber}", in ${JSON.stringify(entry)}`,
          );
        }
      },
    ),
    bankCheck(
      harness,
      {
        id: 'reversalReason.found',
        name: 'reversalReason finds why a payment came back, and reconciliationId whose it was',
        rule: 'reversalReason returns the reason of a reversal, for people.',
        where: 'BankConnector.reversalReason',
        remedy: "Read the reason from where this bank's statements have it.",
        needs: ['reversalEntry'],
      },
      async (trial) => {
        const funded = await fundedFor(trial, ['10.00']);
        for (const payment of trial.request(funded, ['10.00']).payments) {
          const entry = await trial.harness.reversalEntry?.(payment, REASON);
          if (!entry) throw new Error('The harness made no entry.');
          const reason = trial.bank.reversalReason(frozen(entry));
          trial.judge.require(reason === REASON, `the reason was ${JSON.stringify(reason)}, not "${REASON}"`);
          const id = trial.bank.reconciliationId(frozen(entry));
          trial.judge.require(id === payment.paymentReferenceNumber, `the id was ${JSON.stringify(id)}`);
        }
      },
    ),
    bankCheck(
      harness,
      {
        id: 'statements.pure',
        name: 'reconciliationId and reversalReason are pure, and give an empty string when there is nothing',
        rule: 'Both are called for every entry of every statement: the same entry gives the same text, and none throws.',
        where: 'BankConnector.reconciliationId and reversalReason',
        remedy: 'Look at nothing but the entry, change nothing, and return "" where it says nothing.',
      },
      async ({ bank, judge }) => {
        for (const entry of EMPTY_ENTRIES) requireEmpty(judge, bank, entry);
        const entry = frozen({
          bankReference: 'B1',
          customerReference: 'C1',
          narrative: ['a', 'b', 'c', 'd', 'e'],
        });
        for (const method of ['reconciliationId', 'reversalReason'] as const) {
          const texts = [1, 2, 3].map(() => bank[method](entry));
          judge.require(new Set(texts).size === 1, `${method} gave ${texts.join(', ')} for one entry`);
        }
      },
    ),
    bankCheck(
      harness,
      {
        id: 'close.ends',
        name: 'close ends, also after calls',
        rule: 'close releases connections and ends.',
        where: 'BankConnector.close',
        remedy: 'Do not wait for idle connections; close them.',
      },
      async (trial) => {
        const { bank, judge, boundMs } = trial;
        const account = await trial.harness.account('10.00');
        await trial.value((ctx) => bank.checkFunds({ ...account, amount: '1.00' }, ctx));
        const ended = await endOf(async () => bank.close?.(), boundMs);
        judge.require(ended.kind === 'returned', `close ${ended.kind === 'hung' ? 'did not end' : 'threw'}`);
      },
    ),
  ];
}

function requireEmpty(judge: Judge, bank: BankConnector, entry: StatementEntryTexts): void {
  for (const method of ['reconciliationId', 'reversalReason'] as const) {
    const text = textOf(() => bank[method](frozen(entry)));
    judge.require(text === '', `${method} gave ${JSON.stringify(text)} for ${JSON.stringify(entry)}`);
  }
}

/** What a method returns, or the error that it throws, as text. */
function textOf(read: () => string): string {
  try {
    return read();
  } catch (error) {
    return String(error);
  }
}

function frozen(entry: StatementEntryTexts): StatementEntryTexts {
  return Object.freeze({ ...entry, narrative: Object.freeze([...entry.narrative]) });
}
