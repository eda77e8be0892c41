import type { Keep } from './dedupe.ts';
import type { MetadataColumn } from './spec.ts';

/**
 * Hidden columns of parsed rows: the hash of the source row, the local path of its file, its business key, its file's place
 * in the batch, and of a row that does not pass what the quarantine keeps of it.
 */
export type HiddenColumn = 'hash' | 'file' | 'key' | 'nth_file' | 'failed';

/** A column of the table that does not come from the model's SQL but from the source row or the run. */
export type AddedColumn = { readonly name: string; readonly value: MetadataColumn };

/**
 * What a batch needs on its way from files to a table. The SQL of every statement and the step that runs them follow from
 * this one value.
 */
export type BatchRecipe = {
  /**
   * `stream`: one statement takes the rows from the files to Parquet. `tables`: rows are numbered in a table, because
   * they are read several times or told apart from each other.
   */
  readonly pass: 'stream' | 'tables';
  /** What the model makes of numbered rows is a table too, since rows are told apart by it; else it is written as it is made. */
  readonly keepsMapped: boolean;
  /** A statement for each shape of the files, where one over all of them would be too large. */
  readonly byShape: boolean;
  /** Rows of which an expression raises are rejected one by one. */
  readonly guarded: boolean;
  /** Of rows that stream past it is noted which columns have a row that fails, for the second read that looks for these rows. */
  readonly notesFaults: boolean;
  readonly hidden: readonly HiddenColumn[];
  /** The model's rows have the hash of their source row: the hidden row number takes it through the model's SQL. */
  readonly carriesHash: boolean;
  /**
   * Rows whose hash came before, in the batch or, if `known`, in the table, are left out before they are looked at; null:
   * equal rows are kept.
   */
  readonly equalRows: { readonly known: boolean } | null;
  /** Rows are held against what the quarantine remembers of the source. */
  readonly memory: boolean;
  /** Records that the engine cannot take are left out of the scans. */
  readonly poisoned: boolean;
  /** Of rows with one key one is kept, or, if `known`, the table's; null: keys may come again. */
  readonly equalKeys: EqualKeys | null;
  readonly added: readonly AddedColumn[];
};

export type EqualKeys = {
  readonly key: readonly string[];
  /** Left out: of the batch's rows with one key the first is kept. */
  readonly keep?: Keep;
  readonly known: boolean;
  /** `dropped` as a duplicate, or `condemned` unless it is equal to the table's row, which is known where that has hashes. */
  readonly fate: { readonly kind: 'dropped' } | { readonly kind: 'condemned'; readonly comparable: boolean };
};
