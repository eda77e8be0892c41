import assert from 'node:assert/strict';
import { append, csv, definePipeline, identity, upsert } from '../../lib/define/index.ts';
import { RUN_ID } from '../../lib/iceberg/snapshot.ts';
import { type ExpireRequest, expireTables } from '../../lib/runtime/maintain.ts';
import { loadTable, planFiles } from '../../lib/table/read.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

/** A lake of all kinds of tables that has had some runs, and what maintenance is held to there. */

const COLUMNS = { id: 'int', amount: 'int' } as const;
export const SHOP: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { rows: csv({ columns: COLUMNS, drift: 'evolve' }), events: csv({ columns: COLUMNS }) },
    silver: {
      items: { from: 'rows', mode: append() },
      latest: { from: 'events', mode: upsert({ key: 'id', sequence: 'amount', writeMode: 'merge-on-read' }) },
    },
    gold: {
      totals: { sql: 'totals.sql' },
      by_id: { sql: 'by_id.sql', partitionBy: [identity('id')], refresh: 'touched' },
    },
  }),
  sql: {
    'totals.sql': 'SELECT sum(amount) AS amount FROM silver.items',
    'by_id.sql': 'SELECT id, sum(amount) AS amount FROM silver.items GROUP BY id',
  },
};
const READER: TestPipeline = {
  name: 'reader',
  definition: definePipeline({
    name: 'reader',
    sources: { rows: csv({ columns: COLUMNS }) },
    silver: { own: { from: 'rows', mode: append() } },
    gold: { copy: { sql: 'copy.sql' } },
  }),
  sql: { 'copy.sql': 'SELECT * FROM shop.silver.items' },
};
export const RUNS = 6;
/** Its tables of data. */
const DATA = ['shop_silver.items', 'shop_silver.latest', 'shop_silver.latest__log', 'shop_gold.totals'];
/** The clock of a test has moved by seconds only, so that all of it is younger than a week. */
export const NOW = { forceRetention: true, olderThanMs: 0 };

export async function openShop(): Promise<TestLake> {
  const lake = await openTestLake(SHOP, { others: [READER], threads: 1, remember: true });
  for (let run = 1; run <= RUNS; run += 1) {
    await lake.land('rows', `${run}.csv`, `id,amount\n${run},${run}0\n`);
    await lake.land('events', `${run}.csv`, `id,amount\n1,${run}\n2,${run}\n`);
    assert.equal((await lake.run({ runId: `run-${run}` })).status, 'SUCCEEDED');
  }
  return lake;
}

export const expire = (lake: TestLake, request: Partial<ExpireRequest> = {}) =>
  expireTables(lake.deps, { target: 'shop', ...NOW, keep: 1, ...request });

export async function keys(lake: TestLake, prefix = ''): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key } of lake.store.list(prefix)) found.push(key);
  return found;
}

export async function runIds(lake: TestLake, table: string): Promise<readonly (string | undefined)[]> {
  return ((await lake.metadata(table))?.snapshots ?? []).map(({ summary }) => summary[RUN_ID]);
}

export async function contents(lake: TestLake): Promise<unknown> {
  return Promise.all(DATA.map((table) => lake.rows(table)));
}

/** Every snapshot of every table can be read. */
export async function readAll(lake: TestLake): Promise<void> {
  for (const id of await lake.deps.catalog.list()) {
    const entry = await loadTable(lake.deps.catalog, id);
    for (const snapshot of entry?.metadata.snapshots ?? []) {
      const files = await planFiles(lake.store, entry?.metadata ?? assert.fail(), {
        snapshotId: snapshot['snapshot-id'],
      });
      for (const { path } of files) assert.ok(await lake.store.head(lake.store.key(path)), path);
    }
  }
}
