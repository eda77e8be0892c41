import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { ownName, quoteText } from './quote.ts';

/** Rejected rows that a table of a source staged: its full name, and a relation in the shape of the quarantine. */
export type StagedRejects = { readonly table: string; readonly rows: Sql };

/** `__shared_quarantine`: the rejected rows of all tables of a source, with `n`: for how many tables the same was found. */
const SHARED = ownName('__shared_quarantine');

/** What makes two rejections of a record the same; how often its key had come may differ between tables. */
const SAME = sql`source_file, line, row_hash, business_key, codes, details, status`;

/**
 * Rejected rows of a table that keeps one of equal rows: of each file the first. Records of CSV without structure, which have the
 * hash of their text, are no rows that could be equal.
 */
export function withoutEqual(rows: Sql, csv: boolean): Sql {
  const nth = sql`row_number() OVER (PARTITION BY source_file, row_hash ORDER BY line)`;
  const record = csv ? sql` OR coalesce(row_hash = sha256(raw), true)` : NOTHING;
  return sql`(SELECT * FROM ${rows} QUALIFY ${nth} = 1${record})`;
}

/**
 * Puts together what the tables of a source rejected. Where a row has no table, the contract rejected it, for whichever
 * table it was read; equal ones of one table, as of two uploads of a file, are told apart by their number.
 */
export function createShared(staged: readonly StagedRejects[]): Statement {
  const rows = staged.map(
    ({ table, rows: from }, at) =>
      sql`SELECT *, ${at} AS reader, ${quoteText(table)} AS reader_name,
  row_number() OVER (PARTITION BY table_name, ${SAME}) AS nth FROM ${from}`,
  );
  return {
    name: 'shared_quarantine',
    text: sql`CREATE TABLE ${SHARED} AS
SELECT *, count(*) OVER same AS n, max(attempt) OVER same AS attempts, row_number() OVER (same ORDER BY reader) = 1 AS first
FROM (
${join(rows, '\nUNION ALL BY NAME\n')}
)
WINDOW same AS (PARTITION BY table_name, ${SAME}, nth)`,
  };
}

/**
 * The rows for the quarantine: once and without a table what all found, of whom there are `tables`, and the others once for
 * each, by its name. `undefined`: the source has other tables, which did not read; all rows are of those that did.
 */
export function selectShared(tables: number | undefined): Sql {
  const all = tables === undefined ? sql`false` : sql`table_name IS NULL AND n = ${tables}`;
  return sql`(SELECT * EXCLUDE (reader, reader_name, nth, n, attempts, first)
  REPLACE (CASE WHEN ${all} THEN attempts ELSE attempt END AS attempt,
    CASE WHEN NOT (${all}) THEN coalesce(table_name, reader_name) END AS table_name)
FROM ${SHARED} WHERE first OR NOT (${all}))`;
}

/** By table (`reader_name`): how many rejected rows are left, `quarantined` and `condemned`. */
export function countByReader(): Statement {
  return {
    name: 'count_rejected',
    text: sql`SELECT reader_name, count(*) FILTER (status = 'quarantined') AS quarantined, count(*) FILTER (status <> 'quarantined') AS condemned
FROM ${SHARED} GROUP BY ALL`,
  };
}

/** `quarantined`, `condemned`: records that the contract did not let through, each once, whichever tables they were read for. */
export function countShared(): Statement {
  return {
    name: 'count_shared_quarantine',
    text: sql`SELECT count(*) FILTER (status = 'quarantined') AS quarantined, count(*) FILTER (status <> 'quarantined') AS condemned
FROM (
  SELECT source_file, line, row_hash, nth, max(status) AS status FROM ${SHARED} WHERE table_name IS NULL GROUP BY ALL
)`,
  };
}
