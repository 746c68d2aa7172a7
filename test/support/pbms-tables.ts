import postgres from 'postgres';
import { createDatabase } from './database.ts';

/** A small PBMS of a test's own. */
export interface TestPbms {
  readonly url: string;
  readonly sql: postgres.Sql;
  drop(): Promise<void>;
}

/** Creates the tables of PBMS, with ids of the given SQL type. */
export async function createPbms(idType: string): Promise<TestPbms> {
  const database = await createDatabase('pbms');
  const sql = postgres(database.url, { max: 1, onnotice: () => {} });
  const id = sql.unsafe(idType);
  for (const server of ['warehouse', 'agency']) {
    const zone = server === 'warehouse' ? 'large' : 'small';
    const column = (name: string) => sql(name);
    await sql`
      create table ${sql(`g2p_${server}`)} (
        id ${id} primary key, name text, ${column(`${server}_mnemonic`)} text,
        admin_name text, admin_email text, admin_mobile text)`;
    await sql`
      create table ${sql(`g2p_${server}_program_benefit_codes`)} (
        id ${id} primary key, ${column(`${server}_id`)} ${id}, program_id ${id}, benefit_code_id ${id},
        ${column(`${server}_mnemonic`)} text, program_mnemonic text, benefit_code_mnemonic text, additional_info text)`;
    await sql`
      create table ${sql(`g2p_administrative_area_${zone}_g2p_${server}_rel`)} (
        ${column(`g2p_${server}_id`)} ${id}, ${column(`g2p_administrative_area_${zone}_id`)} ${id})`;
  }
  return {
    url: database.url,
    sql,
    async drop() {
      await sql.end();
      await database.drop();
    },
  };
}
