import type { BatchRecipe } from '../core/batch-recipe.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { ATTEMPTS, DUPLICATES, HASH, KEY, MEMORY, OK, PARSED, REJECTED } from './batch-tables.ts';
import { NOTHING, sql } from './fragment.ts';
import { quoteText, quoteTexts } from './quote.ts';

/** A business key that was rejected this often is condemned when it comes again. */
const MAX_REJECTIONS = 3;

/** Whose memory: the rows that were rejected for all tables of a source, and those for this one, by its full name. */
export type Remembering = { readonly source: string; readonly table: string };

/**
 * `__memory`: hash, key and status of rows in quarantine, each once though it may stand there for all tables and for this
 * one; files being reprocessed start afresh.
 */
export function createMemory(
  quarantine: Sql | undefined,
  { source, table }: Remembering,
  withdrawn: readonly string[],
): Statement {
  if (quarantine === undefined) {
    return {
      name: 'memory',
      text: sql`CREATE TABLE ${MEMORY} (row_hash VARCHAR, business_key VARCHAR, status VARCHAR, own BOOLEAN)`,
    };
  }
  const fresh = withdrawn.length === 0 ? NOTHING : sql` AND NOT list_contains(${quoteTexts(withdrawn)}, source_file)`;
  return {
    name: 'memory',
    text: sql`CREATE TABLE ${MEMORY} AS SELECT row_hash, business_key, status, bool_and(table_name IS NOT NULL) AS own FROM ${quarantine}
WHERE source = ${quoteText(source)} AND status IN ('quarantined', 'condemned') AND (table_name IS NULL OR table_name = ${quoteText(table)})${fresh}
GROUP BY row_hash, business_key, status, source_file, line`,
  };
}

/**
 * `__attempts`: for rows whose key was rejected before, in quarantine or earlier in the batch, the how-many-th arrival
 * this is. Into `__rejected`: rows that are not looked at again, before any validation: their hash is in quarantine
 * (DUPLICATE_FAILURE), or their key was rejected three times (MAX_ATTEMPTS).
 */
export function rejectCondemned(recipe: BatchRecipe): readonly Statement[] {
  const present = renderPresent(recipe);
  return [
    {
      name: 'attempts',
      text: sql`CREATE TABLE ${ATTEMPTS} AS
WITH ${present},
known AS (SELECT rid FROM present SEMI JOIN ${MEMORY} m ON present.hash = m.row_hash),
prior AS (
  SELECT business_key AS key, count(*) AS rejections, count(*) FILTER (NOT own) AS shared FROM ${MEMORY}
  WHERE status = 'quarantined' AND business_key IS NOT NULL GROUP BY ALL
),
risky AS (SELECT key FROM present WHERE NOT ok AND key IS NOT NULL UNION SELECT key FROM prior),
arrivals AS (
  SELECT p.rid, p.key, NOT p.ok AND k.rid IS NULL AS rejected
  FROM present p SEMI JOIN risky r ON p.key = r.key LEFT JOIN known k ON p.rid = k.rid
)
SELECT a.rid, coalesce(p.rejections, 0) + coalesce(sum(CAST(a.rejected AS INTEGER)) OVER earlier, 0) AS rejections,
  coalesce(p.shared, 0) + coalesce(sum(CAST(a.rejected AS INTEGER)) OVER earlier, 0) AS shared
FROM arrivals a LEFT JOIN prior p ON a.key = p.key
WINDOW earlier AS (PARTITION BY a.key ORDER BY a.rid ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`,
    },
    {
      name: 'condemned',
      text: sql`INSERT INTO ${REJECTED}
WITH ${present},
known AS (
  SELECT p.rid, m.own FROM present p JOIN (SELECT row_hash, bool_and(own) AS own FROM ${MEMORY} GROUP BY ALL) m ON p.hash = m.row_hash
)
SELECT rid, [{'code': 'DUPLICATE_FAILURE', 'detail': 'the same row is in quarantine already'}], 'condemned', own FROM known
UNION ALL
SELECT rid, [{'code': 'MAX_ATTEMPTS', 'detail': 'its key was rejected ' || rejections || ' times before'}], 'condemned', shared < ${MAX_REJECTIONS}
FROM ${ATTEMPTS} ANTI JOIN known USING (rid) WHERE rejections >= ${MAX_REJECTIONS}`,
    },
  ];
}

/** Rows that are neither dropped nor known to be equal to others. */
function renderPresent({ equalRows }: BatchRecipe): Sql {
  const duplicates = equalRows !== null ? sql` ANTI JOIN ${DUPLICATES} d ON p.rowid = d.rid` : NOTHING;
  return sql`present AS (SELECT p.rowid AS rid, p.${HASH} AS hash, p.${KEY} AS key, p.${OK} AS ok FROM ${PARSED} p${duplicates})`;
}

/** `key`, `rejections`: how often rows of this part of a file had a key and were rejected, as `addRejections` reads it. */
export function copyRejections(recipe: BatchRecipe, target: string): Statement {
  return {
    name: 'copy_rejections',
    text: sql`COPY (WITH ${renderPresent(recipe)}
SELECT key, count(*) AS rejections FROM present ANTI JOIN ${MEMORY} m ON present.hash = m.row_hash
WHERE NOT ok AND key IS NOT NULL GROUP BY ALL) TO ${quoteText(target)} (FORMAT parquet)`,
  };
}

/** Remembers the rejections of earlier parts: they count for their keys, and make no row a known one. */
export function addRejections(paths: readonly string[]): Statement {
  return {
    name: 'add_rejections',
    text: sql`INSERT INTO ${MEMORY}
SELECT NULL, key, 'quarantined', false FROM (SELECT key, unnest(range(rejections)) FROM read_parquet(${quoteTexts(paths)}, hive_partitioning = false))`,
  };
}

export function countMemory(): Statement {
  return { name: 'count_memory', text: sql`SELECT count(*) AS rows FROM ${MEMORY}` };
}
