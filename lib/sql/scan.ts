import type { PartitionField } from '../core/spec.ts';
import type { Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { type NamedFile, renderNamedFiles } from './named-files.ts';
import { quoteName, quotePath, quoteText, quoteTexts } from './quote.ts';
import { renderTransform } from './transform.ts';
import { duckType } from './types.ts';

export type ScanColumn = Column & { readonly id: number };

/** A data file to scan: its path where its columns are found by field id. */
export type ScanFile = string | NamedFile;

/**
 * A relation over data files by field id, so that files older than a column read it as NULL and renames are safe; by
 * name over the files that have no ids.
 */
export function renderScan(columns: readonly ScanColumn[], files: readonly ScanFile[]): string {
  const named = files.filter((file) => typeof file !== 'string');
  const paths = files.filter((file) => typeof file === 'string');
  if (named.length > 0) {
    const parts = renderNamedFiles(columns, named);
    const byId = paths.length === 0 ? [] : [`SELECT * FROM ${renderScan(columns, paths)}`];
    return `(${[...byId, ...parts].join('\nUNION ALL\n')})`;
  }
  if (paths.length === 0) {
    const empty = columns.map((c) => `CAST(NULL AS ${duckType(c.type)}) AS ${quoteName(c.name)}`);
    return `(SELECT ${empty.join(', ')} WHERE false)`;
  }
  const schema = columns.map(
    (c) => `${c.id}: {'name': ${quoteText(c.name)}, 'type': ${quoteText(duckType(c.type))}, 'default_value': NULL}`,
  );
  return `read_parquet(${quoteTexts(paths)}, hive_partitioning = false, schema = MAP {${schema.join(', ')}})`;
}

/** The column of technical relations that holds each row's bucket: of its key, or of an exchange. */
export const BUCKET = '__bucket';

/** Rows of data files with their bucket, which is known by file: hashing every key again would cost more than the rest. */
export function renderBucketed(
  columns: readonly ScanColumn[],
  files: readonly { readonly file: ScanFile; readonly bucket: number }[],
): string {
  const byId = files.filter(({ file }) => typeof file === 'string');
  const scan = renderScan(
    columns,
    byId.map(({ file }) => file),
  );
  const bucket =
    byId.length === 0 ? 'NULL' : `[${byId.map((f) => f.bucket).join(', ')}][CAST(file_index AS BIGINT) + 1]`;
  const first = `SELECT *, CAST(${bucket} AS INTEGER) AS ${BUCKET} FROM ${scan}`;
  const named = files
    .filter(({ file }) => typeof file !== 'string')
    .map((one) => `SELECT *, CAST(${one.bucket} AS INTEGER) AS ${BUCKET} FROM ${renderScan(columns, [one.file])}`);
  return `(${[first, ...named].join('\nUNION ALL\n')})`;
}

export function createSchemas(names: readonly string[]): readonly Statement[] {
  return names.map((name) => ({ name: 'schema', text: `CREATE SCHEMA IF NOT EXISTS ${quoteName(name)}` }));
}

/** `<schema>.<table>` as a view over a table's data files. */
export function createTableView(
  schema: string,
  table: string,
  columns: readonly ScanColumn[],
  files: readonly ScanFile[],
): Statement {
  return {
    name: `scan ${schema}.${table}`,
    text: `CREATE OR REPLACE VIEW ${quotePath(schema, table)} AS SELECT * FROM ${renderScan(columns, files)}`,
  };
}

/** Files that Strata staged itself, by column name. */
export function renderParquet(paths: readonly string[]): string {
  return `read_parquet(${quoteTexts(paths)}, hive_partitioning = false)`;
}

export function createRelation(name: string, relation: string): Statement {
  return { name, text: `CREATE VIEW ${name} AS SELECT * FROM ${relation}` };
}

/** The rows that a partition field puts into some buckets, wherever they lie now, with their bucket. */
export function renderBucketRows(
  relation: string,
  field: PartitionField,
  columns: readonly Column[],
  buckets: readonly number[],
): string {
  const type = columns.find((c) => c.name === field.column)?.type;
  if (type === undefined) throw new RangeError(`bucket column ${field.column} is not a column of the table`);
  return `(SELECT *, ${renderTransform(field, type)} AS ${BUCKET} FROM ${relation} WHERE ${BUCKET} IN (${buckets.join(', ')}))`;
}
