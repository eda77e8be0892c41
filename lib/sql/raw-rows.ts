import { nameInFile, namesInFiles } from '../core/renames.ts';
import type { ContractColumn, SourceFormat, SourceSpec } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { readingDialect } from './csv-dialect.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { hasOddities, markNumbers, strictJson } from './json-text.ts';
import { type NativeType, renderStored } from './native-type.ts';
import { jsonPointer, strangeKeys } from './parse-nested.ts';
import { ownName, quoteName, quoteText } from './quote.ts';
import { jsonColumn, jsonMisfit, lackName, lackNames, oneOf, placesOf, withValues } from './raw-json.ts';
import { copyWithNumbers, filterRows, type RowFilter } from './row-filter.ts';
import { FILE, type RejectTables, readParquet, readText } from './table-functions.ts';

export { NOT_AN_OBJECT } from './raw-json.ts';
export type { RowFilter } from './row-filter.ts';
export { FILE, type RejectTables } from './table-functions.ts';

/** Files of one source that share a shape, so that one table function reads them all. */
export type FileGroup = {
  readonly layout: FileLayout;
  /** Local paths, in the order in which their rows are numbered. */
  readonly paths: readonly string[];
  /** Of a group of one file: which of its rows are read; left out: all. */
  readonly rows?: RowFilter;
  /** Present: rows say which file of the batch they come from, and the group's first file has this number. */
  readonly first?: number;
};

export type FileLayout =
  /** `header`: column names as the files give them. */
  | ({ readonly kind: 'csv'; readonly header: readonly string[] } & Lines)
  | ({ readonly kind: 'lines' } & Lines)
  /** A copy that has every element on a line. */
  | ({ readonly kind: 'array' } & Lines)
  /** `columns`: all of the file, in its order and by the names that it gives them. */
  | { readonly kind: 'parquet'; readonly columns: readonly { readonly name: string; readonly type: NativeType }[] };

export type JsonLayout = Extract<FileLayout, { kind: 'lines' | 'array' }>;
export type JsonGroup = FileGroup & { readonly layout: JsonLayout };

type Lines = {
  readonly maxRecordBytes: number;
  readonly maxFileBytes: number;
};

/** The whole record, in a form that `renderRecordText` makes text of. */
export const RAW = ownName('__raw');
/** Why a record is no row of the source at all, as text; NULL where it is one. */
export const MISFIT = ownName('__misfit');

/** Of a group with `first`: the place of a row's file among those of the batch. */
export const NTH_FILE = ownName('__nth_file');

/** DuckDB numbers the files of a scan. */
function nthFile(group: FileGroup): readonly Sql[] {
  if (group.first === undefined) return [];
  const nth = countsFiles(group) ? sql`${group.first} + file_index` : sql`${group.first}`;
  return [sql`CAST(${nth} AS INTEGER) AS ${NTH_FILE}`];
}

function countsFiles({ paths, first }: FileGroup): boolean {
  return first !== undefined && paths.length > 1;
}

/** The raw text (or, from Parquet, the typed value) of the i-th contract column. */
export function rawName(index: number): Sql {
  return quoteName(`__r${index}`);
}

/** The type of a contract column that arrives typed rather than as text. */
export function nativeType(layout: FileLayout, column: ContractColumn): NativeType | undefined {
  if (layout.kind !== 'parquet') return undefined;
  const type = found(layout.columns, column)?.type;
  return type?.kind === 'leaf' && type.type === 'VARCHAR' ? undefined : type;
}

/** When a row's file or object lacks a column that has a default; undefined for a column that is there, or has none. */
export function renderLacking(layout: FileLayout, column: ContractColumn, index: number): Sql | undefined {
  if (column.default === undefined) return undefined;
  switch (layout.kind) {
    case 'csv':
      return nameInFile(column, layout.header) === undefined ? sql`true` : undefined;
    case 'parquet':
      return found(layout.columns, column) === undefined ? sql`true` : undefined;
    case 'lines':
    case 'array':
      return lackName(index);
  }
}

type StoredColumn = { readonly name: string; readonly type: NativeType };

function found(columns: readonly StoredColumn[], column: ContractColumn): StoredColumn | undefined {
  const name = nameInFile(
    column,
    columns.map((c) => c.name),
  );
  return columns.find((c) => c.name === name);
}

