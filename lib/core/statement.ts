import type { Sql } from './sql-text.ts';

/**
 * One SQL statement with a name that errors and timings carry. `serial`: its rows pass one after the other through one thread of the
 * engine, as they are numbered, while the others have nothing to do. `alone`: what it makes is there under its name in all sessions of a
 * database, and gone with this one.
 */
export type Statement = { readonly name: string; readonly text: Sql; readonly serial?: true; readonly alone?: true };

/** A COPY to Parquet. `exact` writes the same rows in another way, if `text` has met what its way would change. */
export type CopyStatement = Statement & { readonly exact?: Sql };
