import type { BucketSpan } from '../../core/merge-unit.ts';
import type { Sql, SqlName } from '../../core/sql-text.ts';
import type { CopyStatement, Statement } from '../../core/statement.ts';
import { join, NOTHING, sql } from '../fragment.ts';
import { NO_DICTIONARY } from '../negative-zero.ts';
import { quoteName, quotePath, quoteText } from '../quote.ts';
import { BUCKET, renderParquet, type ViewName } from '../scan.ts';
import { PACKED_FAST } from '../write.ts';

export type BucketedRows = {
  /** A relation. */
  readonly from: Sql;
  readonly columns: readonly string[];
  /** Rows that are equal in these are in one bucket. */
  readonly by: readonly string[];
  readonly buckets: number;
  readonly rowsPerGroup: number;
  /** The file, in a folder that is there. */
  readonly path: string;
  /** Whether a column may hold a -0.0, which a dictionary would lose. */
  readonly floats: boolean;
};

/** The field id of the bucket in what units exchange; columns have those after it, in their order. */
export const BUCKET_ID = 1;

/** One file of all rows in the order of their buckets, in row groups so small that a bucket can be brought without most others. */
export function writeBuckets(rows: BucketedRows): CopyStatement {
  const { from, columns, by, buckets, rowsPerGroup, path, floats } = rows;
  const names = columns.map(quoteName);
  const hash = by.length === 0 || buckets === 1 ? sql`0` : sql`hash(${join(by.map(quoteName))}) % ${buckets}`;
  const order = buckets === 1 ? NOTHING : sql` ORDER BY ${BUCKET}`;
  const ids = names.map((name, at) => sql`${name}: ${BUCKET_ID + 1 + at}`);
  const options = [
    sql`FORMAT parquet`,
    PACKED_FAST,
    sql`ROW_GROUP_SIZE ${rowsPerGroup}`,
    sql`FIELD_IDS {${join([sql`${BUCKET}: ${BUCKET_ID}`, ...ids])}}`,
    ...(floats ? [NO_DICTIONARY] : []),
    sql`RETURN_STATS`,
  ];
  return {
    name: 'buckets',
    text: sql`COPY (SELECT CAST(${hash} AS INTEGER) AS ${BUCKET}, ${join(names)} FROM ${from}${order}) TO ${quoteText(path)} (${join(options)})`,
  };
}

/** Rows of the buckets from `from` up to before `to`, out of files that have others as well. */
export function renderBuckets(paths: readonly string[], { from, to }: BucketSpan): Sql {
  return sql`(SELECT * EXCLUDE (${BUCKET}) FROM ${renderParquet(paths)} WHERE ${BUCKET} >= ${from} AND ${BUCKET} < ${to})`;
}

export function createPartials(name: SqlName, from: Sql): Statement {
  return { name: 'partials', text: sql`CREATE OR REPLACE TEMP VIEW ${name} AS SELECT * FROM ${from}` };
}

/** Makes SQL find some rows where it names a table. */
export function createExchangedView({ database, schema, table }: ViewName, from: Sql): Statement {
  const path = [...(database === undefined ? [] : [database]), schema, table];
  return {
    name: `exchanged ${path.join('.')}`,
    text: sql`CREATE OR REPLACE VIEW ${quotePath(...path)} AS SELECT * FROM ${from}`,
  };
}

/** Some columns of a table. */
export function selectColumns({ database, schema, table }: ViewName, columns: readonly string[]): Sql {
  const path = [...(database === undefined ? [] : [database]), schema, table];
  return sql`(SELECT ${join(columns.map(quoteName))} FROM ${quotePath(...path)})`;
}
