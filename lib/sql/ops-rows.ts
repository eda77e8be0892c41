import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { quoteText, quoteTexts } from './quote.ts';
import { duckType } from './types.ts';

/** DuckDB reads JSON through buffers of twice this size, one for each thread. */
const LEAST_OBJECT = 2 ** 20;

/**
 * Rows of an ops table from a JSON array file; instants are text until the table's own types are applied. `rowBytes`: the
 * length of the longest row.
 */
export function renderOpsRows(path: string, columns: readonly Column[], rowBytes: number): Sql {
  const types = columns.map((c) => {
    const type = c.type.kind === 'timestamptz' ? 'VARCHAR' : duckType(c.type);
    return sql`${quoteText(c.name)}: ${quoteText(type)}`;
  });
  return sql`read_json(${quoteText(path)}, format = 'array', columns = {${join(types)}}, maximum_object_size = ${Math.max(LEAST_OBJECT, 2 * rowBytes)})`;
}

/** `run_id`: runs that have published, the newest first. */
export function selectSucceeded(): Statement {
  return {
    name: 'finished runs',
    text: sql`SELECT run_id FROM ops.runs WHERE status = 'SUCCEEDED' ORDER BY finished_at DESC, run_id DESC`,
  };
}

/**
 * All files of the ledger, each with its latest outcome, and beside it that of tables for which it was another since then. Of rejected
 * ones those that wait for somebody: none in whose place another content has come.
 */
export function selectFiles(filter: { readonly source?: string; readonly status?: string }): Statement {
  const conditions = [
    ...(filter.source === undefined ? [] : [sql`source = ${quoteText(filter.source)}`]),
    ...(filter.status === undefined ? [] : [sql`status = ${quoteText(filter.status)}`]),
    ...(filter.status === 'rejected' ? [NOT_REPLACED] : []),
  ];
  const where = conditions.length === 0 ? NOTHING : sql` WHERE ${join(conditions, ' AND ')}`;
  return {
    name: 'files',
    text: sql`SELECT source, key, size, status, records, code, reason, run_id, ingested_at, table_name FROM (
  SELECT *, max(ingested_at) FILTER (table_name IS NULL) OVER (PARTITION BY key, etag) AS shared_at FROM ops.files
  QUALIFY row_number() OVER (PARTITION BY key, etag, table_name ORDER BY ingested_at DESC, status = 'ingested' DESC) = 1
    AND (table_name IS NULL OR shared_at IS NULL OR ingested_at > shared_at)
) AS latest${where} ORDER BY source, key, etag, table_name`,
  };
}

const NOT_REPLACED = sql`NOT EXISTS (SELECT 1 FROM ops.files AS other
  WHERE other.key = latest.key AND other.etag <> latest.etag AND other.ingested_at > latest.ingested_at)`;

/** A table that is made anew. `alone`: only what was taken for it or for all tables counts, and not what was for others. */
export type TakenFor = {
  readonly model: string;
  readonly source: string;
  readonly table: string;
  readonly alone: boolean;
};

/**
 * `model`, `key`, `etag`, `status` (the latest) of every landed file that a run has dealt with, for each of some tables, in the
 * order in which runs took them; `batch`: the run that did so first, or that ingested it first, by number from 0, and `run` its id.
 * A content that was taken in the place of another counts in the batch of that, and is `corrected` from then on.
 */
