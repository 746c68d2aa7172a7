import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summariseMt940 } from '../../src/connectors/mt940/digest.ts';
import { storedStatement } from '../../src/stages/stored-statement.ts';
import { openApi, type TestApi } from '../support/api.ts';
import { debit, newId, statementText } from '../support/records.ts';

describe('uploading a file of several statements', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openApi();
  });
  afterAll(() => api.close());

  const statement = (account: string, entries: number) =>
    statementText(
      account,
      Array.from({ length: entries }, () => debit(newId('D'), '100')),
    );
  const storedText = async (id: string): Promise<string> => {
    let text = '';
    for await (const piece of storedStatement(api.database.sql, id)) text += piece;
    return text;
  };

  it('stores each by itself, of its own account, and sets each on its way', async () => {
    const texts = [statement('ACC-1', 1), statement('ACC-2', 2), statement('ACC-1', 3)];
    const { payload } = await api.upload(texts.join(''));
    expect(payload).toMatchObject({
      statement_id: payload.statements[0].statement_id,
      already_uploaded: false,
      message: 'The file has 3 statements with 6 entries in all; they have been stored.',
      statements: [
        { account_number: 'ACC-1', number_of_entries: 1, already_uploaded: false, statement_number: '1' },
        { account_number: 'ACC-2', number_of_entries: 2, already_uploaded: false, sequence_number: '1' },
        { account_number: 'ACC-1', number_of_entries: 3, already_uploaded: false },
      ],
    });
    for (const [n, { statement_id: id, reference_number }] of payload.statements.entries()) {
      const [row] = await api.database.sql`
        select account_number, number_of_entries, reference_number, statement_process_status as status
        from account_statements where statement_id = ${id}`;
      expect(row).toEqual({
        account_number: n === 1 ? 'ACC-2' : 'ACC-1',
        number_of_entries: n + 1,
        reference_number,
        status: 'PENDING',
      });
      expect(await storedText(id)).toBe(texts[n]?.replaceAll('\r\n', '\n'));
    }
  });

  it('adds only those that are not there yet, and says which id each has', async () => {
    const [monday, tuesday, wednesday] = [statement('W', 1), statement('W', 2), statement('W', 3)];
    const first = await api.upload(monday);
    const second = await api.upload(wednesday);
    const week = await api.upload(monday + tuesday + wednesday);
    expect(week.payload).toMatchObject({
      statement_id: first.payload.statement_id,
      already_uploaded: false,
      message: expect.stringContaining('1 have been stored, 2 were uploaded already'),
      statements: [
        { statement_id: first.payload.statement_id, already_uploaded: true },
        { number_of_entries: 2, already_uploaded: false },
        { statement_id: second.payload.statement_id, already_uploaded: true },
      ],
    });
    const before = await api.written();
    const again = await api.upload(wednesday + monday + tuesday);
    expect(again.payload).toMatchObject({
      statement_id: second.payload.statement_id,
      already_uploaded: true,
      message: expect.stringContaining('nothing has been added'),
    });
    expect(
      new Set(again.payload.statements.map((one: { statement_id: string }) => one.statement_id)),
    ).toEqual(new Set(week.payload.statements.map((one: { statement_id: string }) => one.statement_id)));
    expect(await api.written()).toEqual(before);
  });

  it('stores a statement once that stands in the file twice', async () => {
    const [one, other] = [statement('T', 1), statement('T', 2)];
    const { payload } = await api.upload(one + other + one);
    expect(payload.statements.map((row: { already_uploaded: boolean }) => row.already_uploaded)).toEqual([
      false,
      false,
      true,
    ]);
    expect(payload.statements[2].statement_id).toBe(payload.statements[0].statement_id);
    expect(await storedText(payload.statements[0].statement_id)).toBe(one.replaceAll('\r\n', '\n'));
  });

  it('stores each once when files that share statements come at the same moment, in any order', async () => {
    const shared = Array.from({ length: 12 }, (_, n) => statement(`S-${n}`, 2));
    const before = await api.count('account_statements');
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, n) => {
        const turned = [...shared.slice(n), ...shared.slice(0, n)];
        return api.upload((n % 2 === 0 ? turned : turned.reverse()).join('') + statement(`OWN-${n}`, 1));
      }),
    );
    expect(replies.map(({ status, header }) => [status, header.response_status])).toEqual(
      replies.map(() => [200, 'SUCCESS']),
    );
    expect((await api.count('account_statements')) - before).toBe(12 + 8);
    const statements = replies.flatMap(({ payload }) => payload.statements);
    const added = statements.filter((one) => !one.already_uploaded).map((one) => one.statement_id);
    expect(added).toHaveLength(20);
    expect(new Set(added).size).toBe(20);
    for (const id of added) {
      const [row] = await api.database.sql`select * from account_statements where statement_id = ${id}`;
      const stored = await summariseMt940(storedStatement(api.database.sql, id));
      expect(stored.statements.map(({ digest }) => digest)).toEqual([row?.content_digest]);
    }
  });

  it('stores none when one of them is wrong, and names its line', async () => {
    const before = await api.written();
    const wrong = statement('B', 2).replace(/:62F:(.{10})9/, ':62F:$18');
    const lines = statement('A', 1).split('\r\n').length - 1;
    const reply = await api.upload(statement('A', 1) + wrong);
    expect(reply.header.response_error_code).toBe('MT940_BALANCE_MISMATCH');
    const line = Number(/^Line (\d+) /.exec(reply.header.response_error_message ?? '')?.[1]);
    expect(line).toBe(lines + wrong.split('\r\n').findIndex((text) => text.startsWith(':62F:')) + 1);
    expect(await api.written()).toEqual(before);
  });

  it('stores a thousand statements of one file', async () => {
    const texts = Array.from({ length: 1_000 }, (_, n) => statement(`MANY-${n}`, 2));
    const { payload } = await api.upload(texts.join(''));
    expect(payload.statements).toHaveLength(1_000);
    const [last] = payload.statements.slice(-1);
    expect(await storedText(last.statement_id)).toBe(texts.at(-1)?.replaceAll('\r\n', '\n'));
  });
});
