import type { Sql } from '../../lib/core/sql-text.ts';
import { quoteText, quoteTexts } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

/** How the rewrite by hand lays out its table: as many key buckets as the lake's, by DuckDB's own hash. */
export const OWN_BUCKETS = { column: '__b', count: 64 } as const;

export function ownBucket(key: string): string {
  return `hash(${key}) % ${OWN_BUCKETS.count}`;
}

/** The table that the rewrite by hand starts from, out of the lake's files. */
export function makeOwnTable(files: readonly string[], folder: string): Sql {
  const from = `read_parquet(${quoteTexts(files)}, hive_partitioning = false)`;
  return userSql(
    `COPY (SELECT *, ${ownBucket('id')} AS ${OWN_BUCKETS.column} FROM ${from}) TO ${quoteText(folder)} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (${OWN_BUCKETS.column}))`,
  );
}
