/**
 * How a gold model is computed whose inputs are more than one worker takes: every unit of staging reads some files of a
 * table and writes rows by hash bucket; every unit of the merge brings some buckets of all of them.
 */
export type Ladder = PartialRung | ExchangeRung;

/** Rung 2: units aggregate what they read, and what they write is aggregated again. */
export type PartialRung = {
  readonly rung: 2;
  /** The id of the table of which each unit reads some files. */
  readonly table: string;
  /** The SELECT of a unit: the keys, and what aggregates are made of. */
  readonly map: string;
  readonly columns: readonly PartialColumn[];
  /** How the columns of the groups are made of those of the units, in the order in which `reduce` names them. */
  readonly parts: readonly Part[];
  /** A SELECT over the groups. */
  readonly reduce: string;
  readonly buckets: number;
};

/** A column that units write; a key stands before all that is no key. `text`: Parquet has no such number, which is written as text. */
export type PartialColumn = { readonly name: string; readonly key: boolean; readonly text: boolean };

/** An aggregate of parts. `sum` of a number that is written as text; `avg`: its sum and its count, with the digits behind the point. */
export type Part =
  | { readonly kind: 'sum' | 'count' | 'min' | 'max'; readonly name: string; readonly text: boolean }
  | {
      readonly kind: 'avg';
      readonly name: string;
      readonly count: string;
      readonly text: boolean;
      readonly scale: number;
      /** DuckDB divides small numbers as DOUBLE, and others with what the processor has beyond that. */
      readonly narrow: boolean;
    };

/** Rung 3: units write rows by the hash of a key, and the model's own SQL is run over some buckets at a time. */
export type ExchangeRung = {
  readonly rung: 3;
  readonly tables: readonly ExchangedTable[];
  readonly buckets: number;
};

export type ExchangedTable = {
  readonly table: string;
  /** Rows that are not equal in it are never needed together. */
  readonly key: string;
  /** The columns that the SQL reads. */
  readonly columns: readonly string[];
};

/** Of a unit that reads a part of a table: its id, the keys of the files, and the rows that they have. */
export type TableShare = { readonly table: string; readonly files: readonly string[]; readonly rows: number };

/** Why the SQL of a model cannot be computed by a rung. */
export type Stop = { readonly stops: string };
