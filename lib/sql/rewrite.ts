import type { Transform } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column, ColumnType } from '../core/types.ts';
import { join, sql } from './fragment.ts';
import { isHashedApart } from './hashed-apart.ts';
import { holdsFloats } from './negative-zero.ts';
import { quoteName, quoteText } from './quote.ts';
import { duckType } from './types.ts';
import { userTerm } from './user-sql.ts';

/**
 * How many rows a relation has, and a sum of their hashes, which is the same for the same rows in any order. The sum
 * tells apart what a count does not: rows that were changed, or lost while others came twice.
 */
export function fingerprintRows(relation: Sql, columns: readonly Column[]): Statement {
  const hash = sql`hash(${join(columns.flatMap(hashedTerms))})`;
  return {
    name: 'fingerprint',
    text: sql`SELECT count(*) AS rows, CAST(coalesce(sum(CAST(${hash} AS HUGEINT)), 0) AS VARCHAR) AS hashes FROM ${relation}`,
  };
}

/**
 * What to hash of a column, so that values that differ have different hashes; texts are made where nothing cheaper does. One
 * NaN is as another, whatever its sign: dictionaries of Parquet files keep the first of them.
 */
function hashedTerms(column: Column): readonly Sql[] {
  const { type } = column;
  const value = quoteName(column.name);
  if (type.kind === 'float' || type.kind === 'double') return [value, sql`${value} = 0 AND signbit(${value})`];
  if (isHashedApart(type)) return [value];
  const text = sql`CAST(${value} AS VARCHAR)`;
  return [holdsFloats([column]) ? sql`replace(${text}, '-nan', 'nan')` : text];
}

/** So many rows of a relation, those that come first. */
export function firstRows(relation: Sql, most: number): Sql {
  return sql`(SELECT * FROM ${relation} LIMIT ${most})`;
}

/** A partition field for a condition: its name, and the type that its values have there. */
export type ConditionField = { readonly name: string; readonly type: Sql };

/** What a condition sees of a partition field: the value itself; of a year, month or hour its text, such as 2026-01. */
export function partitionFieldType(transform: Transform['kind'] | 'void', source: ColumnType): Sql {
  switch (transform) {
    case 'identity':
    case 'truncate':
      return duckType(source);
    case 'day':
      return duckType({ kind: 'date' });
    case 'bucket':
      return duckType({ kind: 'int' });
    case 'year':
    case 'month':
    case 'hour':
    case 'void':
      return duckType({ kind: 'string' });
  }
}

/** The places of the partitions that meet a condition that a user wrote. A partition is a row of texts, null where it is null. */
export function selectPartitions(
  fields: readonly ConditionField[],
  partitions: readonly (readonly (string | null)[])[],
  condition: string,
): Statement {
  const text = (value: string | null): Sql => (value === null ? sql`NULL` : quoteText(value));
  const rows = partitions.map((values, at) => sql`(${join([sql`${at}`, ...values.map(text)])})`);
  const names = fields.map((_, at) => quoteName(`f${at}`));
  const typed = fields.map(({ name, type }, at) => sql`CAST(${quoteName(`f${at}`)} AS ${type}) AS ${quoteName(name)}`);
  return {
    name: 'partitions',
    text: sql`SELECT __at FROM (SELECT __at, ${join(typed)} FROM (VALUES ${join(rows)}) AS p(__at, ${join(names)})) WHERE ${userTerm(condition)} ORDER BY __at`,
  };
}
