import type { Sql, SqlName } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import type { ColumnType } from '../../core/types.ts';
import { join, NOTHING, sql } from '../fragment.ts';
import { ownName, quoteText } from '../quote.ts';
import { columnAt, FROM, sameKeys, TO } from './relations.ts';
import { renderHidden, renderSample } from './sample.ts';
import { renderSums } from './totals.ts';

/** A column that is compared. */
export type Compared = {
  readonly type: ColumnType;
  /** What a value may differ by, as a number of the column's type; left out: nothing. */
  readonly tolerance?: string;
  /** Its values are not shown. */
  readonly hidden: boolean;
};

export type KeyComparison = {
  readonly columns: readonly Compared[];
  /** Numbers of the columns by which rows are paired. */
  readonly keys: readonly number[];
  /** More pairs than that show that keys come more than once. */
  readonly atMost: bigint;
  /** How many rows of each kind are shown. */
  readonly sample: number;
};

/** The rows of both sides whose keys come once. */
export const FROM_ONCE = ownName('__from_once');
export const TO_ONCE = ownName('__to_once');
/** And the others. */
export const FROM_TWICE = ownName('__from_twice');
export const TO_TWICE = ownName('__to_twice');
const TWICE = ownName('__twice');

const [L, R] = [ownName('l'), ownName('r')];

/**
 * Pairs the rows of two relations by key, in one pass: `pairs`, at most as many as asked; `removed`, `added`, `changed`;
 * `alone`: how many keys the removed and added ones have; `n<number>`: rows that differ in a column; `from_` and `to_` sums; and
 * samples, by the order of their keys. Its figures are those of rows only where no key comes twice: pairs are as many as rows then.
 */
export function compareByKey([from, to]: readonly [SqlName, SqlName], asked: KeyComparison): Statement {
  const { columns, keys, atMost } = asked;
  const others = columns.flatMap((column, at) => (keys.includes(at) ? [] : [{ column, at }]));
  const differ = others.map(({ at }) => sql`d${at}`);
  const changed = differ.length === 0 ? sql`false` : join(differ, ' OR ');
  const pairs = [
    ...columns.flatMap((_, at) => [sql`l.${columnAt(at)} AS l${at}, r.${columnAt(at)} AS r${at}`]),
    ...others.map(({ column, at }) => sql`l.here AND r.here AND ${renderDiffer(column, at)} AS d${at}`),
  ];
  const types = columns.map(({ type }) => type);
  const alone = sql`CASE WHEN here IS NULL THEN hash(${keysOf('r', keys)}) WHEN there IS NULL THEN hash(${keysOf('l', keys)}) END`;
  const figures = [
    sql`count(*) AS pairs`,
    sql`count(*) - count(there) AS removed`,
    sql`count(*) - count(here) AS added`,
    sql`count_if(${changed}) AS changed`,
    sql`count(DISTINCT ${alone}) AS alone`,
    ...others.map(({ at }) => sql`count_if(d${at}) AS n${at}`),
    ...renderSums(types, (at) => sql`l${at}`, sql`from_`),
    ...renderSums(types, (at) => sql`r${at}`, sql`to_`),
    ...samples(asked, changed),
  ];
  return {
    name: 'compare by key',
    text: sql`SELECT ${join(figures)}
FROM (
  SELECT l.here AS here, r.here AS there, ${join(pairs)}
  FROM (SELECT *, true AS here FROM ${from}) l FULL JOIN (SELECT *, true AS here FROM ${to}) r ON ${sameKeys(L, R, keys)}
  LIMIT ${atMost}
)`,
  };
}

function keysOf(side: 'l' | 'r', keys: readonly number[]): Sql {
  return join(keys.map((key) => sql`${ownName(side)}${key}`));
}

/**
 * Never NULL. As SQL has it, NaN is equal to NaN and 0.0 to -0.0; NULL is equal to nothing but NULL. A tolerance is between
 * numbers: what is NULL, NaN or infinite on one side alone differs by more than any.
 */
