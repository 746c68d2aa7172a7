/** The example bank: the sponsor bank of demo, tests and benchmarks. */
import '../shared/quick-start.ts';
import { type ServerArguments, serverCommand, wholeNumber } from '../shared/arguments.ts';
import { mountControl } from '../shared/control.ts';
import { openDatabase } from '../shared/database.ts';
import { createLog } from '../shared/log.ts';
import { createMachinery, mount, pingRoute } from '../shared/routes.ts';
import { createServer, serve, start } from '../shared/server.ts';
import { mountAdmin } from './admin.ts';
import { AutoStatements } from './auto-statements.ts';
import { Returns, returnRuleSchema } from './returns.ts';
import {
  type Bank,
  blockFundsRoute,
  checkFundsRoute,
  generateStatementRoute,
  initiatePaymentRoute,
  paymentStatusRoute,
  releaseFundsRoute,
  ussdRoute,
} from './routes.ts';
import { bankTables } from './tables.ts';
import { StatementUploader } from './uploader.ts';

interface BankArguments extends ServerArguments {
  statementUploadUrl?: string;
  statementUploadToken?: string;
  autoStatementMs: number;
  statementEntriesMax: number;
  ownBankCode: string;
  takeRepeatedReferences?: true;
}

const name = 'bank-simulator';
const dayMs = 86_400_000;

const options = serverCommand(name, 'A sponsor bank: funds, payments, MT940 statements')
  .option('--statement-upload-url <url>', 'where statements are uploaded; without it they are only kept')
  .option('--statement-upload-token <token>', 'bearer token for the upload')
  .option(
    '--auto-statement-ms <ms>',
    'make a statement after an account rested so long; 0: never',
    wholeNumber(0, dayMs),
    0,
  )
  .option(
    '--statement-entries-max <count>',
    'most entries of one statement',
    wholeNumber(1, 1_000_000),
    100_000,
  )
  .option('--own-bank-code <code>', 'payments to any other bank code may be set to come back', 'EXAMPLE-BANK')
  .option('--take-repeated-references', 'debit once more what comes again under another idempotency key')
  .parse()
  .opts<BankArguments>();

await start(name, async () => {
  const log = createLog(name);
  const sql = await openDatabase(
    options.databaseUrl,
    name,
    bankTables(options.takeRepeatedReferences === true),
  );
  const machinery = createMachinery();
  const returns = new Returns(options.ownBankCode);
  const uploader =
    options.statementUploadUrl === undefined
      ? null
      : new StatementUploader(
          sql,
          { url: options.statementUploadUrl, token: options.statementUploadToken },
          log,
        );
  const autoStatements = new AutoStatements(
    sql,
    {
      restMs: options.autoStatementMs,
      entriesMax: options.statementEntriesMax,
      onMade: () => uploader?.wake(),
    },
    log,
  );
  const bank: Bank = {
    sql,
    returns,
    statementEntriesMax: options.statementEntriesMax,
    onMoved: (accountNumbers) => autoStatements.moved(accountNumbers),
    onStatement: (accountNumber, returned) => {
      uploader?.wake();
      if (returned) autoStatements.moved([accountNumber]);
    },
  };

  const app = createServer(log);
  mount(app, pingRoute(), machinery);
  mount(app, checkFundsRoute(bank), machinery);
  mount(app, blockFundsRoute(bank), machinery);
  mount(app, releaseFundsRoute(bank), machinery);
  mount(app, initiatePaymentRoute(bank), machinery);
  mount(app, paymentStatusRoute(bank), machinery);
  mount(app, generateStatementRoute(bank), machinery);
  mount(app, ussdRoute(bank), machinery);
  mountControl(app, machinery, {
    name: 'reversals',
    schema: returnRuleSchema,
    apply: (rule, seed) => returns.replace(rule, seed),
    report: () => returns.report(),
  });
  mountAdmin(app, sql, {
    moved: (accountNumbers) => autoStatements.moved(accountNumbers),
    reset: () => {
      autoStatements.stop();
      uploader?.wake();
      machinery.faults.replace([]);
      returns.replace(null, machinery.faults.seed);
      machinery.counts.clear();
    },
  });

  uploader?.start();
  await autoStatements.start();
  await serve(app, options, async () => {
    autoStatements.stop();
    await uploader?.stop();
    await sql.end({ timeout: 1 });
  });
});
