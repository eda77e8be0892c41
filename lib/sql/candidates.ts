import type { Sql, SqlName } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { quoteName, quoteText } from './quote.ts';
import { duckType } from './types.ts';

/** What is known of a column's values in one data file; a bound is the text of a value, null: not known. */
export type TextRange = {
  readonly lower: string | null;
  readonly upper: string | null;
  readonly mayBeNull: boolean;
  readonly mayBeValue: boolean;
};

export type CandidateRequest = {
  /** The new rows. */
  readonly from: Sql;
  /** The columns that have to be equal. */
  readonly columns: readonly Column[];
  /** For each file a range for each column. */
  readonly files: readonly (readonly TextRange[])[];
  /** Whether nulls are equal to each other. */
  readonly nulls: boolean;
};

/**
 * `nth`: the files that may hold a row which is equal to a new one. A file is left out where for some column no new value
 * lies between its bounds: of each lower bound the next new value is found, so that new rows may be many, and lie anywhere.
 */
export function findCandidates(request: CandidateRequest): Statement {
  const { files, columns } = request;
  const names = columns.flatMap((_, i) => [sql`l${i}`, sql`u${i}`, sql`n${i}`, sql`v${i}`]);
  const rows = files.map((ranges, nth) => sql`(${nth}, ${join(ranges.flatMap(renderRange))})`);
  const tests = columns.map((column, i) => sql`nth IN (${renderMatching(request, column, i)})`);
  return {
    name: 'candidates',
    text: sql`WITH files AS MATERIALIZED (SELECT nth, ${join(columns.flatMap(castBounds))} FROM (VALUES ${join(rows)}) f(nth, ${join(names)}))
SELECT nth FROM files WHERE ${join(tests, ' AND ')} ORDER BY nth`,
  };
}

function renderRange({ lower, upper, mayBeNull, mayBeValue }: TextRange): readonly Sql[] {
  const text = (bound: string | null): Sql => (bound === null ? sql`NULL::VARCHAR` : quoteText(bound));
  return [text(lower), text(upper), mayBeNull ? sql`true` : sql`false`, mayBeValue ? sql`true` : sql`false`];
}

/** What is no value to DuckDB bounds nothing. */
function castBounds({ type }: Column, i: number): readonly Sql[] {
  const cast = (name: Sql): Sql => sql`TRY_CAST(${name} AS ${duckType(type)}) AS ${name}`;
  return [cast(sql`l${i}`), cast(sql`u${i}`), sql`n${i}`, sql`v${i}`];
}

function renderMatching({ from, nulls }: CandidateRequest, { name, type }: Column, i: number): Sql {
  const [lower, upper] = [sql`l${i}`, sql`u${i}`];
  const values = sql`SELECT CAST(${quoteName(name)} AS ${duckType(type)}) AS k FROM ${from} WHERE ${quoteName(name)} IS NOT NULL`;
  const anyNull = sql`EXISTS (SELECT 1 FROM ${from} WHERE ${quoteName(name)} IS NULL)`;
  const isNull = nulls ? sql`\n  UNION ALL SELECT nth FROM files WHERE n${i} AND ${anyNull}` : NOTHING;
  return sql`
  SELECT f.nth FROM (SELECT * FROM files WHERE v${i} AND ${lower} IS NOT NULL AND ${upper} IS NOT NULL) f ASOF JOIN (${values}) n ON f.${lower} <= n.k WHERE n.k <= f.${upper}
  UNION ALL SELECT nth FROM files WHERE v${i} AND (${lower} IS NULL OR ${upper} IS NULL)${isNull}`;
}

/** `rows`: how many a relation has. */
export function countFresh(from: Sql): Statement {
  return { name: 'fresh_rows', text: sql`SELECT count(*) AS rows FROM ${from}` };
}

/** `value`: the values of a column in new rows as text, in their order, null first. */
export function listValues(from: Sql, { name, type }: Column): Statement {
  const value = sql`CAST(${quoteName(name)} AS ${duckType(type)})`;
  return {
    name: 'fresh_values',
    text: sql`SELECT CAST(k AS VARCHAR) AS value FROM (SELECT DISTINCT ${value} AS k FROM ${from}) ORDER BY k NULLS FIRST`,
  };
}

/** The rows of some columns that are equal to a new row in some of them, each once. */
export function createEqual(
  target: SqlName,
  rows: { readonly relation: Sql; readonly columns: readonly string[] },
  fresh: { readonly from: Sql; readonly by: readonly string[] },
): Statement {
  const same = fresh.by.map((name) => sql`t.${quoteName(name)} = n.${quoteName(name)}`);
  const by = join(fresh.by.map(quoteName));
  return {
    name: 'known_rows',
    text: sql`CREATE OR REPLACE TABLE ${target} AS SELECT DISTINCT ${join(rows.columns.map((name) => sql`t.${quoteName(name)}`))}
FROM ${rows.relation} t SEMI JOIN (SELECT ${by} FROM ${fresh.from}) n ON ${join(same, ' AND ')}`,
  };
}
