import type { Sql, SqlName } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { ZORDER_BITS, zorderTurns } from '../core/zorder.ts';
import { join, sql } from './fragment.ts';
import { ownName, quoteName } from './quote.ts';

/**
 * Rows along a Z-order: the bits of their ranks in several columns, taken in turn from the highest, make one number, so that
 * rows that are near each other in it are near in every column. A rank is not the value but its place among values of a
 * sample, hence the same for numbers, dates and texts, and as fine where values lie dense as where they are rare.
 * Source: G. M. Morton, A computer oriented geodetic data base (1966), with quantiles for coordinates.
 */

/** The column that `renderZordered` adds. */
export const ZORDER = ownName('__zorder');
const CUTS = ownName('__cuts');
const SAMPLED = ownName('__sample');

/** Rows by which the places are found. */
const SAMPLE = 65_536;

const cut = (at: number): SqlName => ownName(`__cut${at}`);
const rank = (at: number): SqlName => ownName(`__rank${at}`);

/** Takes the rows by which places are found. The same rows give the same sample. */
export function createSample(relation: Sql, columns: readonly string[]): Statement {
  const sample = sql`SELECT ${join(columns.map(quoteName))} FROM ${relation} USING SAMPLE reservoir(${SAMPLE} ROWS) REPEATABLE (1)`;
  return { name: 'sample', text: sql`CREATE OR REPLACE TABLE ${SAMPLED} AS ${sample}` };
}

/** Finds the values that divide each column of the sample into parts with as many rows. */
export function createCuts(columns: readonly string[]): Statement {
  const places = sql`list_transform(range(1, ${2 ** ZORDER_BITS}), lambda i: i / ${2 ** ZORDER_BITS}.0)`;
  const cuts = columns.map((column, at) => sql`quantile_disc(${quoteName(column)}, ${places}) AS ${cut(at)}`);
  return { name: 'cuts', text: sql`CREATE OR REPLACE TABLE ${CUTS} AS SELECT ${join(cuts)} FROM ${SAMPLED}` };
}

/** The columns of a Z-order and, where it is known, which part of all that each of them has the rows lie over. */
export type ZorderColumns = { readonly columns: readonly string[]; readonly widths?: readonly number[] };

/** The relation with each row's place. Nulls come first. */
export function renderZordered(relation: Sql, { columns, widths }: ZorderColumns): Sql {
  const zeros = columns.map((_, at) => sql`0 AS ${rank(at)}`);
  let ranked = sql`(SELECT *, ${join(zeros)} FROM ${relation}, ${CUTS})`;
  // A binary search among the cuts, a bit of the rank at a time.
  for (let bit = ZORDER_BITS - 1; bit >= 0; bit -= 1) {
    const step = 2 ** bit;
    const steps = columns.map(
      (column, at) =>
        sql`${rank(at)} + CASE WHEN ${quoteName(column)} >= ${cut(at)}[${rank(at)} + ${step}] THEN ${step} ELSE 0 END AS ${rank(at)}`,
    );
    ranked = sql`(SELECT * REPLACE (${join(steps)}) FROM ${ranked})`;
  }
  const own = columns.flatMap((_, at) => [cut(at), rank(at)]);
  return sql`(SELECT * EXCLUDE (${join(own)}), ${interleave(zorderTurns(widths ?? columns.map(() => 1)))} AS ${ZORDER} FROM ${ranked})`;
}

function interleave(turns: readonly number[]): Sql {
  const taken = new Map<number, number>();
  const bits = turns.map((at, turn) => {
    const bit = (taken.get(at) ?? 0) + 1;
    taken.set(at, bit);
    return sql`(((CAST(${rank(at)} AS BIGINT) >> ${ZORDER_BITS - bit}) & 1) << ${turns.length - 1 - turn})`;
  });
  return join(bits, ' | ');
}

/**
 * The cells of the Z-order that the sample's rows lie in, in its order: where each begins, and how many rows it has. A cell has all
 * places that begin with the same bits, so that it is a box among the columns. One that has more rows than `most` is halved, by the
 * column whose turn it is, as long as its rows differ.
 */
export function findCells(zorder: ZorderColumns, parts: number): Statement {
  const bits = ZORDER_BITS * zorder.columns.length;
  return {
    name: 'cells',
    text: sql`WITH RECURSIVE places AS MATERIALIZED (SELECT ${ZORDER} AS place FROM ${renderZordered(SAMPLED, zorder)}),
cells AS (
  SELECT 0 AS depth, CAST(0 AS BIGINT) AS cell, count(*) AS rows FROM places
  UNION ALL
  SELECT c.depth + 1, p.place >> (${bits - 1} - c.depth), count(*)
  FROM cells c JOIN places p ON p.place >> (${bits} - c.depth) = c.cell
  WHERE c.depth < ${bits} AND c.rows > (SELECT count(*) FROM places) / ${parts}
  GROUP BY ALL
)
SELECT cell << (${bits} - depth) AS place, CAST(rows AS DOUBLE) / (SELECT count(*) FROM places) AS part
FROM cells WHERE depth = ${bits} OR rows <= (SELECT count(*) FROM places) / ${parts} ORDER BY place`,
  };
}

/** Which of some cells a row of the relation lies in, by the places at which they begin, the first of which has no row before it. */
export function renderCell(places: readonly bigint[], first = 0): Sql {
  const middle = Math.ceil(places.length / 2);
  const [place] = places.slice(middle);
  if (place === undefined) return sql`${first}`;
  const [below, above] = [renderCell(places.slice(0, middle), first), renderCell(places.slice(middle), first + middle)];
  return sql`CASE WHEN ${ZORDER} < ${place} THEN ${below} ELSE ${above} END`;
}
