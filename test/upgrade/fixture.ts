import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { administer, createDatabase, type TestDatabase } from '../support/database.ts';
import { DATABASES, type DatabaseName, type DatabaseUrls, type Facts } from './scenario.ts';

const read = async (fixture: string, file: string): Promise<string> =>
  gunzipSync(await readFile(join(import.meta.dirname, 'fixtures', fixture, file))).toString();

/** What is known about a fixture besides its databases. */
export const factsOf = async (fixture: string): Promise<Facts> =>
  JSON.parse(await read(fixture, 'facts.json.gz'));

/** Loads one database of a fixture, as it was when everything was killed. */
export async function restoreDatabase(fixture: string, name: DatabaseName): Promise<TestDatabase> {
  const database = await createDatabase(`upgrade_${name}`);
  const text = await read(fixture, `${name}.sql.gz`);
  await administer(database.url, (sql) => sql.unsafe(text).simple());
  return database;
}

/** Loads all databases of a fixture. @param databases takes them, for the test to drop */
export async function restoreFixture(fixture: string, databases: TestDatabase[]): Promise<DatabaseUrls> {
  const urls = await Promise.all(
    DATABASES.map(async (name) => {
      const database = await restoreDatabase(fixture, name);
      databases.push(database);
      return [name, database.url] as const;
    }),
  );
  return Object.fromEntries(urls) as DatabaseUrls;
}
