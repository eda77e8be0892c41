import type { FieldId } from '../core/field-ids.ts';
import type { KeyedMode } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { CopyStatement, Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { renderAntiJoin } from './deleted-rows.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { HISTORY, RECOMPUTED, TOUCHED, WHOLE } from './keyed.ts';
import { IS_CURRENT, VALID_FROM, VALID_TO } from './keyed-columns.ts';
import { holdsFloats } from './negative-zero.ts';
import { ownName, quoteName, quoteText } from './quote.ts';
import {
  BUCKET,
  isWhole,
  type PartlyDeleted,
  readUnderOurNames,
  renderScan,
  type ScanColumn,
  type WholeFile,
} from './scan.ts';

/**
 * What a merge on read writes: rows that are new, and where the rows lie that are gone. The view `__stored` has the rows of the
 * buckets, each with its file and its number in there; `__history` is what it has of the touched keys.
 */
export const STORED = ownName('__stored');
const FILE = ownName('__file');
const NUMBER = ownName('__number');
/** Rows of touched keys that are as they were. */
const SAME = ownName('__same');
/** Where rows lie that are gone. */
const GONE = ownName('__gone');

/** A data file whose columns are found by field id, its bucket, and the location by which delete files name it. */
export type StoredFile = {
  readonly file: WholeFile | PartlyDeleted;
  readonly bucket: number;
  readonly location: string;
};

/** Rows of data files with their bucket and place, without those that are gone already. */
export function renderStored(columns: readonly ScanColumn[], files: readonly StoredFile[]): Sql {
  if (files.length === 0) {
    return sql`(SELECT *, CAST(NULL AS INTEGER) AS ${BUCKET}, CAST(NULL AS VARCHAR) AS ${FILE}, CAST(NULL AS BIGINT) AS ${NUMBER} FROM ${renderScan(columns, [])})`;
  }
  const { scan, select } = readUnderOurNames(
    columns,
    files.map(({ file }) => file),
  );
  const of = (values: readonly Sql[]): Sql => sql`[${join(values)}][CAST(__s.file_index AS BIGINT) + 1]`;
  const bucket = of(files.map((one) => sql`${one.bucket}`));
  const location = of(files.map((one) => quoteText(one.location)));
  const deleted = files.map(({ file }) => (isWhole(file) ? { names: [], sequence: 0n, by: [] } : file.deleted));
  const left = deleted.some(({ by }) => by.length > 0) ? sql` ${renderAntiJoin(deleted)}` : NOTHING;
  return sql`(SELECT ${join(select)}, CAST(${bucket} AS INTEGER) AS ${BUCKET}, ${location} AS ${FILE}, __s.file_row_number AS ${NUMBER} FROM ${scan} __s${left})`;
}

/** `__history`: the rows of touched keys, with their places. */
export function createStoredHistory(mode: KeyedMode): Statement {
  return {
    name: 'stored_history',
    text: sql`CREATE TABLE ${HISTORY} AS SELECT s.* FROM ${STORED} s SEMI JOIN (SELECT * FROM ${TOUCHED}) t USING (${names(mode.key)})`,
  };
}

/** `__same` and `__gone`: of the rows that the recomputed ones stand for, those that are among them, and the others. */
export function createGone(mode: KeyedMode, columns: readonly Column[]): readonly Statement[] {
  const identity = identityOf(mode);
  const equal = columns.map(({ name, type }) => {
    const column = quoteName(name);
    const same = sql`h.${column} IS NOT DISTINCT FROM r.${column}`;
    // For DuckDB -0.0 is 0.0.
    return holdsFloats([{ type }])
      ? sql`${same} AND CAST(h.${column} AS VARCHAR) IS NOT DISTINCT FROM CAST(r.${column} AS VARCHAR)`
      : same;
  });
  const closed = mode.kind === 'upsert' ? NOTHING : sql` WHERE t.${WHOLE} OR h.${IS_CURRENT}`;
  return [
    {
      name: 'same_rows',
      text: sql`CREATE TABLE ${SAME} AS SELECT ${join(identity)}, h.${FILE}, h.${NUMBER} FROM ${HISTORY} h JOIN ${RECOMPUTED} r USING (${join(identity)}) WHERE ${join(equal, ' AND ')}`,
    },
    {
      name: 'gone_rows',
      text: sql`CREATE TABLE ${GONE} AS SELECT h.${FILE} AS file_path, h.${NUMBER} AS pos, h.${BUCKET}
FROM ${HISTORY} h JOIN (SELECT * FROM ${TOUCHED}) t USING (${names(mode.key)})
ANTI JOIN ${SAME} s ON h.${FILE} = s.${FILE} AND h.${NUMBER} = s.${NUMBER}${closed}`,
    },
  ];
}

/** The recomputed rows that the table does not have. */
export function renderAdded(mode: KeyedMode, columns: readonly Column[]): Sql {
  const all = join(columns.map((c) => quoteName(c.name)));
  return sql`(SELECT ${all}, ${BUCKET} FROM ${RECOMPUTED} ANTI JOIN ${SAME} USING (${join(identityOf(mode))}))`;
}

/** The touched keys' rows as they are to be, with those that are `added`: as much of them as invariants speak of. */
export function renderAfter(mode: KeyedMode, added: Sql): Sql {
  const columns = join([...mode.key.map(quoteName), ...(mode.kind === 'upsert' ? [] : [VALID_FROM, VALID_TO])]);
  return sql`(SELECT ${columns} FROM ${HISTORY} h ANTI JOIN ${GONE} g ON h.${FILE} = g.file_path AND h.${NUMBER} = g.pos
UNION ALL SELECT ${columns} FROM ${added})`;
}

/** The buckets of rows that are gone. */
export function listGone(): Statement {
  return { name: 'buckets_of_gone_rows', text: sql`SELECT DISTINCT ${BUCKET} AS bucket FROM ${GONE} ORDER BY bucket` };
}

/**
 * The places of a bucket's rows that are gone, in the order that the format asks for: one file, since DuckDB keeps no order across
 * partitions or sizes. Source: https://iceberg.apache.org/spec/#position-delete-files.
 */
export function writeGone(bucket: number, fields: readonly FieldId[], path: string): CopyStatement {
  const ids = fields.map(({ name, id }) => sql`${quoteName(name)}: ${id}`);
  return {
    name: 'write position deletes',
    text: sql`COPY (SELECT file_path, pos FROM ${GONE} WHERE ${BUCKET} = ${bucket} ORDER BY file_path, pos) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {${join(ids)}}, RETURN_STATS)`,
  };
}

/** The columns by which one row of a key is told from another. */
function identityOf(mode: KeyedMode): readonly Sql[] {
  return [...mode.key.map(quoteName), ...(mode.kind === 'upsert' ? [] : [VALID_FROM])];
}

function names(columns: readonly string[]): Sql {
  return join(columns.map(quoteName));
}
