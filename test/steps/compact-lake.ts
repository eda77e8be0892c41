import assert from 'node:assert/strict';
import type { CompactRequest } from '../../lib/core/asked.ts';
import type { MaintenanceResult } from '../../lib/core/maintenance.ts';
import { append, csv, definePipeline, identity, month, replace, scd2 } from '../../lib/define/index.ts';
import { currentSnapshot } from '../../lib/iceberg/snapshot.ts';
import type { Snapshot } from '../../lib/iceberg/types.ts';
import type { CompactionAnswer, CompactionRequest } from '../../lib/remote/compaction.ts';
import { compactTables } from '../../lib/runtime/compact.ts';
import { planFiles, type ScannedFile } from '../../lib/table/read.ts';
import type { TestLake, TestPipeline } from '../support/test-lake.ts';

const orders = csv({ columns: { id: 'bigint', day: 'date', amount: 'int' } });

/** Tables of every mode over the same files, and gold that follows, partition by partition or as a whole. */
export const SHOP: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { orders, changes: orders },
    silver: {
      orders: { from: 'orders', mode: append(), partitionBy: [month('day')] },
      flat: { from: 'orders', mode: append() },
      months: { from: 'orders', mode: replace(), partitionBy: [month('day')] },
      versions: { from: 'changes', mode: scd2({ key: 'id', sequence: 'day', buckets: 2 }) },
    },
    gold: {
      total: { sql: 'total.sql' },
      days: { sql: 'days.sql', partitionBy: [identity('day')], refresh: 'touched' },
    },
  }),
  sql: {
    'total.sql': 'SELECT count(*) AS n, sum(amount) AS amount FROM silver.orders',
    'days.sql': 'SELECT day, count(*) AS n FROM silver.flat GROUP BY day',
  },
};

export const TABLES = ['orders', 'flat', 'months', 'versions', 'versions__log'].map((name) => `shop_silver.${name}`);

const HEADER = 'id,day,amount\n';

/** The n-th file: two orders in January and one in February. */
export async function landOrders(lake: TestLake, n: number): Promise<void> {
  const rows = [
    `${n * 3},2026-01-0${(n % 9) + 1},${n}`,
    `${n * 3 + 1},2026-01-10,${n}`,
    `${n * 3 + 2},2026-02-03,${n}`,
  ];
  for (const source of ['orders', 'changes']) await lake.land(source, `${n}.csv`, `${HEADER}${rows.join('\n')}\n`);
}

/** Some runs of one file each, which leave as many small files. */
export async function runOften(lake: TestLake, times: number, from = 0): Promise<void> {
  for (let n = from; n < from + times; n += 1) {
    await landOrders(lake, n);
    const result = await lake.run({ runId: `run-${n}` });
    assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
  }
}

export function answer(
  lake: TestLake,
  compact: CompactRequest = {},
  more: Partial<CompactionRequest> = {},
): Promise<CompactionAnswer> {
  return compactTables(lake.deps, { pipeline: 'shop', compact, retryIntervalMs: 0, ...more });
}

export async function compact(
  lake: TestLake,
  request: CompactRequest = {},
  more: Partial<CompactionRequest> = {},
): Promise<MaintenanceResult> {
  const given = await answer(lake, request, more);
  assert.equal(given.kind, 'ended', JSON.stringify(given));
  assert.equal(given.result.status, 'SUCCEEDED', JSON.stringify(given.result.error));
  return given.result;
}

export async function filesOf(lake: TestLake, table: string): Promise<readonly ScannedFile[]> {
  const metadata = await lake.metadata(table);
  assert.ok(metadata, table);
  return planFiles(lake.store, metadata);
}

export async function snapshotOf(lake: TestLake, table: string): Promise<Snapshot> {
  const metadata = await lake.metadata(table);
  const snapshot = metadata && currentSnapshot(metadata);
  assert.ok(snapshot, table);
  return snapshot;
}

export async function rowsOf(lake: TestLake): Promise<Readonly<Record<string, unknown>>> {
  const all: Record<string, unknown> = {};
  for (const table of [...TABLES, 'shop_gold.total', 'shop_gold.days']) all[table] = await lake.rows(table);
  return all;
}

/** Keys of data files in the folder of a table that the table does not have, in any of its snapshots. */
export async function strayFiles(lake: TestLake, table: string): Promise<readonly string[]> {
  const metadata = await lake.metadata(table);
  assert.ok(metadata, table);
  const known = new Set<string>();
  for (const snapshot of metadata.snapshots) {
    const files = await planFiles(lake.store, metadata, { snapshotId: snapshot['snapshot-id'] });
    for (const { path } of files) known.add(lake.store.key(path));
  }
  const stray: string[] = [];
  for await (const { key } of lake.store.list(`${lake.store.key(metadata.location)}/data/`)) {
    if (!known.has(key)) stray.push(key);
  }
  return stray;
}
