import type { BatchRecipe } from '../core/batch-recipe.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { type Batch, hasRejects, rejectTables } from './batch.ts';
import {
  ATTEMPTS,
  DUPLICATES,
  FAILED,
  FAILED_ROW,
  HASH,
  KEY,
  MALFORMED,
  MEMORY,
  OK,
  PARSED,
  POISONED,
  QUARANTINE,
  REJECTED,
  SHIFTS,
} from './batch-tables.ts';
import { ENGINE_ERROR, renderFailedRows, renderKeptText } from './checked-rows.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { quoteName, quoteText, quoteTexts } from './quote.ts';
import { FILE, type FileGroup, RAW, type RejectTables, renderRawRows } from './raw-rows.ts';

/** One landed file as the scans see it. */
export type NumberedFile = {
  readonly path: string;
  /** Store key, as quarantine rows name the file. */
  readonly key: string;
  /** Records before the first data record: 1 for a header. */
  readonly headerRecords: number;
  /** Data records of the file, well-formed or not. */
  readonly records: number;
  /** The record whose quote is never closed. */
  readonly openQuote: { readonly line: number; readonly text: string } | null;
  /** Of a part of a landed file: what is added to a line for that in the file. */
  readonly before: number;
};

/** What the rows of the quarantine table say of the run. */
export type QuarantineContext = {
  readonly source: string;
  /** The full name of the table that the batch is for. */
  readonly table: string;
  readonly runId: string;
  /** ISO instant of the run's plan. */
  readonly at: string;
};

const OPEN_QUOTE = sql`[{'code': 'SCHEMA_ERROR', 'detail': 'a quote is never closed: the record runs to the end of the file'}]`;

/**
 * `__failed`: well-formed records that did not pass a check or stand in `__rejected`, each with its number among all
 * well-formed records of the batch; `rejected`: that table has rows. All are read again. `faults`: the columns that may
 * fail; undefined: all.
 */
export function createFailed(
  batch: Batch,
  rejects: RejectTables,
  { equalRows, memory, guarded }: BatchRecipe,
  { rejected, faults }: { readonly rejected: boolean; readonly faults?: ReadonlySet<number> | undefined },
): Statement {
  const joins = [
    rejected ? sql`\nLEFT JOIN ${REJECTED} d ON d.rid = r.pos` : NOTHING,
    memory ? sql`\nLEFT JOIN ${ATTEMPTS} a ON a.rid = r.pos` : NOTHING,
    equalRows === null ? NOTHING : sql`\nANTI JOIN ${DUPLICATES} x ON r.pos = x.rid`,
  ];
  const failed = sql`SELECT r.pos, r.${FILE} AS path, r.${RAW} AS raw, r.${HASH} AS row_hash, r.${KEY} AS business_key,
  ${rejected ? sql`coalesce(d.issues, r.issues)` : sql`r.issues`} AS issues,
  ${rejected ? sql`coalesce(d.status, 'quarantined')` : sql`'quarantined'`} AS status,
  ${memory ? sql`coalesce(a.rejections, 0) + 1` : 1} AS attempt, ${rejected ? sql`coalesce(d.own, false)` : sql`false`} AS own
FROM (SELECT row_number() OVER () - 1 AS pos, * FROM (
${renderFailedRows(batch.source, batch.groups, rejects, { guarded, all: rejected, faults })}
)) r${join(joins, '')}
WHERE len(r.issues) > 0${rejected ? sql` OR d.rid IS NOT NULL` : NOTHING}`;
  return { name: 'quarantine_failed', text: sql`CREATE OR REPLACE TABLE ${FAILED} AS\n${failed}`, serial: true };
}

/** `__failed` of a `__parsed` table that has the recipe's `failed`: rows that did not pass a check. Those that pass have no text there. */
export function keepFailed({ equalRows, memory }: BatchRecipe): Statement {
  const joins = [
    sql`\nLEFT JOIN ${REJECTED} d ON d.rid = p.rowid`,
    memory ? sql`\nLEFT JOIN ${ATTEMPTS} a ON a.rid = p.rowid` : NOTHING,
    equalRows === null ? NOTHING : sql`\nANTI JOIN ${DUPLICATES} x ON p.rowid = x.rid`,
  ];
  const of = (name: string): Sql => sql`struct_extract(p.${FAILED_ROW}, ${quoteText(name)})`;
  const failed = sql`SELECT p.rowid AS pos, ${of('path')} AS path, ${of('raw')} AS raw, ${of('row_hash')} AS row_hash, ${of('business_key')} AS business_key,
  coalesce(d.issues, ${of('issues')}) AS issues, coalesce(d.status, 'quarantined') AS status,
  ${memory ? sql`coalesce(a.rejections, 0) + 1` : 1} AS attempt, coalesce(d.own, false) AS own
FROM ${PARSED} p${join(joins, '')}
WHERE NOT p.${OK}`;
  return { name: 'keep_failed', text: sql`CREATE TABLE ${FAILED} AS\n${failed}` };
}

