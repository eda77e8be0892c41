import type { SourceSpec } from '../../core/spec.ts';
import type { Statement } from '../../core/statement.ts';
import type { Column, ColumnType } from '../../core/types.ts';
import { join, sql } from '../fragment.ts';
import { type MaskedColumn, maskedList } from '../masked.ts';
import { ownName, quoteName, quotePath } from '../quote.ts';
import type { ViewName } from '../scan.ts';
import { renderTransform } from '../transform.ts';

/** Statements about the rows that are diagnosed, which stand in one view or table of the session. */
export const DIAGNOSED: ViewName = { schema: 'main', table: '__diagnosed' };

const ROWS = quotePath(DIAGNOSED.schema, DIAGNOSED.table);
/** `value`, `n`: the rows of each value of one column. */
const VALUES = ownName('__values');

/** The rows of a batch that its contract accepts, once: the files are read by no later statement. */
export function keepAccepted({ name, columns }: SourceSpec): Statement {
  const named = columns.map((column) => quoteName(column.name));
  return {
    name: 'accepted rows',
    text: sql`CREATE TABLE ${ROWS} AS SELECT ${join(named)} FROM ${quotePath('batch', name)}`,
  };
}

/** `rows`, and `n<i>`: those in which the i-th column has a value, `d<i>`: about how many values it has. */
export function countFilled(columns: readonly Column[]): Statement {
  const counts = columns.map(
    ({ name }, at) =>
      sql`count(${quoteName(name)}) AS ${quoteName(`n${at}`)}, approx_count_distinct(${quoteName(name)}) AS ${quoteName(`d${at}`)}`,
  );
  return { name: 'count values', text: sql`SELECT ${join([sql`count(*) AS rows`, ...counts])} FROM ${ROWS}` };
}

/** Counts the rows of each value of a column, for the statements below. */
export function groupValues(column: string): Statement {
  return {
    name: 'values of a key',
    text: sql`CREATE OR REPLACE TEMP TABLE ${VALUES} AS SELECT ${quoteName(column)} AS value, count(*) AS n FROM ${ROWS} GROUP BY ALL`,
  };
}

/** `value` as text, `n`: those with the most rows, the least value first among equals. */
export function topValues(limit: number): Statement {
  return {
    name: 'top values',
    text: sql`SELECT CAST(v.value AS VARCHAR) AS value, n FROM ${VALUES} AS v ORDER BY n DESC, v.value NULLS LAST LIMIT ${limit}`,
  };
}

const BUCKETED: ReadonlySet<ColumnType['kind']> = new Set([
  'int',
  'bigint',
  'decimal',
  'date',
  'timestamp',
  'timestamptz',
  'string',
  'binary',
]);

/** `distinct`, `rows` of values that are not NULL, and `fullest`: the most rows of one of `width` buckets. */
export function fillBuckets(type: ColumnType, width: number): Statement {
  const text: ColumnType = { kind: 'string' };
  const [value, hashed] = BUCKETED.has(type.kind) ? [sql`value`, type] : [sql`CAST(value AS VARCHAR)`, text];
  const bucket = renderTransform({ column: 'value', transform: { kind: 'bucket', width } }, hashed);
  return {
    name: 'buckets of a key',
    text: sql`SELECT coalesce(sum(values), 0) AS distinct_values, coalesce(sum(n), 0) AS rows, coalesce(max(n), 0) AS fullest FROM (
  SELECT ${bucket} AS bucket, sum(n) AS n, count(*) AS values
  FROM (SELECT ${value} AS value, n FROM ${VALUES} WHERE value IS NOT NULL)
  GROUP BY bucket
)`,
  };
}

/** `day` as text, `n`. */
export function countDays(column: string): Statement {
  return {
    name: 'rows by day',
    text: sql`SELECT CAST(CAST(${quoteName(column)} AS DATE) AS VARCHAR) AS day, count(*) AS n FROM ${ROWS} GROUP BY ALL ORDER BY day NULLS LAST`,
  };
}

export function sampleRows(columns: readonly Column[], masked: readonly MaskedColumn[], limit: number): Statement {
  const named = join(columns.map(({ name }) => quoteName(name)));
  const hidden = masked.length === 0 ? sql`` : sql` REPLACE (${maskedList(masked)})`;
  return { name: 'sample', text: sql`SELECT *${hidden} FROM (SELECT ${named} FROM ${ROWS} LIMIT ${limit})` };
}