function renderDiffer({ type, tolerance }: Compared, at: number): Sql {
  const [left, right] = [sql`l.${columnAt(at)}`, sql`r.${columnAt(at)}`];
  const distinct = sql`${left} IS DISTINCT FROM ${right}`;
  if (tolerance === undefined) return sql`(${distinct})`;
  const gap = type.kind === 'bigint' || type.kind === 'int' ? widened(left, right) : sql`${left} - ${right}`;
  // The difference of the widest decimals may have no place in any, and is then more than every tolerance.
  const beyond = sql`abs(TRY(${gap})) > CAST(${quoteText(tolerance)} AS ${gapType(type)})`;
  return sql`(${distinct} AND coalesce(${beyond}, true))`;
}

function widened(left: Sql, right: Sql): Sql {
  return sql`CAST(${left} AS HUGEINT) - CAST(${right} AS HUGEINT)`;
}

function gapType(type: ColumnType): Sql {
  if (type.kind === 'decimal') return sql`DECIMAL(38,${type.scale})`;
  return type.kind === 'int' || type.kind === 'bigint' ? sql`HUGEINT` : sql`DOUBLE`;
}

function samples({ columns, keys, sample }: KeyComparison, changed: Sql): readonly Sql[] {
  if (sample === 0) return [];
  const values = (side: 'l' | 'r', as: Sql): readonly Sql[] =>
    columns.map((column, at) => sql`${as}${at} := ${renderHidden(sql`${ownName(side)}${at}`, column)}`);
  const order = (side: 'l' | 'r'): Sql => sql`row(${keysOf(side, keys)})`;
  const both = [...values('l', sql`l`), ...values('r', sql`r`), ...differences(columns, keys)];
  return [
    sql`${renderSample(values('l', sql`c`), order('l'), sample)} FILTER (there IS NULL) AS removed_rows`,
    sql`${renderSample(values('r', sql`c`), order('r'), sample)} FILTER (here IS NULL) AS added_rows`,
    sql`${renderSample(both, order('l'), sample)} FILTER (${changed}) AS changed_rows`,
  ];
}

/** In which columns a row has changed: masked values do not show it. */
function differences(columns: readonly Compared[], keys: readonly number[]): readonly Sql[] {
  return columns.flatMap((_, at) => (keys.includes(at) ? [] : [sql`d${at} := d${at}`]));
}

/** Sets the rows apart whose keys come more than once on a side: they have no one row that they could be compared with. */
export function setTwiceApart(keys: readonly number[]): readonly Statement[] {
  const names = join(keys.map(columnAt));
  const counted = (side: SqlName, left: number): Sql =>
    sql`SELECT ${names}, ${left} AS was, ${1 - left} AS now FROM ${side}`;
  const views = [
    { name: FROM_ONCE, side: FROM, how: sql`ANTI` },
    { name: TO_ONCE, side: TO, how: sql`ANTI` },
    { name: FROM_TWICE, side: FROM, how: sql`SEMI` },
    { name: TO_TWICE, side: TO, how: sql`SEMI` },
  ];
  return [
    {
      name: 'keys that come twice',
      text: sql`CREATE TEMP TABLE ${TWICE} AS
SELECT ${names}, CAST(sum(was) AS BIGINT) AS was, CAST(sum(now) AS BIGINT) AS now
FROM (${counted(FROM, 1)} UNION ALL ${counted(TO, 0)}) GROUP BY ${names} HAVING sum(was) > 1 OR sum(now) > 1`,
    },
    ...views.map(({ name, side, how }) => ({
      name: `rows of ${name}`,
      text: sql`CREATE VIEW ${name} AS SELECT s.* FROM ${side} s ${how} JOIN ${TWICE} t ON ${sameKeys(ownName('s'), ownName('t'), keys)}`,
    })),
  ];
}

/** `keys` that come more than once, `keys_was` of them on the first side, their rows on both sides, `was` and `now`, and some of them. */
export function selectTwice({ columns, keys, sample }: KeyComparison): Statement {
  const values = keys.flatMap((key) => {
    const column = columns[key];
    return column === undefined ? [] : [sql`c${key} := ${renderHidden(columnAt(key), column)}`];
  });
  const order = sql`row(${join(keys.map(columnAt))})`;
  const shown =
    sample === 0
      ? NOTHING
      : sql`, ${renderSample([...values, sql`was := was`, sql`now := now`], order, sample)} AS keys_shown`;
  return {
    name: 'keys that come twice',
    text: sql`SELECT count(*) AS keys, count_if(was > 0) AS keys_was, coalesce(sum(was), 0) AS was, coalesce(sum(now), 0) AS now${shown} FROM ${TWICE}`,
  };
}
