import type { JsonValue } from './json-value.ts';
import { MASK } from './personal.ts';

/** What a source, or a table, looks like to who has to make it fast: rows by key, files by partition, rows by day. */
export type Diagnosis = {
  /** A table by full name, or `<pipeline>.<source>`. */
  readonly name: string;
  readonly kind: 'source' | 'table';
  /** ISO instant. */
  readonly at: string;
  readonly rows: number;
  /** Of a source: records that its contract rejects. */
  readonly rejected: number;
  /** Files of a source that cannot be read by its contract, and have no rows here. */
  readonly unreadable: number;
  readonly files: number;
  readonly bytes: number;
  readonly schema: readonly DiagnosedColumn[];
  readonly keys: readonly DiagnosedKey[];
  readonly partitions: readonly DiagnosedPartition[];
  /** By the days of a column; null where there is none with a date or a time. */
  readonly days: { readonly column: string; readonly volumes: readonly Volume[] } | null;
  readonly sample: readonly { readonly [column: string]: JsonValue }[];
};

export type DiagnosedColumn = {
  readonly name: string;
  readonly type: string;
  readonly nulls: number;
  /** Of all rows; 0 where there are none. */
  readonly null_percent: number;
  /** About how many values there are: within a few percent. */
  readonly distinct_estimate: number;
  /** Left out where it is not. */
  readonly personal?: true;
};

/** Rows of one value of a key column; the value masked where the column is personal. */
export type KeyValue = { readonly value: string | null; readonly rows: number; readonly percent: number };

export type DiagnosedKey = {
  readonly column: string;
  readonly distinct: number;
  /** The ten with the most rows. */
  readonly top: readonly KeyValue[];
  /** The first of them, where it has many more rows than others. */
  readonly hot: KeyValue | null;
  readonly buckets: number;
  /** Rows of the fullest bucket of the key by the mean of all; null without rows. */
  readonly skew: number | null;
};

export type DiagnosedPartition = {
  /** As a path; empty of a table without partitions, and of files that lie directly in a source's folder. */
  readonly partition: string;
  readonly files: number;
  readonly bytes: number;
  readonly mean_bytes: number;
  /** Files are below SMALL_FILE_BYTES on the average. */
  readonly small: boolean;
};

export type Volume = { readonly day: string | null; readonly rows: number };

export const SMALL_FILE_BYTES = 8_000_000;
/** A value is hot that has a hundredth of the rows or more, and so many times as many as a value has on the average. */
const HOT = { percent: 1, times: 10 };
export const TOP_VALUES = 10;
export const SAMPLE_ROWS = 10;

export function hotAmong(top: readonly KeyValue[], rows: number, distinct: number): KeyValue | null {
  const [first] = top;
  if (first === undefined || first.value === null || distinct === 0) return null;
  return first.percent >= HOT.percent && first.rows >= (HOT.times * rows) / distinct ? first : null;
}

export function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 100_000) / 1_000;
}

/** Without values of personal columns, beside those of the sample. Their days are values. */
export function withoutPersonal(diagnosis: Diagnosis): Diagnosis {
  const personal = new Set(diagnosis.schema.filter((column) => column.personal === true).map(({ name }) => name));
  const masked = (one: KeyValue): KeyValue => (one.value === null ? one : { ...one, value: MASK });
  const { keys, days } = diagnosis;
  return {
    ...diagnosis,
    keys: keys.map((key) =>
      personal.has(key.column) ? { ...key, top: key.top.map(masked), hot: key.hot && masked(key.hot) } : key,
    ),
    days: days !== null && personal.has(days.column) ? null : days,
  };
}

/** Files of one partition, put together. */
export function partitionsOf(
  files: readonly { readonly partition: string; readonly bytes: number }[],
): readonly DiagnosedPartition[] {
  return [...Map.groupBy(files, ({ partition }) => partition)]
    .map(([partition, own]) => {
      const bytes = own.reduce((sum, file) => sum + file.bytes, 0);
      const mean = Math.round(bytes / own.length);
      return { partition, files: own.length, bytes, mean_bytes: mean, small: mean < SMALL_FILE_BYTES };
    })
    .sort((a, b) => (a.partition < b.partition ? -1 : 1));
}
