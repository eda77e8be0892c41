import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { databaseOf } from '../../lib/core/tables.ts';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';
import pipeline from '../../pipelines/retail/pipeline.ts';
import {
  assertReadsAlike,
  icebirdRows,
  landingPath,
  loadMetadata,
  openServedLake,
  runPipeline,
  type ServedLake,
} from './lake.ts';

/** The retail sample in two runs, every table read back by icebird, now and as of the first run. */
let served: ServedLake;
const TRANSACTIONS = 3000;
const HELD_BACK = 'transactions-00002.csv';

before(async () => {
  served = await openServedLake(fileURLToPath(new URL('../../pipelines', import.meta.url)));
  const bronze = await landingPath(served.lake, 'retail', 'transactions');
  const out = join(bronze, '..');
  const options = { out, transactions: TRANSACTIONS, customers: 60, products: 30, files: 2, hotShare: 0.1 };
  await generateRetail(parseRetailOptions(options), served.session);
  const later = join(served.lake.root, HELD_BACK);
  await rename(join(bronze, HELD_BACK), later);
  await runPipeline(served, 'retail');
  await rename(later, join(bronze, HELD_BACK));
  await runPipeline(served, 'retail');
});

after(() => served.close());

const tables = [
  ...Object.keys(pipeline.silver ?? {}).map((name) => ({ pipeline: 'retail', layer: 'silver', name }) as const),
  ...Object.keys(pipeline.gold ?? {}).map((name) => ({ pipeline: 'retail', layer: 'gold', name }) as const),
];

for (const id of tables) {
  test(`icebird reads ${databaseOf(id)}.${id.name} as DuckDB does`, async () => {
    assert.ok((await assertReadsAlike(served, id)) > 0);
  });
}

test('icebird reads each snapshot of the sales as DuckDB does', async () => {
  const sales = { pipeline: 'retail', layer: 'silver', name: 'sales' } as const;
  const { snapshots } = await loadMetadata(served, sales);
  const rows: number[] = [];
  for (const snapshot of snapshots) rows.push(await assertReadsAlike(served, sales, snapshot['snapshot-id']));
  assert.equal(rows.length, 2);
  assert.equal(rows[1], TRANSACTIONS);
  assert.ok((rows[0] ?? 0) > 0 && (rows[0] ?? 0) < TRANSACTIONS);
});

test("icebird reads the books of Strata's own", async () => {
  const files = await icebirdRows(served, { pipeline: 'retail', layer: 'ops', name: 'files' });
  assert.equal(files.length, 4);
});
