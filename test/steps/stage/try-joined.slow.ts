import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csv, definePipeline, full } from '../../../lib/define/index.ts';
import { openTestLake, type TestLake } from '../../support/test-lake.ts';

/** `items` joins `codes`, which each file replaces whole. */
async function openShop(sql: string, codes: string, items: readonly string[]): Promise<TestLake> {
  const lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: {
        items: csv({ columns: { id: 'int', n: 'string' } }),
        codes: csv({ columns: { k: 'string', z: 'int' } }),
      },
      silver: { items: { from: 'items', sql: 'items.sql' }, codes: { from: 'codes', mode: full() } },
    }),
    sql: { 'items.sql': sql },
  });
  await lake.land('items', 'a.csv', `id,n\n${items.join('\n')}\n`);
  await lake.land('codes', 'a.csv', `k,z\n${codes}\n`);
  return lake;
}

const JOIN = 'FROM batch.items b LEFT JOIN silver.codes c';

test('where a row of a joined table raises whatever the batch has, the run fails, says so, and rejects nothing', async () => {
  // More records than are looked at one by one: a file of so many that cannot be computed is rejected.
  const rows = Array.from({ length: 60 }, (_, i) => `${i},${i}`);
  const lake = await openShop(`SELECT b.id, c.z ${JOIN} ON CAST(c.k AS INT) = CAST(b.n AS INT)`, 'q,1\n5,2', rows);
  const { status, error, rejected_files } = await lake.run();
  assert.deepEqual([status, error?.name, rejected_files], ['FAILED', 'EngineError', []]);
  assert.match(
    error?.message ?? '',
    /^silver\.items: .* rows of what it joins \(silver\.codes\), .* Could not convert string 'q'/,
  );
  assert.doesNotMatch(error?.message ?? '', /LINE/);
  await lake.land('codes', 'b.csv', 'k,z\n5,2\n');
  // The file with the row of before is taken with it: the later of one batch does not replace it, so it is withdrawn.
  await lake.store.remove('bronze/shop/codes/a.csv');
  const next = await lake.run({ runId: 'corrected' });
  assert.deepEqual([next.status, next.accounting['items']?.accepted], ['SUCCEEDED', 60], next.error?.message);
  assert.deepEqual(await lake.rows('shop_silver.items', 'SELECT id FROM t WHERE z = 2'), [{ id: 5 }]);
  lake.close();
});

for (const [what, sql, codes, row] of [
  [
    'a row of the batch with what it joins',
    `SELECT b.id, b.id * c.z AS r ${JOIN} ON c.k = b.n`,
    'x,2147483647\n5,1',
    2,
  ],
  ['a row of the batch by itself', `SELECT b.id, c.z ${JOIN} ON c.z = CAST(b.n AS INT)`, 'q,1\n5,2', 2],
  [
    'a row of the batch, and one without values too',
    `SELECT b.id, CASE WHEN b.n IS NULL THEN error('none') ELSE CAST(b.n AS INT) END AS n, c.z ${JOIN} ON c.k = b.n`,
    'q,1\n5,2',
    2,
  ],
  [
    'a row of the batch in the condition of the join, and one without values too',
    `SELECT b.id, c.z ${JOIN} ON c.z = CAST(concat(b.n) AS INT)`,
    'q,1\n5,2',
    2,
  ],
] as const) {
  test(`where ${what} raises, it alone is quarantined`, async () => {
    const lake = await openShop(sql, codes, ['1,5', '2,x', '3,0']);
    const { status, error, accounting } = await lake.run();
    assert.equal(status, 'SUCCEEDED', error?.message);
    assert.equal(accounting['items']?.accepted, 2);
    const aside = await lake.rows('shop_ops.quarantine', "SELECT line, codes FROM t WHERE source = 'items'");
    assert.deepEqual(
      aside.map((one) => [Number(one['line']), one['codes']]),
      [[row + 1, ['ENGINE_ERROR']]],
    );
    lake.close();
  });
}
