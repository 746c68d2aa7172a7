import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openApi, type TestApi } from '../support/api.ts';
import {
  FILE_BEGINS,
  FILE_ENDS,
  httpChunk,
  openConnection,
  type RawConnection,
  uploadHead,
} from '../support/raw-upload.ts';
import { debit, newId, statementText } from '../support/records.ts';

const LIMIT = 1024 * 1024;
const PIECE = 64 * 1024;
/** What may be under way in the buffers of sockets and streams when the server stops reading. */
const UNDER_WAY = 16 * 1024 * 1024;

describe('an upload over the limit', () => {
  let api: TestApi;
  const connections: RawConnection[] = [];
  beforeAll(async () => {
    api = await openApi({ statementBytesMax: LIMIT });
  });
  afterEach(() => {
    api.logs.length = 0;
    for (const connection of connections.splice(0)) connection.destroy();
  });
  afterAll(() => api.close());

  async function open(): Promise<RawConnection> {
    const connection = await openConnection(api.url);
    connections.push(connection);
    return connection;
  }

  const within = <T>(promise: Promise<T>): Promise<T> =>
    Promise.race([
      promise,
      delay(10_000, undefined, { ref: false }).then(() => Promise.reject(new Error('It took too long.'))),
    ]);

  /** Writes pieces until the server has closed. @returns bytes written */
  async function pour(connection: RawConnection, piece: string, bytesMax: number): Promise<number> {
    let isOpen = true;
    connection.closed.then(() => {
      isOpen = false;
    });
    let written = 0;
    while (isOpen && written < bytesMax) {
      await connection.write(piece);
      written += piece.length;
      // The event loop gets to read the answer.
      await new Promise(setImmediate);
    }
    return written;
  }

  const opening = ':20:REF\r\n:25:1\r\n:28C:1/1\r\n:60F:C250701ETB1,\r\n';
  const entries = ':61:2507010701D100,NTRFNONREF\r\n:86:A payment\r\n'.repeat(PIECE / 46);

  function expectTooLarge(connection: RawConnection): void {
    expect(connection.received()).toMatch(/^HTTP\/1\.1 413 /);
    expect(connection.received().toLowerCase()).toContain('connection: close');
    expect(connection.received()).toContain('"REQUEST_TOO_LARGE"');
    expect(connection.received()).toContain(String(LIMIT));
  }

  it('is answered when its length is announced, before a byte of it has been sent, and cut off', async () => {
    const connection = await open();
    await connection.write(uploadHead(`Content-Length: ${100 * LIMIT}`));
    await within(connection.closed);
    expectTooLarge(connection);
  });

  it('is answered when its length is announced beyond all numbers', async () => {
    const connection = await open();
    await connection.write(uploadHead(`Content-Length: ${'9'.repeat(18)}`));
    await within(connection.closed);
    expectTooLarge(connection);
  });

  it('is answered as soon as it has passed the limit when no length is announced, and cut off', async () => {
    const before = await api.written();
    const connection = await open();
    await connection.write(uploadHead('Transfer-Encoding: chunked'));
    await connection.write(httpChunk(FILE_BEGINS + opening));
    const written = await within(pour(connection, httpChunk(entries), 200 * LIMIT));
    await within(connection.closed);
    expectTooLarge(connection);
    expect(written).toBeLessThan(LIMIT + UNDER_WAY);
    expect(await api.written()).toEqual(before);
  });

  it('is cut off when it is refused for what it says, and goes on beyond the limit', async () => {
    const connection = await open();
    await connection.write(uploadHead('Transfer-Encoding: chunked'));
    await connection.write(httpChunk(`${FILE_BEGINS}Dear Sir or Madam,\r\n`));
    const written = await within(pour(connection, httpChunk(entries), 200 * LIMIT));
    await within(connection.closed);
    expectTooLarge(connection);
    expect(written).toBeLessThan(LIMIT + UNDER_WAY);
  });

  it('is answered and cut off when it never comes to the file', async () => {
    const connection = await open();
    await connection.write(uploadHead('Transfer-Encoding: chunked'));
    const written = await within(pour(connection, httpChunk('x'.repeat(PIECE)), 200 * LIMIT));
    await within(connection.closed);
    expectTooLarge(connection);
    expect(written).toBeLessThan(LIMIT + UNDER_WAY);
  });

  it('is answered so that a sender that is still writing can read why', async () => {
    const connection = await open();
    connection.pause();
    await connection.write(uploadHead(`Content-Length: ${100 * LIMIT}`));
    await expect.poll(() => api.logs.join('')).toContain('"REQUEST_TOO_LARGE"');
    for (let piece = 0; piece < 20; piece += 1) {
      await connection.write(entries.slice(0, 1_000));
      await new Promise(setImmediate);
    }
    connection.resume();
    await within(connection.closed);
    expectTooLarge(connection);
  });

  it('takes no memory and leaves other uploads alone, however many there are', async () => {
    const text = statementText(
      '1000200030',
      Array.from({ length: 500 }, () => debit(newId('D'), '100')),
    );
    const slow = await open();
    await slow.write(uploadHead('Transfer-Encoding: chunked'));
    await slow.write(httpChunk(FILE_BEGINS + text.slice(0, 10_000)));
    const memoryBefore = process.memoryUsage().rss;
    for (let round = 0; round < 15; round += 1) {
      const connection = await open();
      await connection.write(uploadHead('Transfer-Encoding: chunked'));
      await connection.write(httpChunk(FILE_BEGINS + opening));
      const [, other] = await Promise.all([
        within(pour(connection, httpChunk(entries), 200 * LIMIT)),
        round % 5 === 0 ? api.upload(statementText('1000200030', [debit(newId('D'), '1')])) : null,
      ]);
      await within(connection.closed);
      expectTooLarge(connection);
      if (other) expect(other.header.response_status).toBe('SUCCESS');
    }
    // 15 times more than a megabyte has come, and has gone.
    expect(process.memoryUsage().rss - memoryBefore).toBeLessThan(150 * LIMIT);
    await slow.write(httpChunk(text.slice(10_000) + FILE_ENDS) + httpChunk(''));
    await expect.poll(() => slow.received(), { timeout: 10_000 }).toContain('"SUCCESS"');
  });

  it('is not: a file of the size that may be', async () => {
    const entry = debit(newId('D'), '1');
    const bare = statementText('1000200030', [entry]);
    const padded = bare.replace('-\r\n', `-\r\n${'\r\n'.repeat((LIMIT - bare.length) / 2)}`);
    expect(LIMIT - padded.length).toBeLessThan(2);
    expect((await api.upload(padded)).header.response_status).toBe('SUCCESS');
    expect((await api.upload(`${padded}\r\n`)).status).toBe(413);
  });
});
