import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { backfillRequest } from '../../lib/cli/commands/backfill.ts';
import { openCliLake } from './lake.ts';

const lake = openCliLake(
  'shop',
  `{
    name: 'shop',
    sources: { rows: csv({ columns: { id: 'int', amount: 'int' } }) },
    silver: { items: { from: 'rows', sql: 'items.sql', mode: append() } },
    gold: { total: { sql: 'total.sql' } },
  }`,
  {
    'items.sql': 'SELECT id, amount FROM batch.rows',
    'total.sql': 'SELECT sum(amount) AS amount FROM silver.items',
  },
);
after(() => lake.close());

const TOTAL = 'SELECT amount FROM shop_gold.total';
const writeSql = (text: string): void => writeFileSync(join(lake.root, '..', 'pipelines', 'shop', 'items.sql'), text);

type Work = { readonly downstream: readonly string[]; readonly files: number; readonly bytes: number };
type Plan = {
  readonly changes: readonly { readonly table: string; readonly refused: boolean; readonly work: Work }[];
};

test('a change is planned with 3, refused with 1, and done by backfill', async () => {
  await lake.land('shop', 'rows', 'a.csv', 'id,amount\n1,10\n');
  await lake.json(0, 'run', 'shop');
  writeSql('SELECT id, amount * 2 AS amount FROM batch.rows');
  await lake.land('shop', 'rows', 'b.csv', 'id,amount\n2,20\n');
  const { changes } = await lake.json<Plan>(3, 'plan', 'shop');
  assert.deepEqual(
    changes.map(({ table, refused, work: { downstream, files, bytes } }) => ({
      table,
      refused,
      downstream,
      files,
      bytes,
    })),
    // What runs have taken, and what waits.
    [{ table: 'shop_silver.items', refused: true, downstream: ['shop_gold.total'], files: 2, bytes: 30 }],
  );
  const { stdout } = await lake.run('plan', 'shop');
  assert.match(stdout, /^the pipeline has changed since its tables were made:\n[\s\S]*shop_silver\.items │ the SQL/);
  assert.match(
    stdout,
    /\nto make shop_silver\.items anew, with shop_gold\.total after it: 2 files, 30 B; on AWS about \d+\.\d s and \$0\.00\d+\n/,
  );
  const refused = await lake.run('run', 'shop');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /shop_silver\.items: the SQL/);
  assert.match(refused.stderr, /backfill shop/);
  await lake.json(0, 'backfill', 'shop', '--dry-run');
  await lake.json(3, 'plan', 'shop');
  await lake.json(0, 'backfill', 'shop', '--run-id', 'anew');
  assert.deepEqual(await lake.json(0, 'query', TOTAL), [{ amount: '60' }]);
  await lake.json(0, 'plan', 'shop');
});

test('a change goes forward once where it is asked to', async () => {
  writeSql('SELECT id, amount * 3 AS amount FROM batch.rows');
  await lake.land('shop', 'rows', 'c.csv', 'id,amount\n3,1\n');
  await lake.json(0, 'plan', 'shop', '--forward-only');
  await lake.json(0, 'run', 'shop', '--forward-only');
  assert.deepEqual(await lake.json(0, 'query', TOTAL), [{ amount: '63' }]);
  await lake.json(0, 'plan', 'shop');
});

test('files that are gone are done without where it is asked to', () => {
  assert.deepEqual(backfillRequest({ pipeline: 'shop' }), { pipeline: 'shop', backfill: {} });
  assert.deepEqual(backfillRequest({ pipeline: 'shop', allowMissing: true }), {
    pipeline: 'shop',
    backfill: { allow_missing: true },
  });
});

test('partitions of a time are asked for by instants', () => {
  const request = { pipeline: 'shop', from: '2026-01-01', to: '2026-02-01T12:00' };
  const backfill = { from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T12:00:00.000Z' };
  assert.deepEqual(backfillRequest(request), { pipeline: 'shop', backfill });
  assert.throws(
    () => backfillRequest({ ...request, to: '2026-01-01' }),
    /backfill: got --from 2026-01-01 --to 2026-01-01/,
  );
  assert.throws(() => backfillRequest({ ...request, from: 'soon' }), /--from: got "soon"; expected a date or a time/);
});

test('a table without partitions of a time is refused', async () => {
  const { code, stderr } = await lake.run('backfill', 'shop', '--from', '2026-01-01', '--dry-run');
  assert.equal(code, 1);
  assert.match(stderr, /shop_silver\.items: it is not partitioned by a time/);
});
