import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Outcome } from '../../src/runtime/stage.ts';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { openPipeline, type Pipeline, type Program } from '../support/pipeline.ts';
import { debit, reversal, statementText } from '../support/records.ts';
import { gate, until } from '../support/wait.ts';

const RUNS = 12;
const DISBURSEMENTS = 4;
const RIGHT = '10';
const WRONG = '11';

interface Entry {
  readonly disbursement: number;
  readonly isReversal: boolean;
  readonly isRight: boolean;
}

const entry: fc.Arbitrary<Entry> = fc.record({
  disbursement: fc.nat(DISBURSEMENTS - 1),
  isReversal: fc.boolean(),
  // More right ones than wrong ones, so that much happens to the same payment.
  isRight: fc.integer({ min: 1, max: 4 }).map((n) => n > 1),
});
const files = fc.array(fc.array(entry, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 });

/** What must come of the entries, in whatever order the files are processed. */
function expected(entries: readonly Entry[]) {
  const right = (disbursement: number, isReversal: boolean) =>
    entries.filter((one) => one.isRight && one.isReversal === isReversal && one.disbursement === disbursement)
      .length;
  const all = Array.from({ length: DISBURSEMENTS }, (_, n) => n);
  const reconciled = all.filter((n) => right(n, false) > 0).length;
  const reversed = all.filter((n) => right(n, false) > 0 && right(n, true) > 0).length;
  const debits = entries.filter((one) => !one.isReversal);
  const mismatches = debits.filter((one) => !one.isRight).length;
  return {
    reconciled,
    reversed,
    errors: {
      AMOUNT_MISMATCH: mismatches,
      DUPLICATE_DISBURSEMENT: debits.length - mismatches - reconciled,
      INVALID_REVERSAL: entries.length - debits.length - reversed,
    },
  };
}

describe('reconciling statements in any order, one after another or at once', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, { processes: 2 });
  });
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });

  async function process(texts: readonly string[]): Promise<string[]> {
    const statements = await pipeline.upload(...texts);
    for (const id of statements) {
      await becomes(() => pipeline.statement(id), { statement_process_status: 'PROCESSED' });
    }
    return statements;
  }

  async function check(
    program: Program,
    wanted: readonly (readonly Entry[])[],
    atOnce: boolean,
  ): Promise<void> {
    const quantities = Array(DISBURSEMENTS).fill({ quantity: RIGHT, address: null });
    const { envelope, batches, ids } = await pipeline.announce(program, [quantities]);
    for (const batch of batches) await pipeline.store(batch);
    const texts = wanted.map((entries) =>
      statementText(
        program.account,
        entries.map(({ disbursement, isReversal, isRight }) =>
          (isReversal ? reversal : debit)(ids[disbursement] ?? '', isRight ? RIGHT : WRONG),
        ),
      ),
    );
    const statements: string[] = [];
    for (const some of atOnce ? [texts] : texts.map((text) => [text]))
      statements.push(...(await process(some)));
    const { reconciled, reversed, errors } = expected(wanted.flat());
    await becomes(() => pipeline.envelope(envelope.id), {
      number_of_disbursements_reconciled: reconciled,
      number_of_disbursements_reversed: reversed,
    });
    const rows = await pipeline.database.sql<{ reason: string; count: number }[]>`
      select error_reason as reason, count(*)::int as count from disbursement_error_recons
      where statement_id = any(${statements}) group by 1`;
    const none = { AMOUNT_MISMATCH: 0, DUPLICATE_DISBURSEMENT: 0, INVALID_REVERSAL: 0 };
    expect({ ...none, ...Object.fromEntries(rows.map((row) => [row.reason, row.count])) }).toEqual(errors);
  }

  it('loses no entry and counts none twice', { timeout: 60_000 }, async () => {
    const program = await pipeline.program();
    await fc.assert(
      fc.asyncProperty(files, fc.boolean(), (wanted, atOnce) => check(program, wanted, atOnce)),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  it('applies a reversal to its remittance when both are processed at the same moment', async () => {
    const twoAtOnce = await openPipeline(outside, { processes: 0, settings: { worker_concurrency: '1' } });
    onTestFinished(() => twoAtOnce.close());
    const program = await twoAtOnce.program();
    const [reversed, goOn] = [gate(), gate()];
    // The first process has matched the reversal and is about to commit; its only worker is busy with that.
    const aboutToCommit = (outcome: Outcome): Outcome => ({
      ...outcome,
      write: async (tx) => {
        await outcome.write?.(tx);
        reversed.open();
        await goOn.opened;
      },
    });
    await twoAtOnce.join({
      between: (stages) =>
        stages.map((stage) =>
          'perform' in stage
            ? { ...stage, perform: async (work) => aboutToCommit(await stage.perform(work)) }
            : stage,
        ),
    });
    const { envelope, batches, ids } = await twoAtOnce.announce(program, [
      [{ quantity: RIGHT, address: null }],
    ]);
    for (const batch of batches) await twoAtOnce.store(batch);
    await twoAtOnce.upload(statementText(program.account, [reversal(ids[0] ?? '', RIGHT)]));
    await reversed.opened;

    await twoAtOnce.join();
    const [remittance] = await twoAtOnce.upload(statementText(program.account, [debit(ids[0] ?? '', RIGHT)]));
    await until('the remittance waits for its turn, or has been processed', async () => {
      const [row] = await twoAtOnce.database.sql<{ waits: boolean }[]>`
        select exists (
          select from pg_locks where locktype = 'advisory' and not granted
            and database = (select oid from pg_database where datname = current_database())
        ) as waits`;
      const { statement_process_status: status } = await twoAtOnce.statement(remittance);
      return row?.waits === true || status === 'PROCESSED';
    });
    goOn.open();
    await becomes(() => twoAtOnce.envelope(envelope.id), {
      number_of_disbursements_reconciled: 1,
      number_of_disbursements_reversed: 1,
    });
  });
});
