import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, sql } from './fragment.ts';
import { quoteName, quoteText } from './quote.ts';

/** Statements of the engine itself, beside those that sessions are asked for. */

/** All sessions tell the time alike, wherever they run, in all connections of a database. */
export function setUtc(): Statement {
  return { name: 'time zone', text: sql`SET GLOBAL TimeZone = 'UTC'` };
}

/** Writes what each statement did to a file, which the next one overwrites. */
export function profileTo(path: string): readonly Statement[] {
  const set = (setting: Sql): Statement => ({ name: 'profile', text: sql`SET ${setting}` });
  return [
    set(sql`enable_profiling = 'json'`),
    set(sql`profiling_output = ${quoteText(path)}`),
    // Else statements that make tables have none.
    set(sql`profiling_coverage = 'ALL'`),
  ];
}

/** A database in memory beside the first one, in which the connection finds and makes what is named without one. */
export function attachOwn(name: string): readonly Statement[] {
  return [
    { name: 'attach', text: sql`ATTACH ':memory:' AS ${quoteName(name)}` },
    { name: 'use', text: sql`USE ${quoteName(name)}` },
  ];
}

/** The database that a connection has when it is made. */
export const FIRST = 'memory';

/** The databases that are attached beside the first one, by name; and the first one, where something was made in it. */
export function listAttached(): Statement {
  // Not duckdb_functions(), which goes through some thousands of its own: macros alone would be there, to be called by that name.
  const kinds = [sql`duckdb_schemas()`, sql`duckdb_tables()`, sql`duckdb_views()`, sql`duckdb_types()`];
  const first = quoteText(FIRST);
  const made = kinds.map(
    (kind) => sql`SELECT database_name FROM ${kind} WHERE database_name = ${first} AND NOT internal`,
  );
  const beside = sql`SELECT database_name FROM duckdb_databases() WHERE NOT internal AND database_name <> ${first}`;
  return {
    name: 'attached',
    text: sql`SELECT DISTINCT database_name FROM (${join([beside, ...made], ' UNION ALL ')})`,
  };
}

/** With all that was made in it. */
export function detach(name: string): Statement {
  return { name: 'detach', text: sql`DETACH ${quoteName(name)}` };
}

/** Bytes that a session may spill, in whole megabytes. */
export function limitSpill(bytes: number): Statement {
  const size = quoteText(`${Math.floor(bytes / 1_000_000)}MB`);
  return { name: 'spill limit', text: sql`SET max_temp_directory_size = ${size}` };
}

/** What stands before a query of which only the columns are asked; DuckDB counts it into the places of its messages. */
export const DESCRIBE: Sql = sql`DESCRIBE `;

export function describeQuery({ name, text }: Statement): Statement {
  return { name, text: sql`${DESCRIBE}${text}` };
}
