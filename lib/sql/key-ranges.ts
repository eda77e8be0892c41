import type { KeyBound, KeyRanges } from '../core/key-ranges.ts';
import { KEY_HASH } from '../core/keyed.ts';
import type { PartitionField } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column, ColumnType } from '../core/types.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { quoteName, quoteText } from './quote.ts';
import { renderTransform } from './transform.ts';
import { duckType } from './types.ts';

/** What says which rows are read and written together: a bucket of their key's hash, or a range of keys. */
export type KeyPlace = PartitionField | KeyRanges;

/** The number of a row's bucket or range. */
export function renderPlace(place: KeyPlace, columns: readonly Column[]): Sql {
  const type = place.column === KEY_HASH ? BIGINT : typeOf(columns, place.column);
  return 'bounds' in place ? renderRange(place, type) : renderTransform(place, type);
}

const BIGINT: ColumnType = { kind: 'bigint' };

/** By halving, so that a key is compared with few of the bounds. */
function renderRange({ column, bounds }: KeyRanges, type: ColumnType): Sql {
  const halve = (first: number, last: number): Sql => {
    const middle = (first + last) >> 1;
    const bound = bounds[middle];
    if (first === last || bound === undefined) return sql`${first}`;
    return sql`CASE WHEN ${above(column, bound, type)} THEN ${halve(middle + 1, last)} ELSE ${halve(first, middle)} END`;
  };
  return sql`CAST(${halve(0, bounds.length)} AS INTEGER)`;
}

function above(column: string, { at, after }: KeyBound, type: ColumnType): Sql {
  return sql`${quoteName(column)} ${after === true ? sql`>` : sql`>=`} CAST(${quoteText(at)} AS ${duckType(type)})`;
}

/** Of a relation what lies between the first and the last of some ranges, for which readers look at the bounds of row groups. */
export function renderWithin(
  relation: Sql,
  { column, bounds }: KeyRanges,
  columns: readonly Column[],
  numbers: readonly number[],
): Sql {
  const type = typeOf(columns, column);
  const from = bounds[Math.min(...numbers) - 1];
  const to = bounds[Math.max(...numbers)];
  const conditions = [
    ...(from === undefined ? [] : [above(column, from, type)]),
    ...(to === undefined ? [] : [sql`NOT (${above(column, to, type)})`]),
  ];
  return conditions.length === 0 ? relation : sql`(SELECT * FROM ${relation} WHERE ${join(conditions, ' AND ')})`;
}

export type CutRequest = {
  /** Relations of rows whose keys say where ranges are to be cut. */
  readonly from: readonly Sql[];
  readonly ranges: KeyRanges;
  readonly columns: readonly Column[];
  /** By range: into how many parts. */
  readonly parts: ReadonlyMap<number, number>;
  /** Of so many keys one is looked at. */
  readonly every: number;
};

/** `range`, `at`: the keys, as text and in their order, with which parts of ranges begin that have about as many rows each. */
export function cutRanges({ from, ranges, columns, parts, every }: CutRequest): Statement {
  const type = typeOf(columns, ranges.column);
  const key = quoteName(ranges.column);
  const some = every <= 1 ? NOTHING : sql` WHERE hash(${key}) % ${every} = 0`;
  const keys = from.map((rows) => sql`SELECT CAST(${key} AS ${duckType(type)}) AS ${key} FROM ${rows}`);
  const cuts = [...parts].map(([range, count]) => {
    const shares = Array.from({ length: count - 1 }, (_, i) => sql`${(i + 1) / count}`);
    return sql`SELECT ${range} AS range, unnest(quantile_disc(${key}, [${join(shares)}])) AS k FROM placed WHERE range = ${range}`;
  });
  return {
    name: 'cut_ranges',
    text: sql`WITH placed AS MATERIALIZED (SELECT ${key}, ${renderRange(ranges, type)} AS range FROM (${join(keys, ' UNION ALL ')})${some})
SELECT range, CAST(k AS VARCHAR) AS at FROM (SELECT DISTINCT range, k FROM (${join(cuts, ' UNION ALL ')})) WHERE k IS NOT NULL ORDER BY range, k`,
  };
}

function typeOf(columns: readonly Column[], name: string): ColumnType {
  const type = columns.find((c) => c.name === name)?.type;
  if (type === undefined) throw new RangeError(`key column ${name} is not a column of the table`);
  return type;
}
