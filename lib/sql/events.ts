import type { KeyedMode } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Column } from '../core/types.ts';
import { renderCanonical } from './event-hash.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { type KeyPlace, renderPlace } from './key-ranges.ts';
import { EVENT_HASH, KEY_HASH, OP, SOURCE_FILE } from './keyed-columns.ts';
import { quoteName } from './quote.ts';
import { BUCKET } from './scan.ts';
import { duckType } from './types.ts';
import { userTerm } from './user-sql.ts';

export type EventsRequest = {
  /** Kept rows of the model. */
  readonly from: Sql;
  readonly mode: KeyedMode;
  /** The model's columns, and those that only the table has. */
  readonly columns: readonly Column[];
  readonly kept?: readonly Column[];
  /** Where its key lies: in a bucket of both tables, or in a range. */
  readonly bucket: KeyPlace;
  /** The store key of a row's file, as an expression over the row. */
  readonly file: Sql;
};

/** Kept rows as events, as the log takes them, each with its key bucket. Their hashes are worked out where they matter. */
export function renderEvents({ from, mode, columns: all, kept = [], bucket, file }: EventsRequest): Sql {
  const absent = new Set(kept.map((c) => c.name));
  const columns = all.filter((c) => !absent.has(c.name));
  const nulls = kept.map((c) => sql`CAST(NULL AS ${duckType(c.type)}) AS ${quoteName(c.name)}`);
  const cast = columns.map((c) => sql`CAST(${quoteName(c.name)} AS ${duckType(c.type)}) AS ${quoteName(c.name)}`);
  const op =
    mode.deleteWhen === null
      ? sql`'upsert'`
      : sql`CASE WHEN COALESCE(${userTerm(mode.deleteWhen)}, false) THEN 'delete' ELSE 'upsert' END`;
  const keyHash = mode.key.length > 1 ? sql`, ${renderKeyHash(mode.key)} AS ${KEY_HASH}` : NOTHING;
  const own = [sql`${op} AS ${OP}`, sql`CAST(NULL AS VARCHAR) AS ${EVENT_HASH}`, sql`${file} AS ${SOURCE_FILE}`];
  const typed = sql`SELECT ${join([...cast, ...nulls, ...own])} FROM ${from}`;
  return sql`(SELECT *, ${renderPlace(bucket, columns)} AS ${BUCKET} FROM (SELECT *${keyHash} FROM (${typed})))`;
}

/** What stands for a composite key in its column `_key_hash`. */
export function renderKeyHash(key: readonly string[]): Sql {
  return sql`CAST(md5_number_lower(concat(${renderCanonical(key)})) >> 1 AS BIGINT)`;
}
