import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { quoteText, quoteTexts } from './quote.ts';

/**
 * What statements of all samples share. A value is a function of (seed, table, field, row) alone: the low 64 bits of MD5
 * over that text, split into independent parts by division and remainder. MD5 is the same in every DuckDB release and on
 * every machine, which DuckDB's own hash() does not promise, and every file is written in a fixed order, so neither the
 * number of threads nor the number of files changes a row.
 */

/** 64 pseudo-random bits as UBIGINT. */
export function draw(seed: number, field: string, row: Sql): Sql {
  return sql`md5_number_lower(${quoteText(`${seed}/${field}/`)} || ${row})`;
}

/** The word at a position counted from 0. */
export function pick(words: readonly string[], position: Sql): Sql {
  return sql`list_extract(${quoteTexts(words)}, CAST(1 + ${position} AS BIGINT))`;
}

export function csvFile(name: string, path: string, query: Sql): Statement {
  return { name, text: sql`COPY (\n${query}\n) TO ${quoteText(path)} (FORMAT csv, HEADER true)\n` };
}

/** One JSON array of objects, in the order of the query. */
export function jsonFile(name: string, path: string, query: Sql): Statement {
  return { name, text: sql`COPY (\n${query}\n) TO ${quoteText(path)} (FORMAT json, ARRAY true)\n` };
}

/**
 * A number of the normal distribution with mean 0 and deviation 1, to six digits: the functions of C's library that it is
 * made by differ in the last ones from machine to machine.
 */
export function drawNormal(seed: number, field: string, row: Sql): Sql {
  const evenly = (half: string) => sql`((${draw(seed, `${field}.${half}`, row)} >> 11) + 0.5) / 9007199254740992.0`;
  return sql`round(sqrt(-2 * ln(${evenly('distance')})) * cos(2 * pi() * ${evenly('angle')}), 6)`;
}

/** A JSON object a line, in the order of the query. */
export function jsonLines(name: string, path: string, query: Sql): Statement {
  return { name, text: sql`COPY (\n${query}\n) TO ${quoteText(path)} (FORMAT json)\n` };
}

/** One Parquet file, in the order of the query. */
export function parquetFile(name: string, path: string, query: Sql): Statement {
  return { name, text: sql`COPY (\n${query}\n) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd)\n` };
}
