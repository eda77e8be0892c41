import { createHash } from 'node:crypto';
import { LONGEST_POSTGRES_NAME } from '../../core/serve.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { join, sql } from '../fragment.ts';
import { quoteName, quotePath, quoteText } from '../quote.ts';

/** The table, in the schema that is served, which says what has been. */
export const BOOK = 'strata_published';

/** One transaction for all tables of a run. Whoever waits longer than this for a lock is told so. */
export function begin(): readonly Statement[] {
  return [
    { name: 'begin', text: sql`BEGIN` },
    // Rows are written between two statements, which may take long. A client that is gone without a word must not keep its locks for hours.
    { name: 'no haste', text: sql`SET LOCAL idle_in_transaction_session_timeout = 0` },
    { name: 'waits', text: sql`SET LOCAL lock_timeout = '60s'` },
    { name: 'keepalive', text: sql`SET LOCAL tcp_keepalives_idle = 60` },
  ];
}

export const COMMIT: Statement = { name: 'commit', text: sql`COMMIT` };
export const ROLLBACK: Statement = { name: 'rollback', text: sql`ROLLBACK` };

/** Waits until no other transaction serves this pipeline; what comes after sees what that one has left. */
export function takeTurn(pipeline: string): Statement {
  return {
    name: 'turn',
    text: sql`SELECT pg_advisory_xact_lock(hashtextextended(${quoteText(`strata ${pipeline}`)}, 0))`,
  };
}

/** Waits until no other transaction makes this table, or gives it columns. */
export function takeTable(schema: string, table: string): Statement {
  return {
    name: 'turn of a table',
    text: sql`SELECT pg_advisory_xact_lock(hashtextextended(${quoteText(`strata ${quoteName(schema)}.${quoteName(table)}`)}, 0))`,
  };
}

/** `schema`, `book`: whether they are there. */
export function findPlaces(schema: string): Statement {
  return {
    name: 'places',
    text: sql`SELECT to_regnamespace(${quoteText(quoteName(schema))}) IS NOT NULL AS "schema", to_regclass(${quoteText(bookOf(schema))}) IS NOT NULL AS "book"`,
  };
}

/**
 * Two pipelines may be the first at once, for which creating what is not there is no protection. For a schema that is `there` nothing is
 * asked: PostgreSQL looks whether one may be made before it looks for it.
 */
export function createPlaces(schema: string, there: boolean): readonly Statement[] {
  return [
    { name: 'turn of the first', text: sql`SELECT pg_advisory_xact_lock(hashtextextended('strata', 0))` },
    ...(there ? [] : [{ name: 'schema', text: sql`CREATE SCHEMA IF NOT EXISTS ${quoteName(schema)}` }]),
    {
      name: 'book',
      text: sql`CREATE TABLE IF NOT EXISTS ${bookOf(schema)} (
  pipeline text NOT NULL, run_id text NOT NULL, "table" text NOT NULL, snapshot_id bigint, rows bigint NOT NULL, sha256 text, at timestamp with time zone NOT NULL,
  PRIMARY KEY (pipeline, run_id, "table")
)`,
    },
  ];
}

/** `table`, `snapshot_id`, `rows`: what a run has served. */
export function selectServed(schema: string, pipeline: string, runId: string): Statement {
  return {
    name: 'served by the run',
    text: sql`SELECT "table", snapshot_id::text AS snapshot_id, rows::text AS rows FROM ${bookOf(schema)} WHERE pipeline = ${quoteText(pipeline)} AND run_id = ${quoteText(runId)}`,
  };
}

/** `table`, `snapshot_id`, `run_id`: what was served last of each table. */
export function selectLatest(schema: string, pipeline: string): Statement {
  return {
    name: 'served last',
    text: sql`SELECT DISTINCT ON ("table") "table", snapshot_id::text AS snapshot_id, run_id FROM ${bookOf(schema)} WHERE pipeline = ${quoteText(pipeline)} ORDER BY "table", at DESC`,
  };
}

export type BookRow = {
  readonly pipeline: string;
  readonly run_id: string;
  readonly table: string;
  readonly snapshot_id: string | null;
  readonly rows: number;
  /** Of what was copied; null where nothing was. */
  readonly sha256: string | null;
};

export function insertServed(
  schema: string,
  { pipeline, run_id, table, snapshot_id, rows, sha256 }: BookRow,
): Statement {
  const text = (value: string | null): Sql => (value === null ? sql`NULL` : quoteText(value));
  const values = [
    text(pipeline),
    text(run_id),
    text(table),
    sql`CAST(${text(snapshot_id)} AS bigint)`,
    sql`${rows}`,
    text(sha256),
  ];
  return {
    name: 'book of what is served',
    text: sql`INSERT INTO ${bookOf(schema)} (pipeline, run_id, "table", snapshot_id, rows, sha256, at) VALUES (${join(values)}, clock_timestamp())`,
  };
}

/** A former version of a table: its name and the run that had made it, which is cut where both are too long for a name. */
export function versionName(table: string, runId: string): string {
  const name = `${table}__run_${runId}`;
  if (Buffer.byteLength(name) <= LONGEST_POSTGRES_NAME) return name;
  const short = createHash('sha256').update(`${table} ${runId}`).digest('hex').slice(0, 16);
  return `${table.slice(0, LONGEST_POSTGRES_NAME - '__run_'.length - short.length)}__run_${short}`;
}

/** `run_id`: of the runs that changed a table, the latest first. Those that found nothing to copy left it as it was. */
export function selectVersions(schema: string, pipeline: string, table: string): Statement {
  return {
    name: 'versions',
    text: sql`SELECT run_id FROM ${bookOf(schema)} WHERE pipeline = ${quoteText(pipeline)} AND "table" = ${quoteText(table)} AND sha256 IS NOT NULL ORDER BY at DESC`,
  };
}

function bookOf(schema: string): Sql {
  return quotePath(schema, BOOK);
}
