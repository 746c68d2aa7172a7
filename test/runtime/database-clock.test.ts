import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connect, type Database } from '../../src/db/connection.ts';
import { openDatabaseClock } from '../../src/runtime/database-clock.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/wait.ts';

let place: TestDatabase;
let database: Database;
beforeAll(async () => {
  place = await createDatabase('clock');
  database = connect(place.url, { max: 1 });
});
afterAll(async () => {
  await database.close();
  await place.drop();
});

const databaseNow = async (): Promise<number> => {
  const [row] = await database.sql<{ at: Date }[]>`select clock_timestamp() as at`;
  return row?.at.getTime() ?? 0;
};

describe("the database's clock", () => {
  it("shows the database's time, however the machine's clock is set", async () => {
    const clock = await openDatabaseClock(database, () => {});
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2001-01-01T00:00:00Z') });
    try {
      const before = await databaseNow();
      const shown = clock.now().getTime();
      // Half of what a question takes is not known.
      expect(shown).toBeGreaterThan(before - 500);
      expect(shown).toBeLessThan((await databaseNow()) + 500);
    } finally {
      vi.useRealTimers();
      clock.close();
    }
  });

  it('does not go by an answer that was long on its way, when there is a better one', async () => {
    // The first answer takes a minute, as when the process is stopped; the others take no time.
    const passed = [0, 60_000];
    const clock = await openDatabaseClock(database, () => {}, {
      elapsedMs: () => passed.shift() ?? 60_000,
      wallMs: () => 0,
    });
    clock.close();
    const late = (await databaseNow()) - clock.now().getTime();
    expect(Math.abs(late)).toBeLessThan(5_000);
  });

  it('asks soon after the machine has slept, during which no time has passed for it', async () => {
    let sleptMs = 0;
    const clock = await openDatabaseClock(database, () => {}, {
      elapsedMs: () => performance.now() - sleptMs,
      wallMs: () => Date.now(),
    });
    const late = async () => (await databaseNow()) - clock.now().getTime();
    sleptMs = 3_600_000;
    expect(await late()).toBeGreaterThan(3_500_000);
    await until("it shows the database's time again", async () => (await late()) < 5_000, 5_000);
    clock.close();
  });
});
