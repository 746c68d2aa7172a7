import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';

/** A row as the database gives it. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Waits until a record has the expected values, and fails with the difference when it never has.
 *
 * @param read reads the record as it is now
 * @param expected values by column; other columns do not matter
 * @returns the record
 */
export async function becomes(read: () => Promise<Row>, expected: Row, timeoutMs = 15_000): Promise<Row> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const row = await read();
    if (Object.entries(expected).every(([column, value]) => isDeepStrictEqual(row[column], value)))
      return row;
    if (Date.now() > deadline) expect(row).toMatchObject(expected);
    await delay(10);
  }
}
