/** A value of a row. Numbers that a JavaScript number would round, such as decimals, are given as text. */
export type TestValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly TestValue[]
  | { readonly [field: string]: TestValue };

/** A row by its columns; columns that it does not name are null. */
export type TestRow = { readonly [column: string]: TestValue };

/** Rows that are written in the source's format, or a file's text as it is. */
export type TestFile = readonly TestRow[] | string;

/**
 * What there is before a run. By source: rows, by the names that the columns have in the file; the text of a file; or
 * several files by their names. By table, such as `silver.customers` or `gold.revenue`: the rows of the table, which its
 * model then does not compute.
 */
export type GivenDefinition = { readonly [sourceOrTable: string]: TestFile | { readonly [file: string]: TestFile } };

/** What must be there after a run; rows alone stand for `{ rows }`. */
export type ExpectDefinition =
  | readonly TestRow[]
  | {
      /** The rows of the table, in any order. Compared are the columns that at least one of them names. */
      readonly rows?: readonly TestRow[];
      /** True: every column of the table is compared. Default false. */
      readonly exact?: boolean;
      /** True: the rows must come in this order. Default false. */
      readonly ordered?: boolean;
      /**
       * Rejected rows and files, in any order, by any of `codes`, `row` (of the given rows, from 1), `file`, `line`, `details`,
       * `raw`, `status`, `attempt`, `business_key`, `source`. `'any'`: whatever they are. Default: there must be none.
       */
      readonly rejected?: readonly TestRow[] | 'any';
      /** Part of the message with which the run must fail. */
      readonly error?: string;
    };

type RunOptions = {
  /** The run's date, or instant in ISO 8601: the only time that the run knows. Default 2026-01-01, and a day more with each run. */
  readonly run_date?: string;
  /** Default `run-1`, `run-2` and so on. */
  readonly run_id?: string;
  /** Values of the pipeline's variables. Default: their own. */
  readonly vars?: { readonly [name: string]: TestValue };
};

export type TestRunDefinition = RunOptions & {
  readonly given: GivenDefinition;
  readonly expect?: ExpectDefinition;
};

type TestOptions = {
  /** What the test is about, for readers. */
  readonly description?: string;
};

/** One test of a model: one run, or several one after the other. */
export type OneModelTest = TestOptions &
  (
    | (RunOptions & { readonly given: GivenDefinition; readonly expect: ExpectDefinition; readonly runs?: never })
    | {
        readonly runs: readonly TestRunDefinition[];
        /** What must be there after the last run. */
        readonly expect?: ExpectDefinition;
        readonly given?: never;
      }
  );

export type ModelTestDefinition = {
  /** The model, such as `silver.orders` or `revenue`. Default: the file's name. */
  readonly model?: string;
  /** Tests by name. */
  readonly tests: { readonly [name: string]: OneModelTest };
};

/** Declares tests of a model: the default export of `test/<model>.test.ts` in the pipeline's folder. Plain data, as YAML has it. */
export function defineModelTest(definition: ModelTestDefinition): ModelTestDefinition {
  return definition;
}
