import type { BytesByTable } from './input-bytes.ts';
import type { JsonValue } from './json-value.ts';
import type { FactTable } from './ops.ts';
import type { Measured } from './requests.ts';

/** Files that landed, as a model read them. */
export type FilesRead = {
  readonly files: number;
  readonly bytes: number;
  /** Their etag, or a hash over the etags and keys of several. */
  readonly version: string;
};

/** A column of the files that a run wrote to a table. `min` and `max` are text; null where the files don't say. */
export type ColumnFacts = {
  readonly column: string;
  readonly rows: number;
  readonly nulls: number;
  readonly distinct: number | null;
  readonly min: string | null;
  readonly max: string | null;
  /** Of a declared key: whether it held in all of the table. */
  readonly unique: boolean | null;
};

/** What a model's units did, as its audit finds it in their results. */
export type ModelFacts = {
  readonly staging: Measured;
  readonly merging: Measured;
  readonly units: number;
  readonly merge_units: number;
  /** Null of gold, and of a model that took no file. */
  readonly source: FilesRead | null;
  readonly columns: readonly ColumnFacts[];
  /** Of each table that its SQL reads; left out by earlier releases. */
  readonly reads?: BytesByTable;
};

/** A row of a book; instants as text. */
export type BookRow = { readonly [column: string]: JsonValue };

/** What is kept of one run: `runs` is of one that the table of runs could not be told of when it failed. */
export type RunFacts = { readonly run_id: string; readonly runs: readonly BookRow[] } & {
  /** That it was rejected, where the table of that could not be told; left out: it was not. */
  readonly approvals?: readonly BookRow[];
} & {
  readonly [table in FactTable]: readonly BookRow[];
};

/** A row of the book of quality. */
export type QualityRow = {
  readonly table: string;
  readonly column: string;
  readonly rows: number | null;
  readonly nulls: number | null;
  readonly distinct_estimate: number | null;
  readonly min: string | null;
  readonly max: string | null;
};

/** What the books have of one run: its own row, and those of its models. */
export type RecordedRun = {
  readonly run: BookRow;
  readonly model_runs: readonly BookRow[];
  readonly lineage: readonly BookRow[];
  readonly quality: readonly QualityRow[];
};

/** A run's own row, and the rows of its books, as they were written or as a query has them. */
export function recordedRunOf(
  run: BookRow,
  { model_runs, lineage, quality }: Pick<RunFacts, 'model_runs' | 'lineage' | 'quality'>,
): RecordedRun {
  return { run, model_runs, lineage, quality: quality.map(qualityOf) };
}

function qualityOf(row: BookRow): QualityRow {
  const number = (name: string): number | null => {
    const value = row[name];
    return value === null || value === undefined ? null : Number(value);
  };
  const text = (name: string): string | null => (typeof row[name] === 'string' ? row[name] : null);
  return {
    table: String(row['table']),
    column: String(row['column']),
    rows: number('rows'),
    nulls: number('nulls'),
    distinct_estimate: number('distinct_estimate'),
    min: text('min'),
    max: text('max'),
  };
}