/**
 * SELECT over one group of files: raw columns in contract order, the file path, the whole record and why
 * the record is no row at all. Columns that nobody reads are pruned by DuckDB.
 */
export function renderRawRows(source: SourceSpec, group: FileGroup, rejects: RejectTables): Sql {
  const { layout } = group;
  switch (layout.kind) {
    case 'csv':
      return selectRaw(source, group, (column) => csvColumn(layout.header, column), {
        record: packed(layout.header.map((_, i) => sql`c${i}`)),
        misfit: readsAll(layout.header.length),
        from: filterRows(
          group,
          layout.header.map((_, i) => `c${i}`),
          () => readCsv(readingDialect(csvFormat(source.format)), group.paths, layout, rejects),
        ),
      });
    case 'lines':
    case 'array': {
      const places = placesOf(source);
      return selectRaw(source, group, (column) => jsonColumn(column, places), {
        record: sql`__line`,
        misfit: jsonMisfit(source),
        lacks: lackNames(source),
        from: withValues(source, readJson(group, layout, rejects)),
      });
    }
    case 'parquet':
      return selectRaw(source, group, (column) => parquetColumn(layout.columns, column), {
        record: packed(layout.columns.map((c, i) => renderStored(c.type, sql`c${i}`))),
        misfit: sql`CAST(NULL AS VARCHAR)`,
        from: filterRows(
          group,
          layout.columns.map((_, i) => `c${i}`),
          () => readParquet(group.paths, layout.columns, countsFiles(group)),
        ),
      });
  }
}

/** What stands in the copy of a JSON array for line breaks inside its elements; JSON has no such bytes. */
export const LINE_FEED_MARK = 0x1e;
export const CARRIAGE_RETURN_MARK = 0x1d;

/** Every line that is not blank. */
function lineRows(group: FileGroup, layout: Lines, rejects: RejectTables | undefined): Sql {
  const all = (): Sql => readLines(group.paths, layout, rejects);
  if (group.rows === undefined) return sql`${filterRows(group, ['c0'], all)} WHERE c0 IS NOT NULL`;
  return filterRows(group, ['c0'], () => notBlank(all()));
}

function notBlank(lines: Sql): Sql {
  return sql`(SELECT * FROM ${lines} WHERE c0 IS NOT NULL)`;
}

/** Well-formed records of a group of one file, as its scan gives them, with their numbers: for `RowFilter.copy`. */
export function copyNumbered(source: SourceSpec, group: FileGroup, rejects: RejectTables, target: string): Statement {
  const { layout, paths } = group;
  switch (layout.kind) {
    case 'csv':
      return copyWithNumbers(readCsv(readingDialect(csvFormat(source.format)), paths, layout, rejects), target);
    case 'lines':
    case 'array':
      return copyWithNumbers(notBlank(readLines(paths, layout, rejects)), target);
    case 'parquet':
      return copyWithNumbers(readParquet(paths, layout.columns), target);
  }
}

type RawParts = { readonly record: Sql; readonly misfit: Sql; readonly lacks?: readonly Sql[]; readonly from: Sql };

function selectRaw(
  source: SourceSpec,
  group: FileGroup,
  column: (column: ContractColumn, index: number) => Sql,
  parts: RawParts,
): Sql {
  const columns = source.columns.map((c, i) => sql`${column(c, i)} AS ${rawName(i)}`);
  const all = [
    ...columns,
    ...(parts.lacks ?? []),
    sql`${parts.misfit} AS ${MISFIT}`,
    sql`${parts.record} AS ${RAW}`,
    FILE,
    ...nthFile(group),
  ];
  return sql`SELECT ${join(all)} FROM ${parts.from}`;
}

/**
 * NULL for every row, but only known by reading every field: DuckDB refuses a record for a field that is not UTF-8 when
 * it reads that field. All scans of a file have to refuse the same records, whatever columns they are for.
 */
function readsAll(columns: number): Sql {
  const unread = Array.from({ length: columns }, (_, i) => sql`strlen(c${i}) IS NOT DISTINCT FROM -1`);
  return sql`CASE WHEN ${join(unread, ' OR ')} THEN 'unread' END`;
}

