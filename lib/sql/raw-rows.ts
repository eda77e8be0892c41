import type { ContractColumn, SourceFormat, SourceSpec } from '../core/spec.ts';
import { quoteName, quoteText, quoteTexts } from './quote.ts';

/** Files of one source that share a shape, so that one table function reads them all. */
export type FileGroup = {
  readonly layout: FileLayout;
  /** Local paths, in the order in which their rows are numbered. */
  readonly paths: readonly string[];
};

export type FileLayout =
  /** `header`: column names as the files give them; `maxLineBytes`: DuckDB's longest acceptable record. */
  | { readonly kind: 'csv'; readonly header: readonly string[]; readonly maxLineBytes: number }
  | { readonly kind: 'lines'; readonly maxLineBytes: number }
  | { readonly kind: 'array' }
  | { readonly kind: 'parquet'; readonly columns: readonly { readonly name: string; readonly type: string }[] };

/** Where structurally broken records go; each scan names tables of its own so that scans never mix. */
export type RejectTables = { readonly errors: string; readonly scans: string };

export const FILE = '__file';
export const RAW = '__raw';
export const SHAPE_OK = '__shape_ok';

/** The raw text (or, from Parquet, the typed value) of the i-th contract column. */
export function rawName(index: number): string {
  return quoteName(`__r${index}`);
}

/** True when the i-th contract column arrives typed rather than as text. */
export function nativeType(layout: FileLayout, column: ContractColumn): string | undefined {
  if (layout.kind !== 'parquet') return undefined;
  const type = layout.columns.find((c) => c.name === column.source)?.type;
  return type === 'VARCHAR' ? undefined : type;
}

/**
 * SELECT over one group of files: raw columns in contract order, the file path, the whole record as text and whether
 * the record has the shape of a row at all. Columns that nobody reads are pruned by DuckDB.
 */
export function renderRawRows(source: SourceSpec, group: FileGroup, rejects: RejectTables): string {
  const { layout } = group;
  switch (layout.kind) {
    case 'csv':
      return selectRaw(source, (name) => csvColumn(layout.header, name), {
        record: jsonObject(layout.header.map((name, i) => [name, `c${i}`])),
        shape: 'true',
        from: readCsv(csvFormat(source.format), group.paths, layout, rejects),
      });
    case 'lines':
      return selectRaw(source, (name) => `(__json ->> ${quoteText(jsonPointer(name))})`, {
        record: '__line',
        shape: "COALESCE(json_type(__json) = 'OBJECT', false)",
        from: `(SELECT c0 AS __line, TRY_CAST(c0 AS JSON) AS __json, ${FILE} FROM ${readLines(group.paths, layout.maxLineBytes, rejects)} WHERE c0 IS NOT NULL)`,
      });
    case 'array':
      return selectRaw(source, (name) => `(__json ->> ${quoteText(jsonPointer(name))})`, {
        record: 'CAST(__json AS VARCHAR)',
        shape: "COALESCE(json_type(__json) = 'OBJECT', false)",
        from: `(SELECT json AS __json, ${FILE} FROM read_json_objects(${quoteTexts(group.paths)}, format = 'array', filename = ${quoteText(FILE)}, maximum_object_size = 67108864))`,
      });
    case 'parquet':
      return selectRaw(source, (name) => parquetColumn(layout.columns, name), {
        record: jsonObject(layout.columns.map((c) => [c.name, `CAST(${quoteName(c.name)} AS VARCHAR)`])),
        shape: 'true',
        from: `read_parquet(${quoteTexts(group.paths)}, hive_partitioning = false, union_by_name = false, filename = ${quoteText(FILE)})`,
      });
  }
}

type RawParts = { readonly record: string; readonly shape: string; readonly from: string };

function selectRaw(source: SourceSpec, column: (name: string) => string, parts: RawParts): string {
  const columns = source.columns.map((c, i) => `${column(c.source)} AS ${rawName(i)}`);
  const all = [...columns, `${parts.shape} AS ${SHAPE_OK}`, `${parts.record} AS ${RAW}`, FILE];
  return `SELECT ${all.join(', ')} FROM ${parts.from}`;
}

function csvColumn(header: readonly string[], name: string): string {
  const at = header.indexOf(name);
  return at < 0 ? 'CAST(NULL AS VARCHAR)' : `c${at}`;
}

function parquetColumn(columns: readonly { readonly name: string }[], name: string): string {
  return columns.some((c) => c.name === name) ? quoteName(name) : 'CAST(NULL AS VARCHAR)';
}

function csvFormat(format: SourceFormat): Extract<SourceFormat, { kind: 'csv' }> {
  if (format.kind === 'csv') return format;
  throw new TypeError(`a CSV layout needs a CSV source, got ${format.kind}`);
}

function readCsv(
  format: Extract<SourceFormat, { kind: 'csv' }>,
  paths: readonly string[],
  layout: Extract<FileLayout, { kind: 'csv' }>,
  rejects: RejectTables,
): string {
  const columns = layout.header.map((_, i) => `'c${i}': 'VARCHAR'`).join(', ');
  return `read_csv(${[
    quoteTexts(paths),
    `columns = {${columns}}`,
    `header = ${format.header}`,
    `delim = ${quoteText(format.delimiter)}`,
    `quote = ${quoteText(format.quote)}`,
    `escape = ${quoteText(format.escape)}`,
    `nullstr = ${quoteTexts(format.nullText)}`,
    'allow_quoted_nulls = false',
    `encoding = ${quoteText(format.encoding)}`,
    ...textScanOptions(layout.maxLineBytes, rejects),
  ].join(', ')})`;
}

/** Every line as one text column; a blank line is NULL. */
function readLines(paths: readonly string[], maxLineBytes: number, rejects: RejectTables): string {
  return `read_csv(${[
    quoteTexts(paths),
    `columns = {'c0': 'VARCHAR'}`,
    'header = false',
    'delim = chr(1)',
    `quote = ''`,
    `escape = ''`,
    ...textScanOptions(maxLineBytes, rejects),
  ].join(', ')})`;
}

function textScanOptions(maxLineBytes: number, rejects: RejectTables): string[] {
  return [
    'auto_detect = false',
    'store_rejects = true',
    `rejects_table = ${quoteText(rejects.errors)}`,
    `rejects_scan = ${quoteText(rejects.scans)}`,
    'rejects_limit = 0',
    `max_line_size = ${maxLineBytes}`,
    `filename = ${quoteText(FILE)}`,
  ];
}

function jsonObject(pairs: readonly (readonly [string, string])[]): string {
  return `CAST(json_object(${pairs.map(([name, value]) => `${quoteText(name)}, ${value}`).join(', ')}) AS VARCHAR)`;
}

/** RFC 6901, so that any column name can be asked for. */
function jsonPointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
