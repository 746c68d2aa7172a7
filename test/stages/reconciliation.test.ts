import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { bankAccount, credit, debit, newId, reversal, statementText } from '../support/records.ts';

describe('reconciling statements with payments', () => {
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

  /** A program with an envelope of one batch that the bank has been paid through. */
  async function paid(quantities: readonly string[], bankCode?: string) {
    const program = await pipeline.program();
    const wanted = quantities.map((quantity) => ({ quantity, address: bankAccount(bankCode) }));
    const disbursing = await pipeline.disburse(program, [wanted]);
    await becomes(() => pipeline.envelope(disbursing.envelope.id), {
      number_of_disbursements_shipped: quantities.length,
    });
    return { program, disbursing, ids: disbursing.ids as [string, ...string[]] };
  }

  /** Uploads statements, all at once, and waits until they have been processed. @returns their ids */
  async function process(...texts: string[]): Promise<string[]> {
    const statements = await pipeline.upload(...texts);
    for (const id of statements) {
      await becomes(() => pipeline.statement(id), { statement_process_status: 'PROCESSED' });
    }
    return statements;
  }

  const counts = ({ envelope }: Disbursing, reconciled: number, reversed: number) =>
    becomes(() => pipeline.envelope(envelope.id), {
      number_of_disbursements_reconciled: reconciled,
      number_of_disbursements_reversed: reversed,
    });

  const reconsOf = ({ envelope }: Disbursing) => pipeline.database.sql`
    select * from disbursement_recons where disbursement_envelope_id = ${envelope.id} order by remittance_entry_sequence`;

  /** Why entries of statements were not matched: `<place>: <reason>`, in order. */
  async function errorsOf(statementId: string | undefined): Promise<string[]> {
    const rows = await pipeline.database.sql<{ entry_sequence: number; error_reason: string }[]>`
      select entry_sequence, error_reason from disbursement_error_recons
      where statement_id = ${statementId ?? ''} order by entry_sequence`;
    return rows.map((row) => `${row.entry_sequence}: ${row.error_reason}`);
  }

  it('matches every payment with its entry on the statement of the bank', async () => {
    const { program, disbursing, ids } = await paid(['10.50', '20']);
    const [statement] = await process(await outside.bank.statement(program.account));
    await counts(disbursing, 2, 0);
    const recons = await reconsOf(disbursing);
    expect(recons.map((row) => row.reconciliation_id).sort()).toEqual([...ids].sort());
    expect(recons.find((row) => row.reconciliation_id === ids[0])).toMatchObject({
      disbursement_id: ids[0],
      disbursement_batch_control_id: disbursing.batches[0]?.row.id,
      remittance_amount: '10.50',
      remittance_statement_id: statement,
      remittance_statement_number: '1',
      remittance_statement_sequence: '1',
      remittance_reference_number: expect.stringMatching(/^EB\d+$/),
      remittance_value_date: expect.any(Date),
      reversal_found: false,
    });
    expect(await errorsOf(statement)).toEqual([]);
  });

  it('finds in a later statement that a bank has returned a payment, and why', async () => {
    await outside.bank.reversals('FAR-BANK');
    const { program, disbursing, ids } = await paid(['10', '20'], 'FAR-BANK');
    await process(await outside.bank.statement(program.account));
    await counts(disbursing, 2, 0);
    const [later] = await process(await outside.bank.statement(program.account));
    await counts(disbursing, 2, 2);
    for (const row of await reconsOf(disbursing)) {
      expect(row).toMatchObject({
        reversal_found: true,
        reversal_statement_id: later,
        reversal_statement_number: '2',
        reversal_reason: 'ACCOUNT CLOSED',
      });
    }
    expect(await errorsOf(later)).toEqual([]);
    expect(await outside.bank.ledger(program.account)).toMatchObject({ reversed: ids.length });
  });

  it('keeps entries whose id belongs to no payment as INVALID_RECONCILIATION_ID', async () => {
    const { program, disbursing, ids } = await paid(['10']);
    const nameless = { ...debit('x', '4'), customerReference: 'NONREF', narrative: [] };
    const [statement] = await process(
      statementText(program.account, [debit(newId('D'), '10'), debit(ids[0], '10'), nameless]),
    );
    await counts(disbursing, 1, 0);
    expect(await errorsOf(statement)).toEqual([
      '1: INVALID_RECONCILIATION_ID',
      '3: INVALID_RECONCILIATION_ID',
    ]);
    expect(await reconsOf(disbursing)).toMatchObject([{ remittance_entry_sequence: 2 }]);
  });

  it('takes the first entry of a payment and keeps the others of the file as DUPLICATE_DISBURSEMENT', async () => {
    const { program, disbursing, ids } = await paid(['10']);
    const [statement] = await process(
      statementText(program.account, [debit(ids[0], '10'), debit(ids[0], '10'), debit(ids[0], '10')]),
    );
    await counts(disbursing, 1, 0);
    expect(await errorsOf(statement)).toEqual(['2: DUPLICATE_DISBURSEMENT', '3: DUPLICATE_DISBURSEMENT']);
  });

  it('keeps entries that an earlier statement had as DUPLICATE_DISBURSEMENT', async () => {
    const { program, disbursing, ids } = await paid(['10', '20']);
    await process(statementText(program.account, [debit(ids[0], '10')]));
    const [later] = await process(
      statementText(program.account, [debit(ids[0], '10'), debit(ids[1] ?? '', '20')]),
    );
    await counts(disbursing, 2, 0);
    expect(await errorsOf(later)).toEqual(['1: DUPLICATE_DISBURSEMENT']);
  });

  it('never counts a payment twice when statements with the same entries are processed at once', async () => {
    const { program, disbursing, ids } = await paid(['10', '20', '30']);
    const other = await pipeline.program();
    const entries = ids.map((id, n) => debit(id, ['10', '20', '30'][n] ?? ''));
    // Statements of one account take turns; the other account's does not wait for them.
    const statements = await process(
      ...[program, program, other, other].map(({ account }) => statementText(account, entries)),
    );
    await counts(disbursing, 3, 0);
    const errors = (await Promise.all(statements.map(errorsOf))).flat();
    expect(errors.map((error) => error.split(' ')[1])).toEqual(Array(9).fill('DUPLICATE_DISBURSEMENT'));
    expect(await reconsOf(disbursing)).toHaveLength(3);
  });

  it('keeps entries of another amount as AMOUNT_MISMATCH, and takes the right one when it comes', async () => {
    const { program, disbursing, ids } = await paid(['10']);
    const [statement] = await process(
      statementText(program.account, [debit(ids[0], '10.01'), debit(ids[0], '9.99'), debit(ids[0], '10.00')]),
    );
    await counts(disbursing, 1, 0);
    expect(await errorsOf(statement)).toEqual(['1: AMOUNT_MISMATCH', '2: AMOUNT_MISMATCH']);
    expect(await reconsOf(disbursing)).toMatchObject([{ remittance_entry_sequence: 3 }]);
  });

  it('keeps entries of another currency as AMOUNT_MISMATCH', async () => {
    const { program, disbursing, ids } = await paid(['10']);
    const [statement] = await process(
      statementText(program.account, [debit(ids[0], '10')], { currency: 'EUR' }),
    );
    expect(await errorsOf(statement)).toEqual(['1: AMOUNT_MISMATCH']);
    await counts(disbursing, 0, 0);
  });

  it('counts a quantity of zero once, even if the bank shows an entry for it', async () => {
    const { program, disbursing, ids } = await paid(['10']);
    const nothing = await pipeline.disburse(program, [['0']]);
    await counts(nothing, 1, 0);
    const [statement] = await process(
      statementText(program.account, [debit(nothing.ids[0] ?? '', '0'), debit(ids[0], '10')]),
    );
    await counts(disbursing, 1, 0);
    expect(await errorsOf(statement)).toEqual(['1: DUPLICATE_DISBURSEMENT']);
    await counts(nothing, 1, 0);
  });

  it('keeps reversals without their remittance as INVALID_REVERSAL', async () => {
    const { program, disbursing, ids } = await paid(['10', '20']);
    const [statement] = await process(
      statementText(program.account, [
        debit(ids[0], '10'),
        reversal(ids[0], '9'),
        reversal(ids[1] ?? '', '20'),
        reversal(newId('D'), '5'),
      ]),
    );
    await counts(disbursing, 1, 0);
    expect(await errorsOf(statement)).toEqual([
      '2: INVALID_REVERSAL',
      '3: INVALID_REVERSAL',
      '4: INVALID_REVERSAL',
    ]);
  });

  it('takes one reversal of a payment, wherever in the file it stands among wrong ones', async () => {
    const { program, disbursing, ids } = await paid(['10']);
    const [statement] = await process(
      statementText(program.account, [
        reversal(ids[0], '9', 'wrong amount'),
        reversal(ids[0], '10', 'the right one'),
        debit(ids[0], '10'),
        reversal(ids[0], '10', 'once more'),
      ]),
    );
    await counts(disbursing, 1, 1);
    expect(await errorsOf(statement)).toEqual(['1: INVALID_REVERSAL', '4: INVALID_REVERSAL']);
    expect(await reconsOf(disbursing)).toMatchObject([
      { reversal_found: true, reversal_entry_sequence: 2, reversal_reason: 'the right one' },
    ]);
  });

  it('applies a reversal that was processed before its remittance when the remittance turns up', async () => {
    const { program, disbursing, ids } = await paid(['10']);
    const [early] = await process(
      statementText(program.account, [reversal(ids[0], '10', 'NO SUCH ACCOUNT')]),
    );
    expect(await errorsOf(early)).toEqual(['1: INVALID_REVERSAL']);
    await process(statementText(program.account, [debit(ids[0], '10')]));
    await counts(disbursing, 1, 1);
    expect(await errorsOf(early)).toEqual([]);
    expect(await reconsOf(disbursing)).toMatchObject([
      { reversal_found: true, reversal_statement_id: early, reversal_reason: 'NO SUCH ACCOUNT' },
    ]);
  });

  it('applies one of several early reversals and keeps the others as INVALID_REVERSAL', async () => {
    const { program, disbursing, ids } = await paid(['10']);
    const [first] = await process(
      statementText(program.account, [reversal(ids[0], '10'), reversal(ids[0], '9')]),
    );
    const [second] = await process(statementText(program.account, [reversal(ids[0], '10')]));
    await process(statementText(program.account, [debit(ids[0], '10')]));
    await counts(disbursing, 1, 1);
    expect(await errorsOf(first)).toEqual(['2: INVALID_REVERSAL']);
    expect(await errorsOf(second)).toEqual(['1: INVALID_REVERSAL']);
  });

  it('leaves credits alone', async () => {
    const { program, disbursing, ids } = await paid(['10']);
    const [statement] = await process(
      statementText(program.account, [credit('500'), debit(ids[0], '10'), credit('1')]),
    );
    await counts(disbursing, 1, 0);
    expect(await errorsOf(statement)).toEqual([]);
    expect(await pipeline.statement(statement)).toMatchObject({ number_of_entries: 3 });
  });

  it('counts for each envelope what belongs to it', async () => {
    const program = await pipeline.program();
    const envelopes = await Promise.all(
      [1, 2, 3].map(() => pipeline.disburse(program, [['10', '10'], ['10']])),
    );
    for (const { envelope } of envelopes) {
      await becomes(() => pipeline.envelope(envelope.id), { number_of_disbursements_shipped: 3 });
    }
    const [a, b, c] = envelopes.map(({ ids }) => ids);
    await process(
      statementText(program.account, [
        ...[...(a ?? []), ...(b ?? []).slice(1), ...(c ?? []).slice(2)].map((id) => debit(id, '10')),
        reversal(b?.[1] ?? '', '10'),
        reversal(b?.[2] ?? '', '10'),
      ]),
    );
    const reconciled = [3, 2, 1];
    const reversed = [0, 2, 0];
    for (const [n, one] of envelopes.entries()) await counts(one, reconciled[n] ?? 0, reversed[n] ?? 0);
  });
});
