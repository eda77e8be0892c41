import { BRONZE_FILE } from '../core/bronze-file.ts';
import type { Keep } from '../core/dedupe.ts';
import type { Sql } from '../core/sql-text.ts';
import type { CopyStatement, Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { RID } from './batch-tables.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { renderKeep } from './mapped.ts';
import { holdsFloats, NO_DICTIONARY, refuseNegativeZero } from './negative-zero.ts';
import { ownName, quoteName, quoteText, quoteTexts } from './quote.ts';
import { BUCKET } from './scan.ts';
import { duckType } from './types.ts';
import { dictionaryOptions, FEW_VALUES, PACKED_FAST } from './write.ts';

/** Where a staged row came from: earlier units win over later ones, and earlier rows of a unit over later rows. */
const UNIT = ownName('__unit');

/** The rows that `createMerged` makes, and those that it makes them of. */
export const MERGED = ownName('__merged');
export const EXCHANGED = ownName('__exchanged');

export type ExchangeRequest = {
  readonly from: Sql;
  readonly columns: readonly Column[];
  /** Rows that are equal in these columns land in one bucket. */
  readonly by: readonly string[];
  readonly buckets: number;
  readonly ordinal: number;
  readonly folder: string;
  /** Whether row groups are full. */
  readonly full: boolean;
};

/** Staged rows by hash bucket, so that rows which may be duplicates of each other meet in one merge unit. */
export function writeExchange(request: ExchangeRequest): CopyStatement {
  const usual = { name: 'exchange', text: renderExchange(request, true) };
  return holdsFloats(request.columns) ? { ...usual, exact: renderExchange(request, false) } : usual;
}

function renderExchange(request: ExchangeRequest, dictionaries: boolean): Sql {
  const columns = request.columns.map(({ name, type }) => {
    const value = sql`CAST(${quoteName(name)} AS ${duckType(type)})`;
    return sql`${dictionaries ? refuseNegativeZero(value, type) : value} AS ${quoteName(name)}`;
  });
  const hash = sql`hash(${join(request.by.map(quoteName))})`;
  const select = sql`SELECT ${join(columns)}, ${RID}, ${request.ordinal} AS ${UNIT}, CAST(${hash} % ${request.buckets} AS INTEGER) AS ${BUCKET} FROM ${request.from}`;
  const limit = request.full ? [FEW_VALUES] : [];
  const options = [...dictionaryOptions(request.columns), ...(dictionaries ? limit : [NO_DICTIONARY])];
  return sql`COPY (${select}) TO ${quoteText(request.folder)} (FORMAT parquet, ${PACKED_FAST}, PARTITION_BY (${BUCKET}), OVERWRITE_OR_IGNORE, FILENAME_PATTERN '{uuid}', ${join([sql`RETURN_STATS`, ...options])})`;
}

/** Files of a run that an earlier release began do not say where their rows come from. */
export function createExchanged(paths: readonly string[]): Statement {
  return {
    name: 'exchanged',
    text: sql`CREATE VIEW ${EXCHANGED} AS SELECT * FROM read_parquet(${quoteTexts(paths)}, hive_partitioning = false, union_by_name = true)
UNION ALL BY NAME SELECT CAST(NULL AS VARCHAR) AS ${quoteName(BRONZE_FILE.name)} WHERE false`,
  };
}

/** One row of every key that the table does not hold yet (`known`: a relation of keys): the first, or the one to `keep`. */
export function createMerged(by: readonly string[], known: Sql | undefined, keep?: Keep): Statement {
  const names = by.map(quoteName);
  const unknown =
    known === undefined
      ? NOTHING
      : sql`\nANTI JOIN ${known} t ON ${join(
          names.map((n) => sql`e.${n} = t.${n}`),
          ' AND ',
        )}`;
  const arrival = sql`${UNIT}, ${RID}`;
  const order = keep === undefined ? arrival : sql`${renderKeep(keep)}, ${arrival}`;
  return {
    name: 'merge',
    text: sql`CREATE TABLE ${MERGED} AS
SELECT * FROM (SELECT * FROM ${EXCHANGED} QUALIFY row_number() OVER (PARTITION BY ${join(names)} ORDER BY ${order}) = 1) e${unknown}`,
  };
}

export function countMerged(): Statement {
  return {
    name: 'count_merged',
    text: sql`SELECT (SELECT count(*) FROM ${EXCHANGED}) AS staged, (SELECT count(*) FROM ${MERGED}) AS kept`,
  };
}
