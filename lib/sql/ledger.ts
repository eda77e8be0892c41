import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, sql } from './fragment.ts';
import { ownName, quoteText, quoteTexts } from './quote.ts';

/** What a pipeline's ledger says of what lies in bronze, found without bringing either here. */

/** The rows of the ledger. */
export const LEDGER = ownName('ops.files');
/** Rows of the ledger that are about some names. */
const SAID = ownName('said');
/** Landed files that the ledger does not settle. */
const UNSETTLED = ownName('unsettled');

/** Buffers are of twice this size, one for each thread; a name has at most 1,024 bytes. */
const LARGEST_LINE = 2 ** 20;

/** Landed files from lines of JSON: `n` by the order in which they are listed, `source`, and what is known of the object. */
export function renderListed(path: string): Sql {
  return sql`read_json(${quoteText(path)}, format = 'newline_delimited', maximum_object_size = ${LARGEST_LINE}, columns = {n: 'BIGINT', source: 'VARCHAR', key: 'VARCHAR', size: 'BIGINT', etag: 'VARCHAR', former: 'VARCHAR', version: 'VARCHAR'})`;
}

/** The same from files of `packListed`. */
export function renderPacked(paths: readonly string[]): Sql {
  return sql`read_parquet(${quoteTexts(paths)})`;
}

/** Many pages of a listing as text take several times the room. */
export function packListed(path: string, packed: string): Statement {
  return {
    name: 'page of a listing',
    text: sql`COPY (SELECT * FROM ${renderListed(path)}) TO ${quoteText(packed)} (FORMAT parquet, COMPRESSION zstd)`,
  };
}

/** Brings rows of the ledger that are about listed files, all of whose names are given, in the order of their bytes. */
export function createSaid(listed: Sql, names: readonly string[]): Statement {
  const [first = '', last = first] = [names[0], names.at(-1)];
  return {
    name: 'rows of the ledger',
    text: sql`CREATE OR REPLACE TEMP TABLE ${SAID} AS SELECT * FROM ${LEDGER}
WHERE key >= ${quoteText(first)} AND key <= ${quoteText(last)} AND key IN (SELECT key FROM ${listed})`,
  };
}

export const SAID_ROWS: Sql = SAID;

/** What becomes of a file that is not ingested. */
export type FileOutcome = 'rejected' | 'suspended';

/** A table that a source feeds, by its full name. */
export type LedgerReader = { readonly source: string; readonly table: string };

/** An empty table of landed files that are not settled. */
export function createUnsettled(): Statement {
  return {
    name: 'unsettled files',
    text: sql`CREATE OR REPLACE TEMP TABLE ${UNSETTLED} (n BIGINT, source VARCHAR, key VARCHAR, size BIGINT, etag VARCHAR, former VARCHAR, version VARCHAR)`,
  };
}

/** What listing and ledger are compared for. */
export type Comparison = {
  readonly readers: readonly LedgerReader[];
  /** Files of which the ledger tells one of these outcomes are never settled. */
  readonly asked: readonly FileOutcome[];
  /** Names are compared in so many parts, this of which is the one from 0. */
  readonly part: number;
  readonly parts: number;
};

/**
 * Adds landed files of one part that are not settled: of a settled one the ledger tells, in a row for all tables or in one for
 * each that its source feeds, and never what is asked about. Files of sources that feed no table are left out.
 */
