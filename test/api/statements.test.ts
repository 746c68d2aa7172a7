import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summariseMt940 } from '../../src/connectors/mt940/digest.ts';
import { storedStatement } from '../../src/stages/stored-statement.ts';
import { openApi, type TestApi } from '../support/api.ts';
import { beginUpload } from '../support/raw-upload.ts';
import { debit, newId, statementText } from '../support/records.ts';

const MEGABYTE = 2 ** 20;

describe('uploading a bank statement', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openApi({ statementBytesMax: 8 * MEGABYTE });
  });
  afterAll(() => api.close());

  const debits = (count: number) => Array.from({ length: count }, () => debit(newId('D'), '100'));
  const storedText = async (id: string): Promise<string> => {
    let text = '';
    for await (const piece of storedStatement(api.database.sql, id)) text += piece;
    return text;
  };

  it('stores the statement, describes it and sets it on its way', async () => {
    const text = statementText('1000200030', debits(2));
    const reply = await api.upload(text);
    expect(reply.status).toBe(200);
    expect(reply.header).toMatchObject({
      response_status: 'SUCCESS',
      response_error_code: null,
      request_id: '',
    });
    expect(reply.payload).toMatchObject({
      already_uploaded: false,
      message: expect.stringContaining('2 entries'),
    });
    const id = reply.payload.statement_id;
    const [row] = await api.database.sql`select * from account_statements where statement_id = ${id}`;
    expect(row).toMatchObject({
      account_number: '1000200030',
      reference_number: /:20:(.*)\r/.exec(text)?.[1],
      statement_number: '1',
      sequence_number: '1',
      statement_date: '2026-01-05',
      number_of_entries: 2,
      statement_process_status: 'PENDING',
    });
    expect(await storedText(id)).toBe(text.replaceAll('\r\n', '\n'));
  });

  it('says of a statement that is there already, in whatever layout, under which id it is', async () => {
    const text = statementText('1000200030', debits(3));
    const first = await api.upload(text);
    const before = await api.written();
    for (const layout of [
      text,
      text.replaceAll('\r\n', '\n'),
      `\u{feff}{1:F01}{4:\r\n${text.replace(/-\r\n$/, '-}')}`,
    ]) {
      const again = await api.upload(layout);
      expect(again.header.response_status).toBe('SUCCESS');
      expect(again.payload).toMatchObject({
        statement_id: first.payload.statement_id,
        already_uploaded: true,
        message: expect.stringContaining('uploaded already'),
      });
    }
    expect(await api.written()).toEqual(before);
  });

  it('stores a statement once that comes many times at the same moment', async () => {
    const text = statementText('1000200030', debits(2));
    const replies = await Promise.all(Array.from({ length: 8 }, () => api.upload(text)));
    expect(new Set(replies.map((reply) => reply.payload.statement_id)).size).toBe(1);
    expect(replies.filter((reply) => !reply.payload.already_uploaded)).toHaveLength(1);
  });

  it.each([
    ['something else', 'Dear Sir or Madam,\n', 'MT940_NOT_MT940', /^Line 1: /],
    ['nothing', '', 'MT940_NOT_MT940', /./],
    ['a picture', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), 'MT940_NOT_MT940', /^Line 1/],
    [
      'an amount that is none',
      statementText('1', debits(1)).replace(/(:61:.{10}D)\d+,/, '$1abc,'),
      null,
      /^Line 5 \(:61:\): /,
    ],
    [
      'entries that do not add up',
      statementText('1', debits(2)).replace(/:62F:(.{10})9/, ':62F:$18'),
      'MT940_BALANCE_MISMATCH',
      /^Line \d+ \(:62F:\): /,
    ],
    ['no end', statementText('1', debits(2)).replace(/:62F:.*/s, ''), null, /^Line \d+/],
    ['one long line', `:20:${'A'.repeat(3 * MEGABYTE)}`, 'MT940_LINE_TOO_LONG', /^Line 1/],
  ])(
    'refuses a file with %s, naming line and tag, and writes nothing',
    async (_name, file, code, message) => {
      const before = await api.written();
      const reply = await api.upload(file as string);
      expect(reply.status).toBe(200);
      expect(reply.header.response_status).toBe('ERROR');
      expect(reply.header.response_error_code).toMatch(code ?? /^MT940_/);
      expect(reply.header.response_error_message).toMatch(message);
      expect(reply.payload).toBeNull();
      expect(await api.written()).toEqual(before);
    },
  );

  it('keeps what is written in latin-1 and leaves out the padding that cannot be stored', async () => {
    const text = statementText('1000200030', [{ ...debit(newId('D'), '5'), narrative: ['Müller & Söhne'] }]);
    const reply = await api.upload(Buffer.from(`\0\0${text}\0\0`, 'latin1'));
    expect(reply.header.response_error_message).toBeNull();
    expect(await storedText(reply.payload.statement_id)).toContain('Müller & Söhne\n');
  });

  it('stores a large statement in pieces that say the same as the file', async () => {
    const text = statementText('1000200030', debits(25_000));
    expect(text.length).toBeGreaterThan(2 * MEGABYTE);
    const reply = await api.upload(text);
    const id = reply.payload.statement_id;
    const parts = await api.database.sql`
      select part, length(statement_lob) as length from account_statement_lobs where statement_id = ${id} order by part`;
    expect(parts.length).toBeGreaterThan(2);
    for (const { length } of parts) expect(length).toBeLessThan(1.1 * MEGABYTE);
    const [row] = await api.database
      .sql`select content_digest from account_statements where statement_id = ${id}`;
    const stored = await summariseMt940(storedStatement(api.database.sql, id));
    expect(stored).toMatchObject({ statements: [{ digest: row?.content_digest }], entries: 25_000 });
  });

  describe('that is too large', () => {
    it('answers 413 before it is read whole', async () => {
      const before = await api.written();
      const upload = beginUpload(api.url);
      const line = `:86:${'x'.repeat(60)}\r\n`.repeat(MEGABYTE / 64);
      await upload.send(
        ':20:REF\r\n:25:1\r\n:28C:1/1\r\n:60F:C250701ETB1,\r\n:61:2507010701D100,NTRFNONREF\r\n',
      );
      for (let sent = 0; sent < 9; sent += 1)
        await upload.send(line.replaceAll(':86:', ':61:2507010701D100,NTRFNONREF\r\n:86:'));
      // The request has not been ended, and never will be.
      const { status, text } = await upload.answer();
      expect(status).toBe(413);
      expect(JSON.parse(text).response_header.response_error_code).toBe('REQUEST_TOO_LARGE');
      upload.abort();
      expect(await api.written()).toEqual(before);
    });

    it('answers 413 before it is read at all when its length says so', async () => {
      const upload = beginUpload(api.url, { contentLength: 9 * MEGABYTE });
      expect((await upload.answer()).status).toBe(413);
      upload.abort();
    });
  });

  it('answers 503 rather than keep more than it has memory for, and takes the same file later', async () => {
    const small = await openApi({ statementBytesMax: 1.5 * MEGABYTE });
    try {
      const text = statementText('1000200030', debits(12_000)).slice(0, 1.2 * MEGABYTE);
      const uploads = Array.from({ length: 6 }, () => beginUpload(small.url));
      await Promise.all(uploads.map((upload) => upload.send(text)));
      const refused = await Promise.any(uploads.map((upload) => upload.answer()));
      expect(refused.status).toBe(503);
      for (const upload of uploads) upload.abort();
      const reply = await small.upload(statementText('1000200030', debits(1)));
      expect(reply.header.response_status).toBe('SUCCESS');
    } finally {
      await small.close();
    }
  });

  it('says which field it wants when there is no file in it', async () => {
    const other = await api.upload(statementText('1', debits(1)), { field: 'file' });
    expect(other.header.response_error_code).toBe('REQUEST_VALIDATION_ERROR');
    expect(other.header.response_error_message).toContain('statement_file');
    const form = new FormData();
    form.append('statement_file', 'not a file');
    const text = await fetch(`${api.url}/upload_mt940`, { method: 'POST', body: form }).then((answer) =>
      answer.json(),
    );
    expect(text).toMatchObject({ response_header: { response_error_code: 'REQUEST_VALIDATION_ERROR' } });
  });

  it.each([
    ['a boundary that never comes', 'multipart/form-data; boundary=x', '--y\r\n\r\n', 400],
    ['no boundary', 'multipart/form-data', '--x\r\n\r\n', 400],
    [
      'a part that does not end',
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="statement_file"; filename="f"\r\n\r\n:20:REF',
      400,
    ],
    [
      'a field name that is none',
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="__proto__"; filename="f"\r\n\r\n:20:REF\r\n--x--\r\n',
      400,
    ],
    ['JSON', 'application/json', '{}', 415],
  ])('answers a request with %s as malformed', async (_name, contentType, body, status) => {
    const reply = await api.post('/upload_mt940', body, contentType);
    expect(reply.status).toBe(status);
    expect(reply.header.response_status).toBe('ERROR');
  });

  it('writes nothing when the sender goes away in the middle, and goes on', async () => {
    const before = await api.written();
    const upload = beginUpload(api.url);
    await upload.send(statementText('1000200030', debits(100)));
    upload.abort();
    const reply = await api.upload(statementText('1000200030', debits(1)));
    expect(reply.header.response_status).toBe('SUCCESS');
    expect((await api.written()).account_statements).toBe((before.account_statements ?? 0) + 1);
  });

  it('tells the log nothing of accounts', async () => {
    await api.upload(statementText('ACCOUNT-7654321', debits(1)));
    await api.upload(statementText('ACCOUNT-7654321', debits(1)).replace(':62F:', ':62X:'));
    expect(api.logs.length).toBeGreaterThan(0);
    expect(api.logs.join('')).not.toContain('7654321');
  });
});
