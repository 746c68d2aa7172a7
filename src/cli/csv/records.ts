import { createReadStream } from 'node:fs';
import { type CsvError, type Parser, parse } from 'csv-parse';

/** A record of a CSV file. */
export interface CsvRecord {
  readonly fields: readonly string[];
  /** Empty lines of the file up to the record. */
  readonly emptyLines: number;
}

/** Records that were read together, and what stopped the parser behind them. */
export interface RecordChunk {
  readonly records: readonly CsvRecord[];
  /** Null unless the text is not CSV; nothing follows then. */
  readonly error: CsvError | null;
}

export interface ReadOptions {
  /** Told how far reading is, in bytes from the start, each time more has been read. */
  readonly onBytes?: (bytesRead: number) => void;
  readonly signal?: AbortSignal;
}

/** Longest record in characters, so that a quote that is never closed does not take all memory. */
export const RECORD_CHARACTERS_MAX = 64 * 1024;

/**
 * Reads the records of a CSV file in pieces of 64 KiB of text.
 *
 * @throws the file system's errors; the signal's reason
 */
export async function* readRecords(
  path: string,
  options: ReadOptions,
): AsyncGenerator<RecordChunk, void, void> {
  const source = createReadStream(path);
  const parser = new RecordParser();
  try {
    for await (const chunk of source) {
      options.signal?.throwIfAborted();
      const taken = await parser.take(chunk);
      options.onBytes?.(source.bytesRead);
      yield taken;
      if (taken.error !== null) return;
    }
    yield await parser.finish();
  } finally {
    source.destroy();
    parser.close();
  }
}

/**
 * Feeds the parser by hand. Read as a stream it would, on an error, throw away records that it had parsed before but not
 * yet handed over, and with them the line numbers.
 */
class RecordParser {
  #records: CsvRecord[] = [];
  #error: CsvError | null = null;
  readonly #parser: Parser;
  readonly #closed: Promise<void>;

  constructor() {
    this.#parser = parse({
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      max_record_size: RECORD_CHARACTERS_MAX,
      on_record: (fields: string[], { empty_lines }) => {
        this.#records.push({ fields, emptyLines: empty_lines });
        return null;
      },
    });
    this.#parser.on('error', (error: CsvError) => {
      this.#error = error;
    });
    this.#closed = new Promise((resolve) => this.#parser.once('close', resolve));
    // It has no output, but ends only when that is read.
    this.#parser.resume();
  }

  async take(text: Buffer): Promise<RecordChunk> {
    const error = await new Promise<Error | null | undefined>((resolve) => this.#parser.write(text, resolve));
    if (error) await this.#closed;
    return this.#taken();
  }

  async finish(): Promise<RecordChunk> {
    this.#parser.end();
    await this.#closed;
    return this.#taken();
  }

  close(): void {
    this.#parser.destroy();
  }

  #taken(): RecordChunk {
    const records = this.#records;
    this.#records = [];
    return { records, error: this.#error };
  }
}
