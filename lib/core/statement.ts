import type { Sql } from './sql-text.ts';

/** One SQL statement with a name that errors and timings carry. */
export type Statement = { readonly name: string; readonly text: Sql };

/** A COPY to Parquet. `exact` writes the same rows in another way, if `text` has met what its way would change. */
export type CopyStatement = Statement & { readonly exact?: Sql };
