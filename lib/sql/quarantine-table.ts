import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, sql } from './fragment.ts';
import { quoteText, quoteTexts } from './quote.ts';

/** Which rows of the quarantine table; every part that is given has to match. */
export type QuarantineFilter = {
  readonly source?: string;
  readonly runId?: string;
  readonly code?: string;
  readonly status?: string;
  readonly files?: readonly string[];
  readonly hashes?: readonly string[];
};

export function renderQuarantineFilter(filter: QuarantineFilter): Sql {
  const parts = [
    ...(filter.source === undefined ? [] : [sql`source = ${quoteText(filter.source)}`]),
    ...(filter.runId === undefined ? [] : [sql`run_id = ${quoteText(filter.runId)}`]),
    ...(filter.code === undefined ? [] : [sql`list_contains(codes, ${quoteText(filter.code)})`]),
    ...(filter.status === undefined ? [] : [sql`status = ${quoteText(filter.status)}`]),
    ...(filter.files === undefined ? [] : [sql`list_contains(${quoteTexts(filter.files)}, source_file)`]),
    ...(filter.hashes === undefined ? [] : [sql`list_contains(${quoteTexts(filter.hashes)}, row_hash)`]),
  ];
  return parts.length === 0 ? sql`true` : join(parts, ' AND ');
}

/** What the quarantine holds against a table, by its full name: rows of all tables of a source and its own, less those of some files. */
export function selectHeldAgainst(quarantine: Sql, table: string, without: readonly string[]): Sql {
  const others = without.length === 0 ? sql`true` : sql`NOT list_contains(${quoteTexts(without)}, source_file)`;
  return sql`(SELECT * FROM ${quarantine} WHERE (table_name IS NULL OR table_name = ${quoteText(table)}) AND ${others})`;
}

/** The condemned rows that match: how many, and a number that is another for others. */
export function countCondemned(table: Sql, filter: QuarantineFilter): Statement {
  const which = sql`CAST(sum(CAST(hash(run_id, source, source_file, line, row_hash, table_name) AS HUGEINT)) AS VARCHAR)`;
  return {
    name: 'condemned rows',
    text: sql`SELECT count(*) AS rows, ${which} AS digest FROM ${table} WHERE status = 'condemned' AND ${renderQuarantineFilter(filter)}`,
  };
}

/** The whole table with the status of some rows set to `released`: they are kept, and no longer held against anyone. */
export function renderReleased(table: Sql, filter: QuarantineFilter): Sql {
  const released = sql`status <> 'released' AND ${renderQuarantineFilter(filter)}`;
  return sql`(SELECT * REPLACE (CASE WHEN ${released} THEN 'released' ELSE status END AS status) FROM ${table})`;
}

/** Rows that are older than an instant and of which nothing follows any more: those that were condemned or released. */
function renderRetired(before: string): Sql {
  return sql`(status IN ('condemned', 'released') AND quarantined_at < CAST(${quoteText(before)} AS TIMESTAMPTZ))`;
}

export function countRetired(table: Sql, before: string): Statement {
  return { name: 'count_retired', text: sql`SELECT count(*) AS rows FROM ${table} WHERE ${renderRetired(before)}` };
}

/** The rows that stay. */
export function renderNotRetired(table: Sql, before: string): Sql {
  return sql`(SELECT * FROM ${table} WHERE NOT coalesce(${renderRetired(before)}, false))`;
}

/** What is withdrawn from some tables, because they take it again. */
export type Withdrawal = {
  readonly files: readonly string[];
  /** The tables, by their full names. */
  readonly tables: readonly string[];
  /** Sources from all of whose tables it is withdrawn. */
  readonly whole: readonly string[];
  /** The tables of the others, of which only some are among `tables`. */
  readonly parted: readonly { readonly source: string; readonly table: string; readonly withdrawn: boolean }[];
};

/**
 * The whole table with the rows of some files released for some tables. What was rejected for all tables of a source
 * becomes a row for each, where some of them keep it.
 */