/** JSON values as `__json`, with the text of each as `__line`; `__marked` has the numbers that DuckDB would change. */
function readJson(group: FileGroup, layout: JsonLayout, rejects: RejectTables | undefined): Sql {
  const line =
    layout.kind === 'lines'
      ? sql`c0`
      : sql`replace(replace(c0, chr(${LINE_FEED_MARK}), chr(10)), chr(${CARRIAGE_RETURN_MARK}), chr(13))`;
  const index = countsFiles(group) ? sql`, file_index` : NOTHING;
  const lines = sql`SELECT ${line} AS __line, ${FILE}${index} FROM ${lineRows(group, layout, rejects)}`;
  const odd = sql`SELECT *, ${hasOddities(sql`__line`)} AS __odd FROM (${lines})`;
  const json = sql`TRY_CAST(CASE WHEN __odd THEN ${strictJson(sql`__line`)} ELSE __line END AS JSON)`;
  const marked = sql`CASE WHEN __odd THEN TRY_CAST(${markNumbers(sql`__line`)} AS JSON) END`;
  return sql`(SELECT *, ${json} AS __json, ${marked} AS __marked FROM (${odd}))`;
}

/** `name`: the keys of all objects in JSON files, each once; values that are no objects are passed over. */
export function renderJsonKeys(group: JsonGroup): Sql {
  return sql`SELECT DISTINCT unnest(json_keys(__json)) AS name
FROM ${readJson(group, group.layout, undefined)}
WHERE json_type(__json) = 'OBJECT'`;
}

/** `name`: the keys inside the columns' values that their types do not name, each once, by its path. */
export function renderStrangeKeys(columns: readonly ContractColumn[], group: JsonGroup): Sql | undefined {
  const strange = columns.flatMap((column) => {
    const text = oneOf(namesInFiles(column).map((name) => sql`(__json ->> ${quoteText(jsonPointer(name))})`));
    const found = strangeKeys(column.type, text)?.paths(column.source);
    return found === undefined ? [] : [found];
  });
  if (strange.length === 0) return undefined;
  return sql`SELECT DISTINCT regexp_replace(unnest(flatten([${join(strange)}])), '[[0-9]+]', '[]', 'g') AS name
FROM ${readJson(group, group.layout, undefined)}
WHERE json_type(__json) = 'OBJECT'`;
}

function csvColumn(header: readonly string[], column: ContractColumn): Sql {
  const name = nameInFile(column, header);
  return name === undefined ? sql`CAST(NULL AS VARCHAR)` : sql`c${header.indexOf(name)}`;
}

function parquetColumn(columns: readonly StoredColumn[], column: ContractColumn): Sql {
  const stored = found(columns, column);
  return stored === undefined
    ? sql`CAST(NULL AS VARCHAR)`
    : renderStored(stored.type, sql`c${columns.indexOf(stored)}`);
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
): Sql {
  return readText(paths, {
    columns: layout.header.map((_, i) => `c${i}`),
    ...{ header: format.header, delimiter: format.delimiter, quote: format.quote, escape: format.escape },
    nullText: format.nullText,
    ...{ maxRecordBytes: layout.maxRecordBytes, maxFileBytes: layout.maxFileBytes },
    rejects,
  });
}

/** Every line as one text column; a blank line is NULL. */
function readLines(paths: readonly string[], layout: Lines, rejects: RejectTables | undefined): Sql {
  return readText(paths, {
    columns: ['c0'],
    ...{ header: false, delimiter: '', quote: '', escape: '', nullText: [''] },
    ...{ maxRecordBytes: layout.maxRecordBytes, maxFileBytes: layout.maxFileBytes },
    rejects,
  });
}

/** A record as a struct, which costs nothing to make; few records are ever shown. */
function packed(values: readonly Sql[]): Sql {
  return sql`struct_pack(${join(values.map((value, i) => sql`r${i} := ${value}`))})`;
}

/** The whole record as text, from the column `RAW`. */
export function renderRecordText(layout: FileLayout): Sql {
  switch (layout.kind) {
    case 'csv':
      return jsonObject(layout.header);
    case 'parquet':
      return jsonObject(layout.columns.map((c) => c.name));
    case 'lines':
    case 'array':
      return RAW;
  }
}

function jsonObject(names: readonly string[]): Sql {
  const values = names.map((name, i) => sql`${quoteText(name)}, CAST(struct_extract(${RAW}, 'r${i}') AS VARCHAR)`);
  return sql`CAST(json_object(${join(values)}) AS VARCHAR)`;
}
