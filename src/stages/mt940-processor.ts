import { stageSettings } from '../config.ts';
import type { BankConnector } from '../connectors/bank/bank-connector.ts';
import { parseMt940 } from '../connectors/mt940/parser.ts';
import type { Mt940Entry, Mt940Header } from '../connectors/mt940/types.ts';
import type { Outcome, OutcomeTransaction, Stage, Work } from '../runtime/stage.ts';
import { statementActor } from './actors.ts';
import { type StageContext, StageError } from './context.ts';
import { reconcile, type StatementEntry } from './reconciliation.ts';
import { bankOf } from './sponsor-bank.ts';
import { storedStatement } from './stored-statement.ts';

/**
 * Stage 5: reads a bank statement and matches its entries with what was paid.
 *
 * Due when a statement has been uploaded. Debits become `disbursement_recons`, reversals are noted there, what cannot
 * be matched goes to `disbursement_error_recons` with its reason; the envelopes are told how many were reconciled and
 * reversed. The text is read as a stream and matched with a few queries, whatever its size.
 */
export function mt940Processor(context: StageContext): Stage {
  return {
    name: 'mt940_processor',
    actor: statementActor,
    region: 'statement_process',
    ...stageSettings(context.config, 'mt940_processor'),
    concurrency: Math.min(2, context.config.worker_concurrency),
    perform: (work) => processStatement(context, work),
  };
}

async function processStatement(context: StageContext, work: Work): Promise<Outcome> {
  const account = await accountOf(context, work.id);
  const bank = await bankOfAccount(context, work.id, account);
  return {
    kind: 'succeeded',
    exclusively: [`reconciliation of account ${account}`],
    write: (tx: OutcomeTransaction) => reconcile(tx, work.id, entriesOf(context, work.id, account, bank)),
  };
}

async function accountOf({ database }: StageContext, statementId: string): Promise<string> {
  const [row] = await database.sql<{ account: string | null }[]>`
    select account_number as account from account_statements where statement_id = ${statementId}`;
  return row?.account ?? '';
}

/**
 * The entries of a stored statement that concern payments, in their order.
 *
 * @param account that the statement was found to be of when it was uploaded
 * @param bank that holds it
 * @throws Mt940Error, StageError INVALID_ACCOUNT_NUMBER
 */
async function* entriesOf(
  context: StageContext,
  statementId: string,
  account: string,
  bank: BankConnector,
): AsyncGenerator<StatementEntry> {
  let header: Mt940Header | null = null;
  let place = 0;
  const text = storedStatement(context.database.sql, statementId);
  for await (const event of parseMt940(text, { isPart: true })) {
    if (event.type === 'statement') {
      header = event.header;
      if (header.account !== account) throw otherAccount(statementId);
    } else if (event.type === 'entry' && header) {
      place += 1;
      // Credits are money received; they stay in the statement and are not matched.
      if (event.entry.mark === 'D' || event.entry.mark === 'RD')
        yield entryOf(place, header, event.entry, bank);
    }
  }
}

const otherAccount = (statementId: string): StageError =>
  new StageError(
    'INVALID_ACCOUNT_NUMBER',
    `The text of statement ${statementId} is of another account than the statement.`,
    false,
  );

/** @throws StageError INVALID_ACCOUNT_NUMBER, BANK_CONNECTOR_NOT_CONFIGURED; ConnectorError PBMS_UNAVAILABLE, … */
async function bankOfAccount(
  context: StageContext,
  statementId: string,
  account: string,
): Promise<BankConnector> {
  const sponsor = await context.sponsorBanks.ofAccount(account);
  if (sponsor) return bankOf(context, sponsor, `the account of statement ${statementId}`);
  throw new StageError(
    'INVALID_ACCOUNT_NUMBER',
    `Statement ${statementId} is of an account that pays for no program in ${context.sponsorBanks.source} (its last ` +
      `digits are ${account.slice(-4)}).`,
    false,
  );
}

function entryOf(place: number, header: Mt940Header, entry: Mt940Entry, bank: BankConnector): StatementEntry {
  const { bankReference, customerReference, narrative } = entry;
  const texts = { bankReference, customerReference, narrative };
  return {
    place,
    mark: entry.mark,
    amount: entry.amount,
    currency: header.opening.currency,
    value_date: entry.valueDate,
    entry_date: entry.entryDate,
    statement_number: header.statementNumber,
    statement_sequence: header.sequenceNumber,
    reconciliation_id: bank.reconciliationId(texts),
    bank_reference: bankReference,
    reversal_reason: entry.mark === 'RD' ? bank.reversalReason(texts) : null,
  };
}
