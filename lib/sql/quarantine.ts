import type { Statement } from '../core/statement.ts';
import { type Batch, DUPLICATES, HASH, hasRejects, renderFailedRows } from './batch.ts';
import { quoteName, quoteText } from './quote.ts';
import { FILE, RAW, type RejectTables } from './raw-rows.ts';

/** One landed file as the scans see it. */
export type NumberedFile = {
  readonly path: string;
  /** Store key, as quarantine rows name the file. */
  readonly key: string;
  /** Records before the first data record: 1 for a header. */
  readonly headerLines: number;
  /** Records of the file, well-formed or not. */
  readonly records: number;
};

export type QuarantineContext = {
  readonly source: string;
  readonly runId: string;
  /** ISO instant of the run's plan. */
  readonly at: string;
  /** `__duplicates` exists: those rows were dropped before validation. */
  readonly withoutDuplicates: boolean;
  /** `__drops` exists: expectations sent rows here. */
  readonly withDrops: boolean;
};

/**
 * `__quarantine`: every record that did not reach the silver model or was dropped by an expectation, with its raw text,
 * all codes and its line. `line` counts records, the header is line 1 (a quoted line break does not start a record).
 * A record's number among the well-formed ones becomes a line by putting the malformed ones back in their places.
 */
export function createQuarantine(
  batch: Batch,
  rejects: RejectTables,
  files: readonly NumberedFile[],
  context: QuarantineContext,
): readonly Statement[] {
  const duplicates = context.withoutDuplicates ? `AND pos NOT IN (SELECT rid FROM ${DUPLICATES})` : '';
  const failed = `SELECT r.pos, r.${FILE} AS path, r.${RAW} AS raw, r.${HASH} AS row_hash, ${context.withDrops ? 'list_concat(r.issues, d.issues)' : 'r.issues'} AS issues
FROM (SELECT row_number() OVER () - 1 AS pos, * FROM (${renderFailedRows(batch, rejects)})) r
${context.withDrops ? 'LEFT JOIN __drops d ON d.rid = r.pos' : ''}
WHERE (len(r.issues) > 0 ${context.withDrops ? 'OR d.rid IS NOT NULL' : ''}) ${duplicates}`;
  return [
    { name: 'quarantine_failed', text: `CREATE TABLE __failed AS ${failed}` },
    {
      name: 'quarantine_malformed',
      text: `CREATE TABLE __malformed AS ${hasRejects(batch) ? malformed(rejects) : NO_MALFORMED}`,
    },
    { name: 'quarantine', text: `CREATE TABLE __quarantine AS ${assemble(files, context)}` },
  ];
}

const NO_MALFORMED =
  "SELECT '' AS path, 0::BIGINT AS line, '' AS raw, [{'code': '', 'detail': ''}] AS issues, 0::BIGINT AS nth WHERE false";

function malformed(rejects: RejectTables): string {
  return `SELECT s.file_path AS path, e.line::BIGINT AS line, any_value(e.csv_line) AS raw,
  [{'code': 'SCHEMA_ERROR', 'detail': string_agg(DISTINCT e.error_message, '; ' ORDER BY e.error_message)}] AS issues,
  row_number() OVER (PARTITION BY s.file_path ORDER BY e.line) - 1 AS nth
FROM ${quoteName(rejects.errors)} e JOIN ${quoteName(rejects.scans)} s USING (scan_id, file_id)
GROUP BY s.file_path, e.line`;
}

function assemble(files: readonly NumberedFile[], context: QuarantineContext): string {
  const values = files.map(
    (f, i) => `(${i}, ${quoteText(f.path)}, ${quoteText(f.key)}, ${f.headerLines}, ${f.records})`,
  );
  return `
WITH files AS (
  SELECT f.*, f.records - (SELECT count(*) FROM __malformed m WHERE m.path = f.path) AS well_formed
  FROM (VALUES ${values.join(', ')}) f(ordinal, path, key, header_lines, records)
),
numbered AS (
  SELECT *, coalesce(sum(well_formed) OVER (ORDER BY ordinal ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS first FROM files
),
failed AS (
  SELECT f.key, f.path, p.pos - f.first + f.header_lines + 1 AS place, p.raw, p.row_hash, p.issues
  FROM __failed p JOIN numbered f ON f.path = p.path
),
placed AS (
  SELECT key, place + (SELECT count(*) FROM __malformed m WHERE m.path = failed.path AND m.line - m.nth <= place) AS line, raw, row_hash, issues
  FROM failed
  UNION ALL
  SELECT f.key, m.line, m.raw, NULL, m.issues FROM __malformed m JOIN files f ON f.path = m.path
)
SELECT ${quoteText(context.source)} AS source, key AS source_file, CAST(line AS BIGINT) AS line, raw,
  list_transform(issues, lambda i: i.code) AS codes, list_transform(issues, lambda i: i.detail) AS details,
  row_hash, 1 AS attempt, 'quarantined' AS status, ${quoteText(context.runId)} AS run_id,
  CAST(${quoteText(context.at)} AS TIMESTAMPTZ) AS quarantined_at
FROM placed`;
}

export function countQuarantine(): Statement {
  return { name: 'count_quarantine', text: 'SELECT count(*) AS rows FROM __quarantine' };
}
