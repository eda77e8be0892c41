import type { Sql, SqlName } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
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

/** Bits of a rank: a thousand places in each column are more than a table has files. */
const BITS = 10;
/** Rows by which the places are found. */
const SAMPLE = 65_536;

const cut = (at: number): SqlName => ownName(`__cut${at}`);
const rank = (at: number): SqlName => ownName(`__rank${at}`);

/** Finds the values that divide each column into parts with as many rows. The same rows give the same parts. */
export function createCuts(relation: Sql, columns: readonly string[]): Statement {
  const places = sql`list_transform(range(1, ${2 ** BITS}), lambda i: i / ${2 ** BITS}.0)`;
  const cuts = columns.map((column, at) => sql`quantile_disc(${quoteName(column)}, ${places}) AS ${cut(at)}`);
  const sample = sql`SELECT ${join(columns.map(quoteName))} FROM ${relation} USING SAMPLE reservoir(${SAMPLE} ROWS) REPEATABLE (1)`;
  return { name: 'cuts', text: sql`CREATE TABLE ${CUTS} AS SELECT ${join(cuts)} FROM (${sample})` };
}

/** The relation with each row's place. Nulls come first. */
export function renderZordered(relation: Sql, columns: readonly string[]): Sql {
  const zeros = columns.map((_, at) => sql`0 AS ${rank(at)}`);
  let ranked = sql`(SELECT *, ${join(zeros)} FROM ${relation}, ${CUTS})`;
  // A binary search among the cuts, a bit of the rank at a time.
  for (let bit = BITS - 1; bit >= 0; bit -= 1) {
    const step = 2 ** bit;
    const steps = columns.map(
      (column, at) =>
        sql`${rank(at)} + CASE WHEN ${quoteName(column)} >= ${cut(at)}[${rank(at)} + ${step}] THEN ${step} ELSE 0 END AS ${rank(at)}`,
    );
    ranked = sql`(SELECT * REPLACE (${join(steps)}) FROM ${ranked})`;
  }
  const own = columns.flatMap((_, at) => [cut(at), rank(at)]);
  return sql`(SELECT * EXCLUDE (${join(own)}), ${interleave(columns.length)} AS ${ZORDER} FROM ${ranked})`;
}

function interleave(columns: number): Sql {
  const bits: Sql[] = [];
  for (let bit = 0; bit < BITS; bit += 1) {
    for (let at = 0; at < columns; at += 1) {
      bits.push(sql`((CAST(${rank(at)} AS BIGINT) >> ${bit}) & 1) << ${bit * columns + (columns - 1 - at)}`);
    }
  }
  return join(
    bits.map((bit) => sql`(${bit})`),
    ' | ',
  );
}