export function selectTaken(tables: readonly TakenFor[]): Statement {
  const values = tables.map(
    ({ model, source, table, alone }) =>
      sql`(${quoteText(model)}, ${quoteText(source)}, ${quoteText(table)}, ${alone ? sql`true` : sql`false`})`,
  );
  return {
    name: 'taken',
    text: sql`SELECT model, key, etag, status, dense_rank() OVER (PARTITION BY model ORDER BY first.at, first.run) - 1 AS batch, first.run AS run, corrected FROM (
  SELECT model, key, etag, arg_max(status, {'at': ingested_at, 'ingested': status = 'ingested'}) AS status,
    coalesce(min(counts) FILTER (status = 'ingested'), min(counts)) AS first,
    coalesce(max(ingested_at) < max(replaced_at), false) AS corrected
  FROM (
    SELECT t.model, f.*, {'at': coalesce(p.at, f.ingested_at), 'run': coalesce(f.place, f.run_id)} AS counts,
      max(f.ingested_at) FILTER (f.place IS NOT NULL) OVER (PARTITION BY t.model, f.key) AS replaced_at
    FROM ops.files f JOIN (VALUES ${join(values)}) t(model, for_source, for_table, alone)
      ON f.source = t.for_source AND (f.table_name IS NULL OR f.table_name = t.for_table OR NOT t.alone)
    LEFT JOIN (SELECT run_id, min(ingested_at) AS at FROM ops.files GROUP BY run_id) p ON f.place = p.run_id
  ) GROUP BY model, key, etag
) ORDER BY model, batch, key`,
  };
}

/**
 * `key`, `etag`, `run_id` of what runs ingested of a source under some names: by key the content that was taken last first, and of each content
 * the earliest run first.
 */
export function selectUploads(source: string, names: readonly string[]): Statement {
  return {
    name: 'uploads',
    text: sql`SELECT key, etag, run_id FROM ops.files WHERE source = ${quoteText(source)} AND status = 'ingested'
  AND key IN (SELECT unnest(${quoteTexts(names)}))
ORDER BY key, max(ingested_at) OVER (PARTITION BY key, etag) DESC, etag, ingested_at, run_id`,
  };
}

/** The ledger with other etags for some of its files, from a JSON array of `key`, `before` and `after`. */
export function renderRenamedEtags(path: string): Sql {
  const renamed = sql`read_json(${quoteText(path)}, format = 'array', columns = {key: 'VARCHAR', before: 'VARCHAR', after: 'VARCHAR'})`;
  return sql`(SELECT f.* REPLACE (coalesce(r.after, f.etag) AS etag)
FROM ops.files f LEFT JOIN ${renamed} r ON f.key = r.key AND f.etag = r.before)`;
}

/** Of the ledger: what was ingested for a table of a source after a time, and not before. */
export type TakenSince = {
  readonly source: string;
  /** By full name. */
  readonly table: string;
  /** ISO instant. */
  readonly since: string;
};

/** `key`, `etag`, `run_id`, `corrects`: such files, those that took the place of another content among them, in order. */
export function selectTakenSince({ source, table, since }: TakenSince): Statement {
  const at = sql`CAST(${quoteText(since)} AS TIMESTAMPTZ)`;
  return {
    name: 'taken since',
    text: sql`SELECT key, etag, arg_max(run_id, ingested_at) AS run_id, bool_or(place IS NOT NULL AND ingested_at > ${at}) AS corrects
FROM ops.files WHERE source = ${quoteText(source)} AND status = 'ingested' AND (table_name IS NULL OR table_name = ${quoteText(table)})
GROUP BY key, etag HAVING min(ingested_at) > ${at} ORDER BY key, etag`,
  };
}

/**
 * The ledger without some files for one table, from a JSON array of `key` and `etag`. A row that was written for all tables of
 * the source becomes one for each of the others.
 */
export function renderReopened(path: string, { source, table, since }: TakenSince, others: readonly string[]): Sql {
  const reopened = sql`read_json(${quoteText(path)}, format = 'array', columns = {key: 'VARCHAR', etag: 'VARCHAR'})`;
  const hit = sql`r.key IS NOT NULL AND f.source = ${quoteText(source)} AND f.ingested_at > CAST(${quoteText(since)} AS TIMESTAMPTZ)`;
  const rows = sql`ops.files f LEFT JOIN ${reopened} r ON f.key = r.key AND f.etag = r.etag`;
  return sql`(SELECT f.* FROM ${rows} WHERE NOT (${hit} AND (f.table_name IS NULL OR f.table_name = ${quoteText(table)}))
UNION ALL BY NAME
SELECT f.* REPLACE (CAST(o.other AS VARCHAR) AS table_name) FROM ${rows}, (SELECT unnest(${quoteTexts(others)}) AS other) o WHERE ${hit} AND f.table_name IS NULL)`;
}
