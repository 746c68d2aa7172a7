import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answersIn } from '../fuzz/client.ts';
import { openApi, type TestApi } from '../support/api.ts';
import { debit, newId, statementText } from '../support/records.ts';

const MEGABYTE = 1024 * 1024;

describe('a connection', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openApi({ statementBytesMax: MEGABYTE });
  });
  afterAll(() => api.close());

  /**
   * Sends bytes on a connection of its own, the next piece after the answer to the one before, and reads until so many
   * answers have come or the server closes it.
   */
  const talk = async (count: number, ...pieces: (string | Buffer)[]) => {
    const received: Buffer[] = [];
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    let sent = 1;
    const answers = () => answersIn(Buffer.concat(received));
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        received.push(chunk);
        const next = pieces[answers().length];
        if (answers().length === count) socket.end();
        else if (next && answers().length === sent) {
          sent += 1;
          socket.write(next);
        }
      });
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    socket.once('close', () => close());
    socket.write(pieces[0] ?? '');
    await closed;
    return answers().map(({ status, text }) => ({ status, text }));
  };

  const refusal = (code: string) => expect.stringContaining(`"response_error_code":"${code}"`);
  const ping = 'GET /ping HTTP/1.1\r\nHost: x\r\n\r\n';

  /**
   * An upload with so many bytes behind the form, or in a part of it that has no end to its headers: the form's reader
   * gives up there.
   */
  const upload = (file: string, behind: number, isPart = false) => {
    const form = `--b\r\nContent-Disposition: form-data; name="statement_file"; filename="s"\r\n\r\n${file}\r\n--b${isPart ? '' : '--'}\r\n`;
    const head = `POST /upload_mt940 HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n`;
    const body = Buffer.concat([Buffer.from(form), Buffer.alloc(behind, 'x')]);
    return Buffer.concat([
      Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`),
      body,
      Buffer.from('\r\n0\r\n\r\n'),
    ]);
  };

  it.each([
    ['bytes that are no HTTP', '\u0016\u0003\u0001\u0002\u0000', 400, 'REQUEST_MALFORMED'],
    ['a request without a host', 'GET /ping HTTP/1.1\r\n\r\n', 400, 'REQUEST_MALFORMED'],
    [
      'headers that are too large',
      `${ping.trimEnd()}\r\nX: ${'y'.repeat(50_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    [
      'a path that cannot be read',
      'GET /% HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      400,
      'REQUEST_MALFORMED',
    ],
  ])('with %s is answered with a message', async (_what, bytes, status, code) => {
    expect(await talk(1, Buffer.from(bytes, 'latin1'))).toEqual([{ status, text: refusal(code) }]);
  });

  it('whose sender expects what we do not know is answered all the same', async () => {
    expect(await talk(1, `${ping.trimEnd()}\r\nExpect: miracles\r\n\r\n`)).toEqual([
      { status: 200, text: '"pong"' },
    ]);
  });

  it('takes the next request though an upload has something behind its form', async () => {
    const text = statementText('1', [debit(newId('D'), '1')]);
    const [stored, pong] = await talk(2, upload(text, 20_000), ping);
    expect(stored).toEqual({ status: 200, text: expect.stringContaining('"SUCCESS"') });
    expect(pong).toEqual({ status: 200, text: '"pong"' });
  });

  it.each([
    ['a form with a statement', true, false],
    ['a form without a statement', false, false],
    ['a statement in a form that breaks off', true, true],
    ['something else in a form that breaks off', false, true],
  ])('is never left open behind much that follows %s', async (_what, isStatement, isPart) => {
    const text = isStatement ? statementText('1', [debit(newId('D'), '1')]) : 'no statement';
    // Whether the next request is taken does not matter, but nobody may wait for it in vain.
    const answers = await talk(2, upload(text, 3_000_000, isPart), ping);
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.at(-1)?.status).toBeLessThan(500);
  });
});