/**
 * `__malformed`: records that a scan refused for their structure, each with its place: its number among the records and
 * blank lines of its file.
 */
export function createMalformed(batch: Batch, rejects: RejectTables): Statement {
  return {
    name: 'quarantine_malformed',
    text: sql`CREATE TABLE ${MALFORMED} AS\n${hasRejects(batch) ? renderMalformed(rejects) : NO_MALFORMED}`,
  };
}

const NO_MALFORMED = sql`SELECT '' AS path, 0::BIGINT AS place, '' AS raw, [{'code': '', 'detail': ''}] AS issues WHERE false`;

/** DuckDB reports a wrong number of fields once per field, and keeps 10,000 bytes of a record. */
function renderMalformed(rejects: RejectTables): Sql {
  const scan = sql`scan_id, file_id`;
  return sql`WITH scans AS (
  SELECT ${scan}, file_path, len(regexp_extract_all(columns, '''c[0-9]+'': ')) AS expected FROM ${quoteName(rejects.scans)}
),
faults AS (
  SELECT ${scan}, line, error_type, min(column_idx) AS first, max(column_idx) AS last, any_value(csv_line) AS csv_line,
    min(error_message) AS message
  FROM ${quoteName(rejects.errors)} GROUP BY ALL
),
described AS (
  SELECT f.scan_id, f.file_id, f.line, f.csv_line, CASE CAST(f.error_type AS VARCHAR)
      WHEN 'MISSING COLUMNS' THEN 'too few fields: got ' || f.first || '; expected ' || s.expected
      WHEN 'TOO MANY COLUMNS' THEN 'too many fields: got ' || f.last || '; expected ' || s.expected
      WHEN 'UNQUOTED VALUE' THEN 'field ' || f.first || ': text after the closing quote, or no closing quote'
      WHEN 'INVALID ENCODING' THEN 'field ' || f.first || ': bytes that are not UTF-8'
      ELSE f.message
    END AS detail
  FROM faults f JOIN scans s USING (${scan})
),
records AS (
  SELECT ${scan}, line, any_value(csv_line) AS csv_line, list({'code': 'SCHEMA_ERROR', 'detail': detail} ORDER BY detail) AS issues
  FROM described GROUP BY ALL
)
SELECT s.file_path AS path, CAST(r.line AS BIGINT) AS place, ltrim(r.csv_line, chr(10) || chr(13)) AS raw, r.issues
FROM records r JOIN scans s USING (${scan})`;
}

/** `path`: files that have a refused record. */
export function listRefusedFiles({ poisoned: some }: BatchRecipe): Statement {
  const poisoned = some ? sql` UNION SELECT path FROM ${POISONED}` : NOTHING;
  return {
    name: 'refused_files',
    text: sql`SELECT path FROM ${FAILED} UNION SELECT path FROM ${MALFORMED}${poisoned}`,
  };
}

/** `__poisoned`: records that the engine cannot take, each by its number among the well-formed ones of its file, from 0. */
export function createPoisoned(): Statement {
  return {
    name: 'poisoned',
    text: sql`CREATE TABLE ${POISONED} (path VARCHAR, nth BIGINT, raw VARCHAR, issues STRUCT(code VARCHAR, detail VARCHAR)[])`,
  };
}

/** Puts down one such record; `text`: as the file has it, where the engine can show it. */
export function insertPoisoned(
  source: Batch['source'],
  group: FileGroup,
  record: { readonly path: string; readonly nth: number; readonly reason: string },
  text: boolean,
): Statement {
  const only = { ...group, rows: { from: record.nth, to: record.nth + 1, without: [] } };
  const scan = sql`(SELECT ${RAW} FROM (${renderRawRows(source, only, rejectTables(`poisoned_${record.nth}`))}))`;
  const raw = text ? sql`(SELECT ${renderKeptText(group)} FROM ${scan})` : sql`NULL`;
  const issue = sql`{'code': ${quoteText(ENGINE_ERROR)}, 'detail': ${quoteText(record.reason)}}`;
  return {
    name: 'insert_poisoned',
    text: sql`INSERT INTO ${POISONED} SELECT ${quoteText(record.path)}, ${record.nth}, ${raw}, [${issue}]`,
  };
}

