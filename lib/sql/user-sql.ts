import type { Sql } from '../core/sql-text.ts';
import { sql } from './fragment.ts';

/**
 * SQL that a user wrote: a model, a check, an expectation, a query. The one way by which text from outside becomes SQL:
 * DuckDB must have bound it beforehand, or run it in a session that is closed to all but its own tables.
 */
export function userSql(text: string): Sql {
  return text as Sql;
}

/** The same in parentheses: a condition among others, a query as a relation. */
export function userTerm(text: string): Sql {
  return sql`(${userSql(text)})`;
}

/** SQL that DuckDB printed: a type as DESCRIBE has it, the text of a parse tree. */
export function engineSql(text: string): Sql {
  return text as Sql;
}
