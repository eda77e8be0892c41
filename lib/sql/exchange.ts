import type { CopyStatement, Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { RID } from './batch.ts';
import { holdsFloats, NO_DICTIONARY, refuseNegativeZero } from './negative-zero.ts';
import { quoteName, quoteText, quoteTexts } from './quote.ts';
import { BUCKET } from './scan.ts';
import { duckType } from './types.ts';
import { dictionaryOptions } from './write.ts';

/** Where a staged row came from: earlier units win over later ones, and earlier rows of a unit over later rows. */
const UNIT = '__unit';

export type ExchangeRequest = {
  readonly from: string;
  readonly columns: readonly Column[];
  /** Rows that are equal in these columns land in one bucket. */
  readonly by: readonly string[];
  readonly buckets: number;
  readonly ordinal: number;
  readonly folder: string;
};

/** Staged rows by hash bucket, so that rows which may be duplicates of each other meet in one merge unit. */
export function writeExchange(request: ExchangeRequest): CopyStatement {
  const usual = { name: 'exchange', text: renderExchange(request, true) };
  return holdsFloats(request.columns) ? { ...usual, exact: renderExchange(request, false) } : usual;
}

function renderExchange(request: ExchangeRequest, dictionaries: boolean): string {
  const columns = request.columns.map(({ name, type }) => {
    const value = `CAST(${quoteName(name)} AS ${duckType(type)})`;
    return `${dictionaries ? refuseNegativeZero(value, type) : value} AS ${quoteName(name)}`;
  });
  const hash = `hash(${request.by.map(quoteName).join(', ')})`;
  const select = `SELECT ${columns.join(', ')}, ${RID}, ${request.ordinal} AS ${UNIT}, CAST(${hash} % ${request.buckets} AS INTEGER) AS ${BUCKET} FROM ${request.from}`;
  const options = [...dictionaryOptions(request.columns), ...(dictionaries ? [] : [NO_DICTIONARY])];
  return `COPY (${select}) TO ${quoteText(request.folder)} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (${BUCKET}), OVERWRITE_OR_IGNORE, FILENAME_PATTERN '{uuid}', ${['RETURN_STATS', ...options].join(', ')})`;
}

export function createExchanged(paths: readonly string[]): Statement {
  return {
    name: 'exchanged',
    text: `CREATE VIEW __exchanged AS SELECT * FROM read_parquet(${quoteTexts(paths)}, hive_partitioning = false)`,
  };
}

/** The first row of every key that the table does not hold yet (`known`: a relation of keys). */
export function createMerged(by: readonly string[], known: string | undefined): Statement {
  const names = by.map(quoteName);
  const unknown =
    known === undefined ? '' : `\nANTI JOIN ${known} t ON ${names.map((n) => `e.${n} = t.${n}`).join(' AND ')}`;
  return {
    name: 'merge',
    text: `CREATE TABLE __merged AS
SELECT * FROM (SELECT * FROM __exchanged QUALIFY row_number() OVER (PARTITION BY ${names.join(', ')} ORDER BY ${UNIT}, ${RID}) = 1) e${unknown}`,
  };
}

export function countMerged(): Statement {
  return {
    name: 'count_merged',
    text: 'SELECT (SELECT count(*) FROM __exchanged) AS staged, (SELECT count(*) FROM __merged) AS kept',
  };
}
