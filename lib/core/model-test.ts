import type { TableRef } from './spec.ts';
import type { VarValues } from './vars.ts';

/** A value as someone wrote it in a test: its text, which a column's type makes a value of, and how JSON writes it. */
export type Cell =
  | { readonly kind: 'null' }
  | { readonly kind: 'scalar'; readonly text: string; readonly json: string }
  | { readonly kind: 'list'; readonly items: readonly Cell[] }
  | { readonly kind: 'struct'; readonly fields: readonly (readonly [name: string, value: Cell])[] };

/** By column; a column that a row does not name is null there. */
export type GivenRow = ReadonlyMap<string, Cell>;

/** What a source's file has: rows, which are written in the source's format, or its text as it is. */
export type GivenFile = { readonly name: string } & (
  | { readonly kind: 'rows'; readonly rows: readonly GivenRow[] }
  | { readonly kind: 'text'; readonly text: string }
);

/** Files that land in a source, or the rows of a table in place of what its model would make. */
export type Given =
  | { readonly kind: 'source'; readonly source: string; readonly files: readonly GivenFile[] }
  | {
      readonly kind: 'table';
      readonly table: TableRef;
      /** The rows are the events of a keyed table, its log, and not the table's own. */
      readonly log: boolean;
      readonly rows: readonly GivenRow[];
    };

/** What must be there after a run. */
export type Expected = {
  /** Of the table; null when nothing is said of its rows. */
  readonly rows: readonly GivenRow[] | null;
  /** The columns that are compared: those that the rows name; all of the table with `exact`, and where no row names one. */
  readonly columns: readonly string[];
  /** The order of the rows counts. */
  readonly ordered: boolean;
  /** Rejected rows and files, by whichever of REJECTED_COLUMNS they name; null when they are of no interest. */
  readonly rejected: readonly GivenRow[] | null;
  /** Part of the message with which the run must fail; null when it must succeed. */
  readonly error: string | null;
};

/** By what a rejected row or file may be named. */
export const REJECTED_COLUMNS = [
  'source',
  'file',
  'row',
  'line',
  'codes',
  'details',
  'raw',
  'status',
  'attempt',
  'business_key',
] as const;

export type TestRun = {
  readonly runId: string;
  /** ISO instant at which the run is planned: the only time that it knows. */
  readonly at: string;
  /** Values of the pipeline's variables that are not their defaults. */
  readonly vars: VarValues;
  readonly given: readonly Given[];
  readonly expected: Expected | null;
};

/** One test of a model: runs, one after the other, over an empty lake. */
export type ModelTest = {
  readonly name: string;
  readonly description: string | null;
  /** The test file as problems show it. */
  readonly file: string;
  readonly place: string;
  readonly model: TableRef;
  readonly runs: readonly TestRun[];
};
