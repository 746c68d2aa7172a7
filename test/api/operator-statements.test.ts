import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Discrepancies,
  discrepancies,
  statementDetail,
  statements,
} from '../../src/api/operator/wire/statements.ts';
import { becomes } from '../support/becomes.ts';
import { type OperatorClient, type OperatorSurface, serveOperators } from '../support/operators.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { credit, debit, reversal, statementText } from '../support/records.ts';

describe('statements as operators see them', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  let surface: OperatorSurface;
  let viewer: OperatorClient;
  let paid: Disbursing;
  let late: Disbursing;
  /** Of the statement with something of everything, of one that says nothing, and of one of an unknown account. */
  let mixed: string;
  let empty: string;
  let unknown: string;

  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, { settings: { mt940_processor_max_attempts: '1' } });
    const program = await pipeline.program();
    paid = await pipeline.disburse(program, [['10.50', '20', '30', '40']]);
    late = await pipeline.disburse(program, [['7', '8'], ['9']]);
    for (const { envelope } of [paid, late])
      await becomes(() => pipeline.envelope(envelope.id ?? ''), {
        number_of_disbursements_shipped: envelope.number_of_disbursements,
      });
    const [a = '', b = '', c = '', d = ''] = paid.ids;
    [mixed = ''] = await pipeline.upload(
      statementText(program.account, [
        debit(a, '10.50'),
        debit(a, '10.50'),
        debit(b, '21'),
        debit('nobody', '5'),
        debit(c, '30'),
        reversal(c, '30', 'ACCOUNT CLOSED'),
        reversal(d, '40', 'NO SUCH ACCOUNT'),
        credit('100'),
      ]),
    );
    await becomes(() => pipeline.statement(mixed), { statement_process_status: 'PROCESSED' });
    [empty = ''] = await pipeline.upload(statementText(program.account, []));
    await becomes(() => pipeline.statement(empty), { statement_process_status: 'PROCESSED' });
    [unknown = ''] = await pipeline.upload(statementText('0000-1111', [debit(d, '40')]));
    await becomes(() => pipeline.statement(unknown), { statement_process_status: 'ERROR' });
    // Long ago, one batch after the other.
    for (const [n, batch] of late.batches.entries()) {
      await pipeline.database.sql`
        update disbursement_batch_control
        set sponsor_bank_dispatch_timestamp = now() - make_interval(days => ${10 - n}) where id = ${batch.row.id ?? ''}`;
    }
    surface = await serveOperators({ system: pipeline.system, database: pipeline.database });
    viewer = surface.as('viewer');
  });
  afterAll(async () => {
    await surface.close();
    await pipeline.close();
    await outside.close();
  });

  async function discrepanciesOf(query = ''): Promise<Discrepancies> {
    const { status, body } = await viewer.get(`/operator/discrepancies${query}`);
    expect(status, surface.logs.at(-1)).toBe(200);
    return discrepancies.parse(body);
  }
  const countsOf = ({ kinds }: Discrepancies) =>
    Object.fromEntries(kinds.map(({ kind, count }) => [kind, count]));
  const shortly = ({ items }: Discrepancies) => items.map(({ kind, entry }) => `${kind} ${entry}`);

  it('are listed, the newest first, with what did not fit', async () => {
    const { body } = await viewer.get('/operator/statements');
    const listed = statements.parse(body);
    expect(listed.statements.map(({ id, state, discrepancies: n }) => [id, state, n])).toEqual([
      [unknown, 'ERROR', 0],
      [empty, 'PROCESSED', 0],
      [mixed, 'PROCESSED', 4],
    ]);
    expect(listed.statements[0]).toMatchObject({
      error_code: 'INVALID_ACCOUNT_NUMBER',
      account_number: '0000-1111',
    });
    expect(listed.statements[2]).toMatchObject({ number_of_entries: 8, error_code: null });
    expect(listed.next_cursor).toBeNull();
    const failed = statements.parse((await viewer.get('/operator/statements?state=ERROR')).body);
    expect(failed.statements.map(({ id }) => id)).toEqual([unknown]);
  });

  it('page without losing or repeating anything', async () => {
    const seen: string[] = [];
    let cursor = '';
    for (;;) {
      const page = statements.parse((await viewer.get(`/operator/statements?limit=1${cursor}`)).body);
      seen.push(...page.statements.map(({ id }) => id));
      if (page.next_cursor === null) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(seen).toEqual([unknown, empty, mixed]);
  });

  it('show what came of their entries', async () => {
    const { body } = await viewer.get(`/operator/statements/${mixed}`);
    expect(statementDetail.parse(body)).toMatchObject({
      id: mixed,
      error_message: null,
      matched: { count: 2, quantity: '40.50' },
      reversed: { count: 1, quantity: '30' },
      by_reason: [
        { kind: 'AMOUNT_MISMATCH', count: 1, quantity: '21' },
        { kind: 'DUPLICATE_DISBURSEMENT', count: 1, quantity: '10.50' },
        { kind: 'INVALID_RECONCILIATION_ID', count: 1, quantity: '5' },
        { kind: 'INVALID_REVERSAL', count: 1, quantity: '40' },
      ],
    });
    const failed = statementDetail.parse((await viewer.get(`/operator/statements/${unknown}`)).body);
    expect(failed.error_message).toContain('pays for no program');
    const none = await viewer.get(`/operator/statements/${encodeURIComponent('no/%ü')}`);
    expect([none.status, none.body.code]).toEqual([404, 'STATEMENT_UNKNOWN']);
  });

  it('leave discrepancies of every kind, with what is known of the payment', async () => {
    const answer = await discrepanciesOf(`?statement=${mixed}`);
    expect(countsOf(answer)).toEqual({
      AMOUNT_MISMATCH: 1,
      DUPLICATE_DISBURSEMENT: 1,
      INVALID_RECONCILIATION_ID: 1,
      INVALID_REVERSAL: 1,
      REVERSED: 1,
      MISSING: 0,
    });
    expect(answer.missing_as_of).toBeNull();
    expect(shortly(answer)).toEqual([
      'INVALID_REVERSAL 7',
      'INVALID_RECONCILIATION_ID 4',
      'AMOUNT_MISMATCH 3',
      'DUPLICATE_DISBURSEMENT 2',
      'REVERSED 6',
    ]);
    const [, b = '', c = '', d = ''] = paid.ids;
    const known = { envelope: paid.envelope.id, batch: paid.batches[0]?.row.id, statement: mixed };
    expect(answer.items[0]).toMatchObject({ ...known, payment: d, quantity: '40', note: 'NO SUCH ACCOUNT' });
    expect(answer.items[1]).toMatchObject({
      payment: null,
      names: 'nobody',
      envelope: null,
      batch: null,
      quantity: '5',
    });
    expect(answer.items[2]).toMatchObject({
      ...known,
      payment: b,
      names: b,
      quantity: '21',
      note: `REF${b.slice(-10)}`,
    });
    expect(answer.items[4]).toMatchObject({ ...known, payment: c, quantity: '30', note: 'ACCOUNT CLOSED' });
  });

  it('miss what should be on one by now', async () => {
    await becomes(async () => countsOf(await discrepanciesOf('?kind=MISSING')), { MISSING: 3 });
    const answer = await discrepanciesOf('?kind=MISSING');
    expect(answer.missing_as_of).not.toBeNull();
    const inFirst = late.batches[0]?.disbursements.map(({ id }) => id).sort();
    expect(answer.items.map(({ payment }) => payment)).toEqual([...(inFirst ?? []), late.ids[2]]);
    expect(answer.items[2]).toMatchObject({
      kind: 'MISSING',
      envelope: late.envelope.id,
      batch: late.batches[1]?.row.id,
      statement: null,
      entry: null,
      quantity: '9',
    });
    const ofOther = await discrepanciesOf(`?kind=MISSING&envelope=${paid.envelope.id}`);
    expect([countsOf(ofOther).MISSING, ofOther.items]).toEqual([0, []]);
    const ofOne = await discrepanciesOf(`?envelope=${late.envelope.id}`);
    expect(countsOf(ofOne)).toMatchObject({ MISSING: 3, REVERSED: 0, AMOUNT_MISMATCH: 0 });
    expect(ofOne.items).toEqual(answer.items);
  });

  it.each([1, 2, 3, 7])(
    'have discrepancies that page by %i without losing or repeating any',
    async (limit) => {
      const items: Discrepancies['items'] = [];
      let cursor = '';
      for (;;) {
        const page = await discrepanciesOf(`?limit=${limit}${cursor}`);
        expect(page.items.length).toBeLessThanOrEqual(limit);
        items.push(...page.items);
        if (page.next_cursor === null) break;
        expect(page.items).toHaveLength(limit);
        cursor = `&cursor=${page.next_cursor}`;
      }
      const all = await discrepanciesOf();
      expect(all.items).toHaveLength(8);
      expect(items).toEqual(all.items);
    },
  );

  it('are asked for one kind of discrepancy, and for one envelope', async () => {
    expect(shortly(await discrepanciesOf('?kind=AMOUNT_MISMATCH'))).toEqual(['AMOUNT_MISMATCH 3']);
    expect(shortly(await discrepanciesOf('?kind=REVERSED'))).toEqual(['REVERSED 6']);
    expect(shortly(await discrepanciesOf(`?envelope=${paid.envelope.id}`))).toEqual([
      'AMOUNT_MISMATCH 3',
      'DUPLICATE_DISBURSEMENT 2',
      'REVERSED 6',
    ]);
    expect((await discrepanciesOf(`?statement=${empty}`)).items).toEqual([]);
  });

  it('refuse kinds and cursors that there are not', async () => {
    const asked = async (query: string) => {
      const { status, body } = await viewer.get(`/operator/${query}`);
      return [status, body.code];
    };
    const cursor = (...values: unknown[]) => Buffer.from(JSON.stringify(values)).toString('base64url');
    expect(await asked('discrepancies?kind=none')).toEqual([400, 'KIND_UNKNOWN']);
    expect(await asked('discrepancies?kind=constructor')).toEqual([400, 'KIND_UNKNOWN']);
    for (const bad of ['x', cursor(0, 'x', '', ''), cursor(9, '1', '', ''), cursor(2, '2026', '', '')]) {
      expect(await asked(`discrepancies?cursor=${bad}`)).toEqual([400, 'CURSOR_INVALID']);
      expect(await asked(`statements?cursor=${bad}`)).toEqual([400, 'CURSOR_INVALID']);
    }
  });
});