export function addUnsettled(listed: Sql, ledger: Sql, { readers, asked, part, parts }: Comparison): Statement {
  const values = readers.map(({ source, table }) => sql`(${quoteText(source)}, ${quoteText(table)})`);
  const ofPart = parts === 1 ? sql`true` : sql`hash(key) % ${parts} = ${part}`;
  return {
    name: 'unsettled files',
    text: sql`INSERT INTO ${UNSETTLED}
WITH readers AS (SELECT *, count(*) OVER (PARTITION BY source) AS tables FROM (VALUES ${join(values)}) t(source, table_name)),
told AS (SELECT key, etag, table_name, status FROM ${ledger} WHERE ${ofPart}),
asked_about AS (SELECT DISTINCT key, etag FROM told WHERE status IN (${join(asked.map(quoteText))})),
known_to_all AS (SELECT key, etag FROM told ANTI JOIN asked_about USING (key, etag) WHERE table_name IS NULL),
known_to_each AS (
  SELECT source, key, etag FROM (SELECT DISTINCT key, etag, table_name FROM told WHERE table_name IS NOT NULL)
  ANTI JOIN asked_about USING (key, etag) JOIN readers USING (table_name) GROUP BY source, key, etag, tables HAVING count(*) = tables
)
SELECT l.n, l.source, l.key, l.size, l.etag, l.former, l.version FROM (SELECT * FROM ${listed} WHERE ${ofPart}) l
ANTI JOIN known_to_all USING (key, etag) ANTI JOIN known_to_each USING (source, key, etag)
WHERE l.source IN (SELECT source FROM readers)`,
  };
}

/** `n`, `source`, `key`, `size`, `etag`, `former`, `version` of so many unsettled files in their order, from a number of theirs on. */
export function selectUnsettled(from: number, count: number): Statement {
  return {
    name: 'unsettled files',
    text: sql`SELECT * FROM ${UNSETTLED} WHERE n >= ${from} ORDER BY n LIMIT ${count}`,
  };
}

/**
 * What the ledger says of the names of unsettled files, once for all tables (`table_name` is null) and once for each table
 * that a run took one for by itself: `key`, `etag`, `source`, `size`, and what its latest run made of it. The earliest come
 * first; of what one run says of a file, that it was ingested comes last.
 */
export function selectLedger(ledger: Sql): Statement {
  return {
    name: 'ledger',
    text: sql`SELECT key, etag, table_name, unnest(last) FROM (
  SELECT key, etag, table_name, max(ingested_at) AS last_at, arg_max(
    {'source': source, 'size': size, 'status': status, 'code': code, 'reason': reason, 'run_id': run_id, 'at': CAST(ingested_at AS VARCHAR)},
    {'at': ingested_at, 'ingested': status = 'ingested'}
  ) AS last FROM ${ledger} WHERE key IN (SELECT key FROM ${UNSETTLED}) GROUP BY ALL
) ORDER BY last_at, last.status = 'ingested'`,
  };
}

/**
 * `table_name`, `key`: of the files that lie directly in a folder, the one that was taken last for all tables and for each,
 * the earliest first. The folder's name ends in `/`.
 */
export function selectLatest(folder: string): Statement {
  return {
    name: 'latest files',
    text: sql`SELECT table_name, arg_max(key, taken) AS key FROM (
  SELECT table_name, key, {'at': ingested_at, 'ingested': status = 'ingested'} AS taken FROM ${LEDGER}
  WHERE starts_with(key, ${quoteText(folder)}) AND NOT contains(substr(key, length(${quoteText(folder)}) + 1), '/')
) GROUP BY table_name ORDER BY max(taken)`,
  };
}

/** One row where the ledger has anything of a folder. */
export function findAny(folder: string): Statement {
  return {
    name: 'any file',
    text: sql`SELECT 1 AS found FROM ${LEDGER} WHERE starts_with(key, ${quoteText(folder)}) LIMIT 1`,
  };
}

/** `key`: names of which the ledger has ever said that they were suspended. */
export function selectEverSuspended(): Statement {
  return {
    name: 'suspended files',
    text: sql`SELECT DISTINCT key FROM ${LEDGER} WHERE status = 'suspended' ORDER BY key`,
  };
}

/** `key`: those of some names of which it says so still, of some content and for some table or for all. */
export function selectStillSuspended(names: readonly string[]): Statement {
  return {
    name: 'suspended files',
    text: sql`SELECT DISTINCT key FROM (
  SELECT key, arg_max(status, {'at': ingested_at, 'ingested': status = 'ingested'}) AS status FROM ${LEDGER}
  WHERE key IN (SELECT unnest(${quoteTexts(names)})) GROUP BY key, etag, table_name
) WHERE status = 'suspended' ORDER BY key`,
  };
}
