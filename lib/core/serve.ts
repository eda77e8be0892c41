import type { Measured } from './requests.ts';
import type { Column } from './types.ts';

/** `replace`: all rows, each time. `merge`: rows by key. `append`: rows that have come. */
export const SERVE_MODES = ['replace', 'merge', 'append'] as const;
export type ServeMode = (typeof SERVE_MODES)[number];

/** A table outside the lake that has the rows of one of the lake's. */
export type ServedTableSpec = {
  readonly name: string;
  /** Id of the model. */
  readonly from: string;
  readonly mode: ServeMode;
  /** Of `merge`, else empty. */
  readonly key: readonly string[];
  /** Former versions that are kept; left out: none. */
  readonly keep?: number;
  /** `replace` empties the table by TRUNCATE, for which readers have to wait. */
  readonly truncate?: true;
};

/** Where tables are served. The URL is a secret, of which everything has the name alone. */
export type ServeSpec = {
  readonly postgres: {
    readonly secret: string;
    readonly schema: string;
    readonly tables: readonly ServedTableSpec[];
  };
};

/** `before`: another attempt of the same run had served it. */
export type ServedHow = 'unchanged' | 'changes' | 'whole' | 'before';

/** What a run served of one table. */
export type ServedTable = {
  /** `<schema>.<name>`. */
  readonly to: string;
  /** Id of the model. */
  readonly from: string;
  readonly how: ServedHow;
  /** Rows that were copied. */
  readonly rows: number;
  /** Of the lake's table; null where it has none. */
  readonly snapshot_id: string | null;
};

/** What became of serving in a run. */
export type ServeOutcome = {
  readonly tables: readonly ServedTable[];
  /** Present: nothing of the run was served, for this reason. The next run tries again. */
  readonly error: { readonly name: string; readonly message: string } | null;
};

/** Of the state of a run, what is about that. */
export type ServingState = {
  /** The pipeline serves tables outside the lake. */
  readonly serves?: true;
  /** What Serve took. */
  readonly serving?: Measured;
  /** What Serve has served. */
  readonly served?: readonly ServedTable[];
  /** Why Serve could not. */
  readonly serve_error?: { readonly Error: string; readonly Cause: string };
  /** The run that was asked for has ended, but for that, which is its error. */
  readonly unserved?: true;
  readonly error?: { readonly Error: string; readonly Cause: string };
};

/** PostgreSQL cuts longer names without a word. Source: postgresql.org/docs/current/sql-syntax-lexical.html */
export const LONGEST_POSTGRES_NAME = 63;

export function servedName({ postgres: { schema } }: ServeSpec, { name }: Pick<ServedTableSpec, 'name'>): string {
  return `${schema}.${name}`;
}

/** What a table is made of where it is served. */
export type ServedShape = Pick<ServedTableSpec, 'name' | 'key'> & { readonly columns: readonly Column[] };

/** The rows of a table to copy, as CSV in a local file (lib/sql/serve/rows.ts); `gone`: one of the keys of which there are no rows any more. */
export type SinkRows =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'whole'; readonly path: string }
  | { readonly kind: 'changes'; readonly path: string; readonly gone: string | null };

/** A table to be served. */
export type SinkTable = ServedShape & {
  readonly mode: ServeMode;
  readonly keep: number;
  readonly truncate: boolean;
  /** Of the lake's table, whose rows these are; null where it has none. */
  readonly snapshot_id: string | null;
  /** What to copy where the rows of a snapshot are there already; null: nobody knows which are. */
  rows(served: string | null): Promise<SinkRows>;
};

/** All tables of a run. */
export type SinkRun = {
  readonly pipeline: string;
  readonly run_id: string;
  readonly schema: string;
  readonly tables: readonly SinkTable[];
  /** Rows hold what is personal: errors quote no value. */
  readonly hidesValues?: true;
  /** Asked once no other run of the pipeline can serve any more before this one has; throws where it must not. */
  readonly requireHeld: () => Promise<void>;
};

export type SinkOutcome = {
  readonly name: string;
  readonly how: ServedHow;
  readonly rows: number;
  readonly snapshot_id: string | null;
};
