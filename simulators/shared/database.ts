import postgres from 'postgres';

const connectionsMax = 10;
const connectTimeoutSeconds = 10;

/**
 * Connects and creates the tables that are not there yet. Two processes that start at once wait for each
 * other here.
 *
 * @param url of a database that exists
 * @param tables statements that may run again and again (`create … if not exists`)
 * @throws the server's error when it cannot be reached or refuses
 */
export async function openDatabase(url: string, name: string, tables: string): Promise<postgres.Sql> {
  const sql = postgres(url, {
    max: connectionsMax,
    connect_timeout: connectTimeoutSeconds,
    connection: { application_name: name, TimeZone: 'UTC' },
    onnotice: () => {},
  });
  try {
    await sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`;
      await tx.unsafe(tables);
    });
  } catch (error) {
    await sql.end({ timeout: 0 });
    throw error;
  }
  return sql;
}
