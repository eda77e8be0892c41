import type { PrimitiveKind } from '../core/types.ts';

/**
 * A column type as text: `boolean`, `int` (32 bit), `bigint` (64 bit), `float`, `double`, `decimal(p,s)` up to 38 digits,
 * `date`, `timestamp` (no zone), `timestamptz`, `string`, `binary`, `list<type>`, `struct<name: type, ...>`.
 */
export type ColumnTypeText =
  | PrimitiveKind
  | `decimal(${number},${number})`
  | `decimal(${number}, ${number})`
  | `list<${string}>`
  | `struct<${string}>`;

/** A strptime format, such as `'%d/%m/%Y'` or `'%Y-%m-%d %H:%M:%S'`. */
export type StrptimeText = `${string}%${string}`;

/**
 * How text becomes the column's type. Left out: DuckDB's strict cast.
 * - `'numeric'`: any way of writing the number that loses nothing, so `'17850.0'` fits a `bigint`.
 * - `'epoch_seconds'`, `'epoch_millis'`: a count since 1970-01-01T00:00:00Z.
 * - a strptime format, or several: the first that fits wins.
 */
export type ParseText = 'numeric' | 'epoch_seconds' | 'epoch_millis' | StrptimeText | readonly StrptimeText[];

type AllowedValues = readonly (string | number | bigint | boolean)[];

/** What one column of a source must be. A row that breaks it goes to quarantine with the code of every broken rule. */
export type ColumnDefinition = {
  /** The column's type. Text that does not fit it: `TYPE_ERROR` (`TIMESTAMP_ERROR` for dates and times). */
  readonly type: ColumnTypeText;
  /** True: a NULL is refused with `NULL_VALUE_ERROR`. Default false. */
  readonly required?: boolean;
  /** The column's name in SQL (`batch.<source>`). Default: the name in the file, as written. */
  readonly as?: string;
  /**
   * The name that the column had before, or several, the latest first. Tables rename theirs and keep its values, and files
   * may have any of the names.
   */
  readonly renamedFrom?: string | readonly string[];
  /**
   * What rows of files have that lack the column; a NULL in a file stays one. Text for decimals, dates and times. Rows that
   * a table had before the column get it by `strata backfill`.
   */
  readonly default?: string | number | bigint | boolean;
  /** How text becomes the type. Default: DuckDB's strict cast. */
  readonly parse?: ParseText;
  /** The smallest allowed value, itself allowed (`RANGE_ERROR`). Text for decimals, dates and times. */
  readonly min?: number | bigint | string;
  /** The largest allowed value, itself allowed (`RANGE_ERROR`). Text for decimals, dates and times. */
  readonly max?: number | bigint | string;
  /** The allowed values (`DOMAIN_ERROR`, or the code that is given with them). */
  readonly in?: AllowedValues | { readonly values: AllowedValues; readonly code: string };
  /** An RE2 regular expression that the whole text must match (`DOMAIN_ERROR`, or the code that is given with it). */
  readonly pattern?: string | { readonly regex: string; readonly code: string };
  /**
   * True: what it holds is about a person. It is never part of errors, previews, logs or alerts, `strata query` and others
   * show it only with `--show-personal`, and so it is with what SQL makes of it. Default false.
   */
  readonly personal?: boolean;
  /**
   * What it is, for readers. Columns of tables that are made of it alone and have its name are described by it too, as far as they are not
   * described themselves.
   */
  readonly description?: string;
  /** SQL conditions over this source's columns; a row fails where one is false. The code is the name in upper case. */
  readonly checks?: { readonly [name: string]: string };
};

/** A source's columns by their name in the file; a bare type stands for `{ type }`. */
export type ColumnsDefinition = { readonly [nameInFile: string]: ColumnDefinition | ColumnTypeText };
