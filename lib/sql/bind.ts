import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { RID } from './batch-tables.ts';
import { join, sql } from './fragment.ts';
import { quoteName, quotePath, quoteText } from './quote.ts';
import { duckType } from './types.ts';
import { userSql, userTerm } from './user-sql.ts';

/** What a pipeline's SQL is bound against, and the text of its parts as runs will write them. */

/** The schema in which each silver model's own columns stand, without those that its table gets beside them. */
export const MAPPED_COLUMNS = 'mapped';

const SCHEMAS = ['batch', 'silver', 'gold', MAPPED_COLUMNS];

/** A table of a session that SQL is bound in. */
export type BoundTable = { readonly schema: string; readonly name: string };

export function createBindSchemas(): readonly Statement[] {
  return SCHEMAS.map((schema) => ({ name: `create ${schema}`, text: sql`CREATE SCHEMA ${quoteName(schema)}` }));
}

/** Drops what the schemas hold, too. */
export function dropBindSchemas(): readonly Statement[] {
  return [
    { name: 'drop variables', text: sql`DROP MACRO IF EXISTS var` },
    { name: 'drop this', text: sql`DROP VIEW IF EXISTS temp."this"` },
    ...SCHEMAS.map((schema) => ({
      name: `drop ${schema}`,
      text: sql`DROP SCHEMA IF EXISTS ${quoteName(schema)} CASCADE`,
    })),
  ];
}

/** An empty table to bind SQL against. */
export function createTable(schema: string, name: string, columns: readonly Column[]): Statement {
  return createTableAt([schema, name], columns);
}

/** The same by all parts of its name, for one of another pipeline. */
export function createTableAt(path: readonly string[], columns: readonly Column[]): Statement {
  const list = join(columns.map((column) => sql`${quoteName(column.name)} ${duckType(column.type)}`));
  return { name: `bind ${path.join('.')}`, text: sql`CREATE TABLE ${quotePath(...path)} (${list})` };
}

/** Gives `batch.<source>` the hidden row number that it has in a run. */
export function addRowIdColumn(source: string): Statement {
  return {
    name: `number batch.${source}`,
    text: sql`ALTER TABLE ${quotePath('batch', source)} ADD COLUMN ${RID} BIGINT`,
  };
}

/** Makes `this` stand for a table. */
export function createThis(schema: string, name: string): Statement {
  return {
    name: 'bind this',
    text: sql`CREATE OR REPLACE TEMP VIEW "this" AS SELECT * FROM ${quotePath(schema, name)}`,
  };
}

/** The default of a silver model: all rows as the contract has them. Names of sources stand without quotes. */
export function selectBatch(source: string): Sql {
  return sql`SELECT * FROM batch.${userSql(source)}`;
}

/** A condition on its own, in brackets as runs write it: what only parses without them is refused here. */
export function conditionText(condition: string): Sql {
  return sql`SELECT ${userTerm(condition)} AS ok`;
}

/** A condition over a table, to be described. */
export function conditionOver(condition: string, { schema, name }: BoundTable): Statement {
  return { name: 'condition', text: sql`${conditionText(condition)} FROM ${quotePath(schema, name)}` };
}

/** ORDER BY terms over a table, as runs write them, to be described. */
export function orderedOver(terms: string, { schema, name }: BoundTable): Statement {
  const order = sql`row_number() OVER (ORDER BY ${userSql(terms)})`;
  return { name: 'tie break', text: sql`SELECT ${order} AS ok FROM ${quotePath(schema, name)}` };
}

/** A query as a subquery, which is how runs execute gold SQL and audits. */
export function subqueryText(query: string): Sql {
  return sql`SELECT * FROM ${userTerm(query)}`;
}

/** Whether each text is a value of a type; a row of booleans in the order of the texts. */
export function castsOf(values: readonly string[], type: Sql): Statement {
  const tests = values.map((value, index) => sql`TRY_CAST(${quoteText(value)} AS ${type}) IS NOT NULL AS v${index}`);
  return { name: 'check values', text: sql`SELECT ${join(tests)}` };
}

export function isOrdered(min: string, max: string, type: Sql): Statement {
  const cast = (value: string): Sql => sql`CAST(${quoteText(value)} AS ${type})`;
  return { name: 'compare values', text: sql`SELECT ${cast(min)} <= ${cast(max)} AS ok` };
}

export function tryPattern(regex: string): Statement {
  return { name: 'pattern', text: sql`SELECT regexp_full_match('', ${quoteText(regex)}) AS ok` };
}

export function tryStrptime(format: string): Statement {
  return { name: 'format', text: sql`SELECT try_strptime('', ${quoteText(format)}) AS ok` };
}

/** The functions that row-wise SQL may not call, with what they are. */
export function listFunctions(): Statement {
  return {
    name: 'list functions',
    text: sql`SELECT DISTINCT function_name AS name, function_type = 'aggregate' AS aggregate
FROM duckdb_functions()
WHERE function_type = 'aggregate' OR stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')`,
  };
}
