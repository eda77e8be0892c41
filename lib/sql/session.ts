import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { quoteText } from './quote.ts';

/** Statements of the engine itself, beside those that sessions are asked for. */

/** All sessions tell the time alike, wherever they run. */
export function setUtc(): Statement {
  return { name: 'time zone', text: sql`SET TimeZone = 'UTC'` };
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
