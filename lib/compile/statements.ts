import { EngineError } from '../core/errors.ts';
import type { Column } from '../core/types.ts';
import type { JsonValue, Session, Statement } from '../ports.ts';
import { quoteName, quotePath, quoteText } from '../sql/quote.ts';
import { duckType } from '../sql/types.ts';

/** The hidden row number of a batch: compile and run time give `batch.<source>` this BIGINT as its last column. */
export const ROW_ID = '__rid';

/** The schema in which each silver model's own columns stand, without those that its table gets beside them. */
export const MAPPED = 'mapped';

const SCHEMAS = ['batch', 'silver', 'gold', MAPPED] as const;

/** Empties the schemas that models are bound in. */
export async function resetSchemas(session: Session): Promise<void> {
  await dropSchemas(session);
  for (const schema of SCHEMAS)
    await session.run({ name: `create ${schema}`, text: `CREATE SCHEMA ${quoteName(schema)}` });
}

export async function dropSchemas(session: Session): Promise<void> {
  await session.run({ name: 'drop this', text: 'DROP VIEW IF EXISTS temp."this"' });
  for (const schema of SCHEMAS) {
    await session.run({ name: `drop ${schema}`, text: `DROP SCHEMA IF EXISTS ${quoteName(schema)} CASCADE` });
  }
}

/** An empty table to bind SQL against. */
export function createTable(schema: string, name: string, columns: readonly Column[]): Statement {
  const list = columns.map((column) => `${quoteName(column.name)} ${duckType(column.type)}`).join(', ');
  return { name: `bind ${schema}.${name}`, text: `CREATE TABLE ${quotePath(schema, name)} (${list})` };
}

export function addRowIdColumn(source: string): Statement {
  return {
    name: `number batch.${source}`,
    text: `ALTER TABLE ${quotePath('batch', source)} ADD COLUMN ${quoteName(ROW_ID)} BIGINT`,
  };
}

/** Makes `this` stand for a table. */
export function createThis(schema: string, name: string): Statement {
  return { name: 'bind this', text: `CREATE OR REPLACE TEMP VIEW "this" AS SELECT * FROM ${quotePath(schema, name)}` };
}

/** A condition on its own, in brackets as runs write it: what only parses without them is refused here. */
export function conditionText(condition: string): string {
  return `SELECT (${condition}) AS ok`;
}

/** A condition over a table, to be described. */
export function conditionOver(condition: string, schema: string, name: string): string {
  return `${conditionText(condition)} FROM ${quotePath(schema, name)}`;
}

/** ORDER BY terms on their own: what only parses because of what runs write around it is refused here. */
export function orderText(terms: string): string {
  return `SELECT 1 AS ok ORDER BY ${terms}`;
}

/** ORDER BY terms over a table, as runs write them, to be described. */
export function orderedOver(terms: string, table: { readonly schema: string; readonly name: string }): string {
  return `SELECT row_number() OVER (ORDER BY ${terms}) AS ok FROM ${quotePath(table.schema, table.name)}`;
}

/** A query as a subquery, which is how runs execute gold SQL and audits. */
function wrapped(sql: string): string {
  return `SELECT * FROM (${sql})`;
}

/** False for SQL with a semicolon before a comment at its end: it parses alone, but not in brackets. */
export async function isSubquery(session: Session, sql: string): Promise<boolean> {
  try {
    await session.parse(wrapped(sql));
    return true;
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}

/** Whether each text is a value of a type; a row of booleans in the order of the texts. */
export function castsOf(values: readonly string[], type: string): Statement {
  const tests = values.map((value, index) => `TRY_CAST(${quoteText(value)} AS ${type}) IS NOT NULL AS v${index}`);
  return { name: 'check values', text: `SELECT ${tests.join(', ')}` };
}

export function isOrdered(min: string, max: string, type: string): Statement {
  const cast = (value: string): string => `CAST(${quoteText(value)} AS ${type})`;
  return { name: 'compare values', text: `SELECT ${cast(min)} <= ${cast(max)} AS ok` };
}

export function tryPattern(regex: string): Statement {
  return { name: 'pattern', text: `SELECT regexp_full_match('', ${quoteText(regex)}) AS ok` };
}

export function tryStrptime(format: string): Statement {
  return { name: 'format', text: `SELECT try_strptime('', ${quoteText(format)}) AS ok` };
}

/** DuckDB's parse tree as text, so that no number in it passes through JavaScript's. */
export function serialize(sql: string): Statement {
  return { name: 'parse', text: `SELECT CAST(json_serialize_sql(${quoteText(sql)}) AS VARCHAR) AS result` };
}

export function deserialize(tree: string): Statement {
  return { name: 'unparse', text: `SELECT json_deserialize_sql(${quoteText(tree)}) AS result` };
}

/** The functions that row-wise SQL may not call, with what they are. */
export const LIST_FUNCTIONS: Statement = {
  name: 'list functions',
  text: `SELECT DISTINCT function_name AS name, function_type = 'aggregate' AS aggregate
FROM duckdb_functions()
WHERE function_type = 'aggregate' OR stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')`,
};

/** The text in the only cell of a result. */
export function cellText(rows: readonly { readonly [column: string]: JsonValue }[]): string {
  const value = rows[0]?.['result'];
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
