import type { KeyedMode, PartitionField } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { CopyStatement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { PARSED, RID } from './batch-tables.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { EVENT_HASH, KEY_HASH, OP, SOURCE_FILE } from './keyed-columns.ts';
import { renderKept } from './mapped.ts';
import { holdsFloats, NO_DICTIONARY, selectWithoutNegativeZero } from './negative-zero.ts';
import { quoteName, quoteText } from './quote.ts';
import { FILE } from './raw-rows.ts';
import { BUCKET } from './scan.ts';
import { renderTransform } from './transform.ts';
import { duckType } from './types.ts';
import { userTerm } from './user-sql.ts';
import { dictionaryOptions } from './write.ts';

export type EventsRequest = {
  readonly mode: KeyedMode;
  /** The model's columns, and those that only the table has. */
  readonly columns: readonly Column[];
  readonly kept?: readonly Column[];
  /** The partition field of both tables. */
  readonly bucket: PartitionField;
  /** Store key of each local path. */
  readonly files: readonly { readonly path: string; readonly key: string }[];
  readonly folder: string;
};

/** Kept rows as events, written by key bucket for the merge; each file holds its bucket as a column too. */
export function writeEvents(request: EventsRequest): CopyStatement {
  const usual = { name: `write ${request.mode.kind} events`, text: renderWrite(request, true) };
  return holdsFloats(request.columns) ? { ...usual, exact: renderWrite(request, false) } : usual;
}

function renderWrite(request: EventsRequest, dictionaries: boolean): Sql {
  const { columns, bucket } = request;
  const type = bucket.column === KEY_HASH ? ({ kind: 'bigint' } as const) : typeOf(columns, bucket.column);
  const all = dictionaries ? selectWithoutNegativeZero(columns) : sql`*`;
  const select = sql`SELECT ${all}, ${renderTransform(bucket, type)} AS ${BUCKET} FROM (${renderEvents(request)})`;
  const options = [...dictionaryOptions(columns), ...(dictionaries ? [] : [NO_DICTIONARY])];
  return sql`COPY (${select}) TO ${quoteText(request.folder)} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (${BUCKET}), WRITE_PARTITION_COLUMNS, OVERWRITE_OR_IGNORE, FILENAME_PATTERN '{uuid}', ${join([sql`RETURN_STATS`, ...options])})`;
}

/**
 * The event hash is the SHA-256 of the row's columns in order, each as `V<bytes>:<text>;` or `N;` for null, and of what
 * the event does. A row's file follows from its number, since files are numbered one after the other.
 */
function renderEvents({ mode, columns: all, kept = [], files }: EventsRequest): Sql {
  const absent = new Set(kept.map((c) => c.name));
  const columns = all.filter((c) => !absent.has(c.name));
  const nulls = kept.map((c) => sql`CAST(NULL AS ${duckType(c.type)}) AS ${quoteName(c.name)}`);
  const cast = columns.map((c) => sql`CAST(${quoteName(c.name)} AS ${duckType(c.type)}) AS ${quoteName(c.name)}`);
  const op =
    mode.deleteWhen === null
      ? sql`'upsert'`
      : sql`CASE WHEN COALESCE(${userTerm(mode.deleteWhen)}, false) THEN 'delete' ELSE 'upsert' END`;
  const keyHash = mode.key.length > 1 ? sql`, ${renderKeyHash(mode.key)} AS ${KEY_HASH}` : NOTHING;
  const keys = join(files.map((f) => sql`(${quoteText(f.path)}, ${quoteText(f.key)})`));
  return sql`WITH starts AS (
  SELECT f.key AS __key, min(p.rowid) AS __first FROM ${PARSED} p JOIN (VALUES ${keys}) f(path, key) ON f.path = p.${FILE} GROUP BY f.key
),
typed AS (SELECT ${join([...cast, ...nulls])}, ${op} AS ${OP}, ${RID} FROM ${renderKept({ rejected: true, duplicates: false })})
SELECT t.* EXCLUDE (${RID}), sha256(concat(${canonical(columns.map((c) => c.name))}, ${OP})) AS ${EVENT_HASH}, s.__key AS ${SOURCE_FILE}${keyHash}
FROM typed t ASOF JOIN starts s ON t.${RID} >= s.__first`;
}

/** What stands for a composite key in its column `_key_hash`. */
export function renderKeyHash(key: readonly string[]): Sql {
  return sql`CAST(md5_number_lower(concat(${canonical(key)})) >> 1 AS BIGINT)`;
}

/** The arguments of one concat: DuckDB nests operators, and takes no statement that is a thousand deep. */
function canonical(columns: readonly string[]): Sql {
  const parts = columns.map((name) => {
    const text = sql`CAST(${quoteName(name)} AS VARCHAR)`;
    return sql`CASE WHEN ${quoteName(name)} IS NULL THEN 'N;' ELSE 'V' || strlen(${text}) || ':' || ${text} || ';' END`;
  });
  return join(parts);
}

function typeOf(columns: readonly Column[], name: string): Column['type'] {
  const type = columns.find((c) => c.name === name)?.type;
  if (type === undefined) throw new RangeError(`bucket column ${name} is not a column of the model`);
  return type;
}
