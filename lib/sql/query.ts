import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, sql } from './fragment.ts';
import { ownName, quoteName, quotePath, quoteText } from './quote.ts';

const RESULT = quotePath('temp', 'result');

/**
 * Keeps a user's query as a table of the session, so that its rows can be counted and read in pages, in their order.
 * Columns of one name get distinct names.
 */
export function keepResult(query: Sql): Statement {
  return { name: 'query', text: sql`CREATE TEMP TABLE ${RESULT} AS ${query}` };
}

/** SHOW, DESCRIBE and SUMMARIZE are queries only inside a FROM. `query` must not end in a semicolon. */
export function fromQuery(query: Sql): Sql {
  return sql`FROM (\n${query}\n)`;
}

export function countResult(): Statement {
  return { name: 'count the result', text: sql`SELECT count(*) AS rows FROM ${RESULT}` };
}

export function selectResult(): Statement {
  return { name: 'result', text: sql`FROM ${RESULT}` };
}

/**
 * Frees the name by which DuckDB numbers a table's rows: a column of the result that is called so gets another name,
 * which `pageOfResult` turns back. Nothing where there is none; `columns` are the result's.
 */
export function freeRowNumbers(columns: readonly string[]): readonly Statement[] {
  return columns.filter(isRowNumber).map((name) => ({
    name: 'result',
    text: sql`ALTER TABLE ${RESULT} RENAME COLUMN ${quoteName(name)} TO ${quoteName(freeName(columns))}`,
  }));
}

/** Rows `from` (counted from 0) up to but without `to`, with the columns of the result. */
export function pageOfResult(columns: readonly string[], from: number, to: number): Statement {
  const select = columns.map((name) =>
    isRowNumber(name) ? sql`${quoteName(freeName(columns))} AS ${quoteName(name)}` : quoteName(name),
  );
  return {
    name: 'result',
    text: sql`SELECT ${join(select)} FROM ${RESULT} r WHERE r.rowid >= ${from} AND r.rowid < ${to} ORDER BY r.rowid`,
  };
}

function isRowNumber(name: string): boolean {
  return name.toLowerCase() === 'rowid';
}

function freeName(columns: readonly string[]): string {
  const taken = new Set(columns.map((name) => name.toLowerCase()));
  let name = '__rowid';
  while (taken.has(name)) name += '_';
  return name;
}

/** The runs of several pipelines, newest first; each pipeline's `<pipeline>_ops.runs` must be there. */
export function selectRuns(pipelines: readonly string[]): Sql {
  const each = pipelines.map(
    (pipeline) => sql`SELECT ${quoteText(pipeline)} AS pipeline, * FROM ${quotePath(`${pipeline}_ops`, 'runs')}`,
  );
  return sql`${join(each, '\nUNION ALL BY NAME\n')}\nORDER BY started_at DESC, run_id DESC`;
}

/** The schema in which a session has pipelines' tables of runs beside the tables of a query. */
export const RUN_BOOKS = ownName('__run_books');

/** `run_id`, `finished` (ms since the epoch) of the runs of `__run_books.<pipeline>`. */
export function selectFinishTimes(pipeline: string): Statement {
  return {
    name: 'finish times',
    text: sql`SELECT run_id, max(epoch_ms(finished_at)) AS finished FROM ${quotePath(RUN_BOOKS, pipeline)} WHERE finished_at IS NOT NULL GROUP BY ALL`,
  };
}

/** The first rows of a table by its full name. */
export function selectFirst(database: string, table: string, rows: number): Sql {
  return sql`SELECT * FROM ${quoteName(database)}.${quoteName(table)} LIMIT ${rows}`;
}