/**
 * `__shifts`: where the line of a record stops following from the line of the record before. One row says so for a file
 * in which record n stands on line n; the others are read from `shiftFiles`, CSV of `path, record, place, line`.
 */
export function createShifts(regular: readonly string[], shiftFiles: readonly string[]): Statement {
  const fromOne = sql`SELECT unnest(${quoteTexts(regular)}::VARCHAR[]) AS path, 1::BIGINT AS record, 1::BIGINT AS place, 1::BIGINT AS line`;
  const columns = sql`{'path': 'VARCHAR', 'record': 'BIGINT', 'place': 'BIGINT', 'line': 'BIGINT'}`;
  const read =
    shiftFiles.length === 0
      ? NOTHING
      : sql`\nUNION ALL\nSELECT * FROM read_csv(${quoteTexts(shiftFiles)}, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', new_line = '\\n', columns = ${columns})`;
  return { name: 'shifts', text: sql`CREATE TABLE ${SHIFTS} AS\n${fromOne}${read}` };
}

/**
 * `__quarantine`: every refused record with its raw text, all codes and its line, the line on which it begins; a header
 * is on line 1. In a JSON array and in Parquet, which have no lines, it is the number of the value or row.
 * What the contract rejects names no table; what only the table's own rules reject names it.
 * A record's number among the well-formed ones becomes its number in the file by putting the malformed ones back.
 */
export function createQuarantine(
  files: readonly NumberedFile[],
  recipe: BatchRecipe,
  context: QuarantineContext,
): Statement {
  const values = files.map(
    (f, i) =>
      sql`(${i}, ${quoteText(f.path)}, ${quoteText(f.key)}, ${f.headerRecords}, ${f.records}, ${f.openQuote?.line ?? sql`NULL::BIGINT`}, ${f.openQuote === null ? sql`NULL::VARCHAR` : quoteText(f.openQuote.text)}, ${f.before})`,
  );
  const { poisoned } = recipe;
  const text = sql`CREATE TABLE ${QUARANTINE} AS
WITH files(ordinal, path, key, header_records, records, open_line, open_text, before) AS (VALUES ${join(values)}),
shifts AS (SELECT f.ordinal, s.record, s.place, s.line FROM ${SHIFTS} s JOIN files f ON s.path = f.path),
located AS (
  SELECT m.ordinal, m.place, m.header_records, s.record + m.place - s.place AS record, s.line + m.place - s.place AS line,
    row_number() OVER (PARTITION BY m.ordinal ORDER BY m.place) - 1 AS nth
  FROM (SELECT f.ordinal, f.header_records, b.place FROM ${MALFORMED} b JOIN files f ON b.path = f.path) m
  ASOF JOIN shifts s ON m.ordinal = s.ordinal AND m.place >= s.place
),
${poisoned ? WITH_POISONED : NOTHING}counted AS (
  SELECT f.*, f.records - coalesce(m.malformed, 0)${poisoned ? sql` - coalesce(o.poisoned, 0)` : NOTHING} AS well_formed
  FROM files f LEFT JOIN (SELECT ordinal, count(*) AS malformed FROM located GROUP BY ordinal) m ON f.ordinal = m.ordinal${
    poisoned
      ? sql`\n  LEFT JOIN (SELECT ordinal, count(*) AS poisoned FROM poisoned GROUP BY ordinal) o ON f.ordinal = o.ordinal`
      : NOTHING
  }
),
numbered AS (
  SELECT *, coalesce(sum(well_formed) OVER (ORDER BY ordinal ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS first
  FROM counted
),
-- How many malformed records stand before the well-formed record number "after" of a file.
gaps AS (
  SELECT ordinal, record - nth - header_records - 1 AS after, max(nth) + 1 AS malformed FROM located GROUP BY ALL
),
failed AS (
  ${poisoned ? FAILED_AND_POISONED : sql`SELECT p.pos, f.ordinal, p.pos - f.first AS nth, f.header_records FROM ${FAILED} p JOIN numbered f ON p.path = f.path`}
),
placed AS (
  SELECT p.pos, p.ordinal, p.nth + p.header_records + 1 + coalesce(g.malformed, 0) AS record
  FROM failed p ASOF LEFT JOIN gaps g ON p.ordinal = g.ordinal AND p.nth >= g.after
),
lines AS (
  SELECT p.pos, s.line + p.record - s.record AS line
  FROM placed p ASOF JOIN shifts s ON p.ordinal = s.ordinal AND p.record >= s.record
),
malformed AS (
  SELECT m.path, l.line, CASE WHEN l.line = f.open_line THEN f.open_text ELSE m.raw END AS raw,
    CASE WHEN l.line = f.open_line THEN ${OPEN_QUOTE} ELSE m.issues END AS issues
  FROM ${MALFORMED} m JOIN files f ON m.path = f.path JOIN located l ON l.ordinal = f.ordinal AND l.place = m.place
),
refused AS (
  SELECT p.path, l.line, p.raw, p.row_hash, p.business_key, p.issues, p.status, p.attempt, p.own
  FROM ${FAILED} p JOIN lines l ON p.pos = l.pos
  UNION ALL
  SELECT path, line, raw, sha256(raw), NULL, ${renderMalformedFate(recipe)} AS attempt, false FROM malformed${
    poisoned
      ? sql`
  UNION ALL
  SELECT path, line, raw, sha256(raw), NULL, ${renderMalformedFate(recipe)} AS attempt, false
  FROM (SELECT p.path, l.line, coalesce(p.raw, f.key || ', record ' || p.nth) AS raw, p.issues FROM poisoned p JOIN lines l ON p.pos = l.pos JOIN files f ON p.path = f.path)`
      : NOTHING
  }
)
SELECT ${quoteText(context.source)} AS source, f.key AS source_file, CAST(r.line + f.before AS BIGINT) AS line, r.raw,
  list_transform(r.issues, lambda i: i.code) AS codes,
  list_transform(r.issues, lambda i: i.detail) AS details,
  r.row_hash, r.business_key, CAST(r.attempt AS INTEGER) AS attempt, r.status, ${quoteText(context.runId)} AS run_id,
  CAST(${quoteText(context.at)} AS TIMESTAMPTZ) AS quarantined_at,
  CASE WHEN r.own THEN ${quoteText(context.table)} END AS table_name
FROM refused r JOIN files f ON r.path = f.path`;
  return { name: 'quarantine', text };
}

