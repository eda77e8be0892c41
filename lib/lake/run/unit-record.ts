import type { BytesByTable, InputBytes } from '../../core/input-bytes.ts';
import type { Parity } from '../../core/parity.ts';
import type { Measured } from '../../core/requests.ts';
import { NO_ROWS, type RowCounts } from '../../core/row-counts.ts';
import type { FileOutcome, LeftFile, PlacedFile } from '../../core/run.ts';
import type { WrittenFile } from '../../ports.ts';

/** A file that a worker wrote, under its key. */
export type Placed = PlacedFile<WrittenFile>;

/** What a unit did. Written once per unit; a unit that finds its result has nothing left to do. */
export type UnitResult = Measured & {
  readonly unit: string;
  readonly model: string;
  readonly counts: RowCounts;
  readonly files: readonly FileOutcome[];
  /** Files of the unit that it did not read, because they were no longer as planned. */
  readonly left?: readonly LeftFile[];
  /** Expectation name -> rows that broke it. */
  readonly broken: Readonly<Record<string, number>>;
  /** Data files of the table, at their final keys. */
  readonly written: readonly Placed[];
  /** Files by hash bucket, for a merge. */
  readonly exchanged: readonly Placed[];
  /** Of a unit that read some files of a table, whose rows these are made of: its id. */
  readonly of?: string;
  readonly quarantine: readonly Placed[];
  /** Keyed merges: data files of the log, and the buckets that are replaced in the history and in the log. */
  readonly logged: readonly Placed[];
  readonly rewritten: readonly number[];
  readonly relogged: readonly number[];
  /** Files that say which rows of data files are gone, where merges leave these as they are. */
  readonly deletes?: readonly Placed[];
  /** Of the tables that it read, where that was noted. */
  readonly inputs?: InputBytes;
  /** Of each table that its SQL reads, where that was noted. */
  readonly reads?: BytesByTable;
};

/** What a unit did that compared another text of a model with its table. */
export type ShadowResult = UnitResult & { readonly parity: Parity };

export function emptyResult(unit: string, model: string): UnitResult {
  return {
    unit,
    model,
    counts: NO_ROWS,
    files: [],
    broken: {},
    written: [],
    exchanged: [],
    quarantine: [],
    logged: [],
    rewritten: [],
    relogged: [],
    ms: 0,
  };
}
