import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';

/** A column as text, so that ids may be integers or text in the database. */
export function asText(column: SQLWrapper): SQL<string> {
  return sql<string>`${column}::text`;
}

/** Whether a column's value, as text, is in a list. The list is one parameter, however long it is. */
export function isOneOf(column: SQLWrapper, ids: readonly string[]): SQL {
  return sql`${column}::text in (select json_array_elements_text(${JSON.stringify(ids)}::json))`;
}