/** Records left out of the scans: `pos` tells them from the others, which count from 0, and `before` are left out before each. */
const WITH_POISONED = sql`poisoned AS (
  SELECT f.ordinal, f.header_records, p.path, p.nth, p.raw, p.issues, -row_number() OVER (ORDER BY f.ordinal, p.nth) AS pos,
    row_number() OVER (PARTITION BY f.ordinal ORDER BY p.nth) - 1 AS before
  FROM ${POISONED} p JOIN files f ON p.path = f.path
),
`;

/** A record's number among those that were scanned becomes its number among all well-formed ones. */
const FAILED_AND_POISONED = sql`SELECT p.pos, p.ordinal, p.nth + coalesce(o.poisoned, 0) AS nth, p.header_records
  FROM (SELECT p.pos, f.ordinal, p.pos - f.first AS nth, f.header_records FROM ${FAILED} p JOIN numbered f ON p.path = f.path) p
  ASOF LEFT JOIN (SELECT ordinal, nth - before AS after, max(before) + 1 AS poisoned FROM poisoned GROUP BY ALL) o
    ON p.ordinal = o.ordinal AND p.nth >= o.after
  UNION ALL
  SELECT pos, ordinal, nth, header_records FROM poisoned`;

/** A record without structure has no columns to hash, so its raw text stands for it. */
function renderMalformedFate({ memory }: BatchRecipe): Sql {
  if (!memory) return sql`issues, 'quarantined', 1`;
  const known = sql`sha256(raw) IN (SELECT row_hash FROM ${MEMORY})`;
  const issue = sql`[{'code': 'DUPLICATE_FAILURE', 'detail': 'the same record is in quarantine already'}]`;
  return sql`CASE WHEN ${known} THEN ${issue} ELSE issues END, CASE WHEN ${known} THEN 'condemned' ELSE 'quarantined' END, 1`;
}

export function countQuarantine(): Statement {
  return {
    name: 'count_quarantine',
    text: sql`SELECT count(*) AS rows, count(*) FILTER (status = 'condemned') AS condemned FROM ${QUARANTINE}`,
  };
}
