import type { Sql } from './sql-text.ts';

/** In whose words a text is: Athena's are Trino's. */
export type Dialect = 'trino' | 'spark';

/**
 * How far a statement is. `refused`: it fails again as often as it is asked, since its text, a right or a table is not as the engine
 * needs it. `failed`: nothing says that it would fail again.
 */
export type Progress =
  | { readonly kind: 'working' }
  | { readonly kind: 'done' }
  | { readonly kind: 'refused' | 'failed'; readonly reason: string };

/** A table that an engine is to find by a name of ours, at the metadata that is given. */
export type Shown<Metadata> = {
  readonly name: string;
  readonly metadata: Metadata;
  readonly metadataLocation: string;
};

/**
 * An engine beside DuckDB that writes files into a table of ours. Every call may be repeated. Throws Unavailable for passing faults,
 * InvalidInput where someone has to change something: there is no such engine, or a right is missing.
 */
export type SqlEngine<Metadata> = {
  /** By which messages call it, such as `Athena (workgroup lake)`. */
  readonly title: string;
  readonly dialect: Dialect;
  /** What stands before the names of tables that it is shown. */
  readonly place: readonly string[];
  /** Makes a table known; one that is known by that name stays as it is. */
  show(table: Shown<Metadata>): Promise<void>;
  /** Where the metadata of a table is by now; undefined for one that is not known. */
  shown(name: string): Promise<string | undefined>;
  /** Names that are known and begin so. */
  names(prefix: string): Promise<readonly string[]>;
  /** Forgets tables, known or not; their files stay. */
  hide(names: readonly string[]): Promise<void>;
  /**
   * Begins a statement and answers its id; the same token answers the same id, and begins nothing. An engine that takes no statement by
   * its calls has it from an object in the run's folder, whose key is given, and writes others there whose keys begin so.
   */
  start(statement: Sql, token: string, key: string): Promise<string>;
  look(id: string): Promise<Progress>;
  /** Stops a statement, also one that has ended. */
  cancel(id: string): Promise<void>;
};
