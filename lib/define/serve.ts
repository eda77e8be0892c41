import type { Secret } from './secret.ts';

/** A table in PostgreSQL that has the rows of one of the lake's. */
export type ServedTableDefinition = {
  /** Of which: `'gold.revenue'`, `'silver.orders'`. */
  readonly from: `gold.${string}` | `silver.${string}`;
  /**
   * `'merge'` by `key`: rows that differ are changed, those that are gone are deleted. `'replace'` all rows at once. `'append'` what has come,
   * and delete nothing. Default `'merge'` with a key, else `'replace'`.
   */
  readonly mode?: 'replace' | 'merge' | 'append';
  /** What rows are told apart by, for `'merge'`. */
  readonly key?: string | readonly string[];
  /** Former versions that stay beside the table as `<table>__run_<run_id>`. Default 0. */
  readonly keep?: number;
  /** `'replace'` empties the table by TRUNCATE: faster, but who reads has to wait until the run is served. Default false. */
  readonly truncate?: boolean;
};

/** Tables that are served outside the lake whenever a run has published. */
export type ServeDefinition = {
  /** All tables of a run in one transaction. The URL is a secret: `secret('REPORTS_URL')`. */
  readonly postgres: {
    readonly url: Secret;
    /** Default `'public'`. */
    readonly schema?: string;
    /** By their names in PostgreSQL. */
    readonly tables: { readonly [name: string]: ServedTableDefinition };
  };
};
