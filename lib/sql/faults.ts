import type { SourceSpec } from '../core/spec.ts';
import type { Sql, SqlName } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, sql } from './fragment.ts';
import { ownName, quoteText } from './quote.ts';

/**
 * Which columns have a value that fails, noted while rows stream past. A row that streams past has no number, so that those
 * that fail are looked for in the files again; which columns of them need to be looked at is then known. What a statement
 * can leave behind beside its result is the value of a sequence: there is one for each column, and one for rows, which only
 * rows that fail move.
 */

/** A column, by its place in the contract, and whether a row's value passes. */
export type FaultyColumn = { readonly at: number; readonly passes: Sql };

const PREFIX = '__faults_';

/** Behind the last column stands the one that counts rows. */
function sequenceOf(at: number): SqlName {
  return ownName(`${PREFIX}${at}`);
}

/** The sequences, before the first row; those of an attempt before are made anew. */
export function createFaults({ columns }: SourceSpec): Statement {
  const all = Array.from({ length: columns.length + 1 }, (_, at) => sequenceOf(at));
  return {
    name: 'faults',
    text: join(
      all.map((name) => sql`CREATE OR REPLACE SEQUENCE ${name}`),
      ';\n',
    ),
  };
}

/** `all`, which says whether a row passes. A sum is worked out whole, where AND may end at its first part; it is never below zero. */
export function notingFaults(all: Sql, columns: readonly FaultyColumn[], { columns: { length } }: SourceSpec): Sql {
  const move = (at: number): Sql => sql`nextval(${quoteText(sequenceOf(at))})`;
  const moved = columns.map(({ at, passes }) => sql`CASE WHEN ${passes} THEN 0 ELSE ${move(at)} END`);
  return sql`(CASE WHEN ${all} THEN true ELSE ${join([move(length), ...moved], ' + ')} < 0 END)`;
}

/** `place`, `rows`: of each column that has a value that fails, and behind the last one of rows, how many there were. */
export function listFaults(): Statement {
  return {
    name: 'list_faults',
    text: sql`SELECT CAST(substr(sequence_name, ${PREFIX.length + 1}) AS INTEGER) AS place, last_value AS rows FROM duckdb_sequences()
WHERE database_name = current_database() AND starts_with(sequence_name, ${quoteText(PREFIX)}) AND last_value IS NOT NULL ORDER BY place`,
  };
}