export function renderWithdrawn(table: Sql, { files, tables, whole, parted }: Withdrawal): Sql {
  const hit = renderWithdrawnRows({ files, tables, whole });
  const status = sql`CASE WHEN ${hit} OR coalesce(t.withdrawn, false) THEN 'released' ELSE status END AS status`;
  const values = parted.map(
    ({ source, table: name, withdrawn }) =>
      sql`(${quoteText(source)}, ${quoteText(name)}, ${withdrawn ? sql`true` : sql`false`})`,
  );
  const others =
    values.length === 0
      ? sql`(SELECT NULL::VARCHAR AS for_source, NULL::VARCHAR AS for_table, false AS withdrawn WHERE false)`
      : sql`(VALUES ${join(values)})`;
  return sql`(SELECT q.* REPLACE (${status}, coalesce(table_name, t.for_table) AS table_name)
FROM ${table} q LEFT JOIN ${others} t(for_source, for_table, withdrawn)
  ON table_name IS NULL AND source = t.for_source AND status <> 'released' AND list_contains(${quoteTexts(files)}, source_file))`;
}

/** Rows that are released as they are. */
function renderWithdrawnRows({ files, tables, whole }: Omit<Withdrawal, 'parted'>): Sql {
  return sql`(status <> 'released' AND list_contains(${quoteTexts(files)}, source_file)
  AND (list_contains(${quoteTexts(tables)}, table_name) OR (table_name IS NULL AND list_contains(${quoteTexts(whole)}, source))))`;
}

export function countWithdrawn(table: Sql, withdrawal: Withdrawal): Statement {
  const { files, parted } = withdrawal;
  const sources = [...new Set(parted.map(({ source }) => source))];
  return {
    name: 'count_withdrawn',
    text: sql`SELECT count(*) AS rows FROM ${table} WHERE coalesce(${renderWithdrawnRows(withdrawal)}, false)
  OR (table_name IS NULL AND status <> 'released' AND list_contains(${quoteTexts(files)}, source_file) AND list_contains(${quoteTexts(sources)}, source))`,
  };
}

export function countReleasable(table: Sql, filter: QuarantineFilter): Statement {
  return {
    name: 'count_releasable',
    text: sql`SELECT count(*) AS rows FROM ${table} WHERE status <> 'released' AND ${renderQuarantineFilter(filter)}`,
  };
}

/**
 * Codes with more than `rows` rows, each counted once for all tables that it was read for, among the staged ones and those that came to quarantine since an instant. A staged row
 * that is in quarantine for that code already, whenever that was, is no new trouble: its file is read again.
 */
export function findTripped(
  relations: { readonly table: Sql | undefined; readonly staged: Sql | undefined },
  since: string,
  rows: number,
): Statement {
  const { table, staged } = relations;
  const counted =
    table === undefined
      ? []
      : [
          sql`SELECT code FROM (SELECT DISTINCT ${ROW_OF_FILE}, quarantined_at FROM ${table} WHERE status <> 'released' AND quarantined_at >= CAST(${quoteText(since)} AS TIMESTAMPTZ))`,
        ];
  const arrived = staged === undefined ? [] : [sql`SELECT code FROM (${renderNewTrouble(staged, table)})`];
  return {
    name: 'breaker',
    text: sql`SELECT code, count(*) AS rows FROM (${join([...counted, ...arrived], '\nUNION ALL\n')}) GROUP BY code HAVING count(*) > ${rows} ORDER BY rows DESC, code`,
  };
}

const ROW_OF_FILE = sql`source_file, line, raw, unnest(codes) AS code`;

/** One row for each code of a staged row. */
function renderNewTrouble(staged: Sql, table: Sql | undefined): Sql {
  const arrived = sql`SELECT DISTINCT ${ROW_OF_FILE} FROM ${staged}`;
  if (table === undefined) return arrived;
  return sql`SELECT code FROM (${arrived}) AS arrived WHERE NOT EXISTS (
  SELECT 1 FROM (SELECT ${ROW_OF_FILE} FROM ${table}) AS before
  WHERE before.source_file = arrived.source_file AND before.line = arrived.line AND before.code = arrived.code
    AND before.raw IS NOT DISTINCT FROM arrived.raw)`;
}

/** A few staged rows with a code: `place` is file and line, `example` has the details besides, which are data. */
export function findExamples(staged: Sql, code: string): Statement {
  return {
    name: 'breaker_examples',
    text: sql`SELECT source_file || ':' || line AS place, place || ': ' || array_to_string(details, ', ') AS example FROM ${staged}
WHERE list_contains(codes, ${quoteText(code)}) ORDER BY source_file, line LIMIT 3`,
  };
}
