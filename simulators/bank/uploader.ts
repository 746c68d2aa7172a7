import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import { request } from 'undici';
import { statementText } from './statement-text.ts';
import { statementId } from './statements.ts';

const backoffMs = { first: 200, most: 15_000 };
const databaseRestMs = 1_000;
const answerTimeoutMs = 300_000;
const answerCharactersMax = 500;
const answerBytesMax = 1024 * 1024;

/** Where statements go. */
export interface UploadTarget {
  url: string;
  /** Bearer token, where the receiver asks for one. */
  token: string | undefined;
}

interface PendingStatement {
  id: string;
  account_number: string;
}

/**
 * Uploads statements one at a time, each account's in their order, until the receiver answers 2xx. What is
 * not uploaded yet is read from the database, so nothing is forgotten when the process dies.
 */
export class StatementUploader {
  readonly #sql: Sql;
  readonly #target: UploadTarget;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  readonly #failures = new Map<string, { count: number; retryAtMs: number }>();
  #wake: () => void = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(sql: Sql, target: UploadTarget, log: Logger) {
    this.#sql = sql;
    this.#target = target;
    this.#log = log;
  }

  /** Starts with what an earlier process left. */
  start(): void {
    this.#running = this.#run();
  }

  /** Says that there may be a new statement. Those whose turn is not yet come are tried again at once, too. */
  wake(): void {
    this.#failures.clear();
    this.#wake();
  }

  /** Gives up the upload under way, if any; the next start repeats it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const restMs = await this.#uploadDue();
      if (restMs === 0) continue;
      const timer = new AbortController();
      await Promise.race([
        woken,
        wait(restMs, undefined, { signal: timer.signal, ref: false }).catch(() => {}),
      ]);
      timer.abort();
    }
  }

  /** @returns how long there is nothing to do, ms; 0 when there may be more at once */
  async #uploadDue(): Promise<number> {
    try {
      const pending = await this.#sql<PendingStatement[]>`
        select distinct on (account_number) id, account_number
        from statements where uploaded_at is null order by account_number, id`;
      const due = pending.filter(({ account_number }) => this.#retryAtMs(account_number) <= Date.now());
      for (const statement of due) await this.#upload(statement);
      if (due.length > 0) return 0;
      const retries = pending.map(({ account_number }) => this.#retryAtMs(account_number) - Date.now());
      return Math.max(1, Math.min(backoffMs.most, ...retries));
    } catch (error) {
      if (!this.#stopping.signal.aborted)
        this.#log.warn({ err: error }, 'Statements to upload could not be read');
      return databaseRestMs;
    }
  }

  #retryAtMs(accountNumber: string): number {
    return this.#failures.get(accountNumber)?.retryAtMs ?? 0;
  }

  async #upload(statement: PendingStatement): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const answer = await this.#send(statement.id);
    if (this.#stopping.signal.aborted) return;
    await this.#sql`
      update statements
      set upload_attempts = upload_attempts + 1, upload_answer = ${answer.text},
          uploaded_at = case when ${answer.accepted} then now() end
      where id = ${statement.id}`;
    if (answer.accepted) {
      this.#failures.delete(statement.account_number);
      return;
    }
    const count = (this.#failures.get(statement.account_number)?.count ?? 0) + 1;
    const pauseMs = Math.min(backoffMs.most, backoffMs.first * 2 ** Math.min(count - 1, 10));
    this.#failures.set(statement.account_number, { count, retryAtMs: Date.now() + pauseMs });
    this.#log.warn(
      { statement: statementId(statement.id), attempt: count, answer: answer.text, retry_in_ms: pauseMs },
      'A statement could not be uploaded',
    );
  }

  async #send(id: string): Promise<{ accepted: boolean; text: string }> {
    const boundary = `statement-${randomUUID()}`;
    const body = Readable.from(
      multipart(boundary, `${statementId(id)}.mt940`, statementText(this.#sql, id)),
      {
        objectMode: false,
      },
    );
    try {
      const response = await request(this.#target.url, {
        method: 'POST',
        headers: {
          'content-type': `multipart/form-data; boundary=${boundary}`,
          ...(this.#target.token !== undefined && { authorization: `Bearer ${this.#target.token}` }),
        },
        body,
        headersTimeout: answerTimeoutMs,
        bodyTimeout: answerTimeoutMs,
        signal: this.#stopping.signal,
      });
      const text = await readAnswer(response.body);
      const accepted = response.statusCode >= 200 && response.statusCode < 300;
      return { accepted, text: `${response.statusCode} ${text}`.slice(0, answerCharactersMax) };
    } catch (error) {
      body.destroy();
      return { accepted: false, text: String(error).slice(0, answerCharactersMax) };
    }
  }
}

async function* multipart(
  boundary: string,
  fileName: string,
  content: AsyncIterable<string>,
): AsyncGenerator<Buffer, void, undefined> {
  const disposition = `form-data; name="statement_file"; filename="${fileName}"`;
  yield Buffer.from(
    `--${boundary}\r\nContent-Disposition: ${disposition}\r\nContent-Type: text/plain\r\n\r\n`,
  );
  for await (const chunk of content) yield Buffer.from(chunk);
  yield Buffer.from(`\r\n--${boundary}--\r\n`);
}

/** Reads all of the answer, so that the connection can be used again, and keeps its beginning. */
async function readAnswer(body: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new Error(`The answer is longer than ${answerBytesMax} bytes.`);
    if (text.length < answerCharactersMax) text += chunk.toString();
  }
  return text.replaceAll('\0', '');
}
