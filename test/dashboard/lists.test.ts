import { describe, expect, it } from 'vitest';
import { tablesOf } from '../../src/dashboard/pages/actor/tables.ts';
import { targetParts } from '../../src/dashboard/pages/audit/target.ts';
import { byStage, type ErrorGroup } from '../../src/dashboard/pages/errors/by-stage.ts';
import { countUpTo, isClean, statementTitle } from '../../src/dashboard/pages/statements/statement-words.ts';
import { uploadSentence } from '../../src/dashboard/pages/statements/uploads.ts';
import { counted, nameText, shortId } from '../../src/dashboard/text.ts';

const group = (stage: string, code: string, count: number): ErrorGroup => ({
  stage,
  title: stage.toUpperCase(),
  machine: 'batch',
  region: 'fa_resolution',
  code,
  count,
  first_at: '2026-01-05T09:00:00.000Z',
  last_at: '2026-01-05T09:00:00.000Z',
  message: null,
  actions: ['retry'],
  payer_only: [],
});

describe('errors by stage', () => {
  it('keeps the order of the stages and puts the largest group of each first', () => {
    const stages = byStage([group('pay', 'A', 1), group('notify', 'B', 5), group('pay', 'C', 7)]);
    expect(stages.map(({ title, count }) => [title, count])).toEqual([
      ['PAY', 8],
      ['NOTIFY', 5],
    ]);
    expect(stages[0]?.groups.map(({ code }) => code)).toEqual(['C', 'A']);
  });
});

describe('the row of an actor', () => {
  const row = [
    { table: 'a', column: 'x', value: '1' },
    { table: 'b', column: 'y', value: null },
    { table: 'a', column: 'z', value: null },
  ];

  it('is shown table by table, with its empty columns only when asked for', () => {
    expect(tablesOf(row, false)).toEqual([{ table: 'a', columns: [{ column: 'x', value: '1' }] }]);
    expect(tablesOf(row, true).map(({ table, columns }) => [table, columns.length])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });
});

describe('what an action was done to', () => {
  const texts = (target: Record<string, unknown>) =>
    targetParts(target).map(({ text, href }) => [text, href]);

  it('leads to the errors of a group, and to the records that are named', () => {
    const target = { stage: 'pay', code: 'X', envelope: 'E-1', ids: ['B-1'], number_of_ids: 3 };
    expect(texts(target)).toEqual([
      ['Pay, X', '/errors/pay/X?envelope=E-1'],
      ['envelope E-1', '/envelopes/E-1'],
      ['B-1', '/find?q=B-1'],
      ['and 2 records more', null],
    ]);
  });

  it('leads to operations for a stage, and to the statements that were uploaded', () => {
    expect(texts({ stage: 'mapper_resolution' })).toEqual([['Mapper resolution', '/operations']]);
    expect(texts({ statements: ['S-1'], number_of_statements: 1 })).toEqual([
      ['statement S-1', '/statements/S-1'],
    ]);
  });

  it('is shown as it stands where it is not known', () => {
    expect(texts({ as_of: '2026-01-05', something: { a: 1 } })).toEqual([['Something: {"a":1}', null]]);
  });
});

describe('an uploaded file', () => {
  const uploaded = (...known: readonly boolean[]) => ({
    statements: known.map((already_uploaded, at) => ({ statement_id: String(at), already_uploaded })),
  });

  it('says what was new in it', () => {
    expect(uploadSentence(uploaded(false))).toBe('1 statement stored, and matched in a moment.');
    expect(uploadSentence(uploaded(true))).toBe(
      'This statement was uploaded before; nothing has been added.',
    );
    expect(uploadSentence(uploaded(true, true))).toBe(
      'All 2 statements of it were uploaded before; nothing has been added.',
    );
    expect(uploadSentence(uploaded(false, true))).toBe(
      '1 statement stored, and matched in a moment. 1 statement of it had been uploaded before.',
    );
  });
});

describe('a statement', () => {
  const clean = {
    id: '01a20453-f30c-7186-8b03-a27f65848e08',
    uploaded_at: '2026-01-05T09:00:00.000Z',
    account_number: null,
    statement_number: null,
    sequence_number: null,
    statement_date: null,
    number_of_entries: 0,
    state: 'PROCESSED',
    error_code: null,
    discrepancies: 0,
    reference_number: null,
    error_message: null,
    matched: { count: 1, quantity: '1' },
    reversed: { count: 0, quantity: '0' },
    by_reason: [],
  };

  it('is called as the bank numbers it, or by the end of its id', () => {
    expect(statementTitle({ ...clean, statement_number: '42', sequence_number: '1' })).toBe('42/1');
    expect(statementTitle({ ...clean, statement_number: '42' })).toBe('42');
    expect(statementTitle(clean)).toBe('…a27f65848e08');
  });

  it('is clean when all of it was matched', () => {
    expect(isClean(clean)).toBe(true);
    expect(isClean({ ...clean, state: 'PENDING' })).toBe(false);
    expect(isClean({ ...clean, reversed: { count: 1, quantity: '1' } })).toBe(false);
    expect(isClean({ ...clean, by_reason: [{ kind: 'AMOUNT_MISMATCH', count: 1, quantity: '1' }] })).toBe(
      false,
    );
  });

  it('is counted up to a maximum', () => {
    expect(countUpTo(999, 1_000)).toBe('999');
    expect(countUpTo(1_000, 1_000)).toMatch(/^1\s000 or more$/u);
  });
});

describe('words', () => {
  it('are what people read', () => {
    expect(counted(1, 'batch', 'batches')).toBe('1 batch');
    expect(counted(0, 'batch', 'batches')).toBe('0 batches');
    expect(nameText('fa_resolution')).toBe('FA resolution');
    expect(nameText('sponsor_bank_dispatch')).toBe('Sponsor bank dispatch');
    expect(shortId('B-1')).toBe('B-1');
  });
});
