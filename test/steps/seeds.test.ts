import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { append, csv, definePipeline, seed } from '../../lib/define/index.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { checkLanding } from '../../lib/runtime/land-files.ts';
import { compileTest, openTestLake, type TestLake } from '../support/test-lake.ts';

const definition = definePipeline({
  name: 'shop',
  sources: {
    orders: csv({ columns: { id: 'bigint', currency: 'string', amount: 'decimal(10,2)' } }),
    currencies: seed('currencies.csv', { columns: { code: { type: 'string', required: true }, digits: 'int' } }),
  },
  silver: { orders: { from: 'orders', sql: 'orders.sql', mode: append() } },
  gold: { known: { sql: 'known.sql' } },
});
const SQL = {
  'orders.sql': 'SELECT o.*, c.digits FROM batch.orders o LEFT JOIN silver.currencies c ON c.code = o.currency',
  'known.sql':
    'SELECT code, count(o.id) AS orders FROM silver.currencies LEFT JOIN silver.orders o ON currency = code GROUP BY code',
};

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

/** A lake whose seed can be changed, as another commit of the pipeline would. */
async function openLake(text: string, options: { readonly versions?: boolean } = {}) {
  const pipeline = (csvText: string) => ({ name: 'shop', definition, sql: { ...SQL, 'currencies.csv': csvText } });
  const lake = await openTestLake(pipeline(text), options);
  opened.push(lake);
  return {
    lake,
    async change(other: string): Promise<TestLake> {
      const spec = await compileTest(pipeline(other), lake.scratch);
      return lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
    },
  };
}

async function keysBelow(lake: TestLake, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of lake.store.list(prefix)) keys.push(key);
  return keys;
}

const codes = async (lake: TestLake): Promise<readonly unknown[]> =>
  (await lake.rows('shop_silver.currencies', 'SELECT code FROM t ORDER BY ALL')).map((row) => row['code']);

const A = 'code,digits\nEUR,2\nJPY,0\n';
const B = 'code,digits\nEUR,2\nUSD,2\n';

for (const versions of [false, true]) {
  describe(`a seed${versions ? ', where overwritten uploads are kept' : ''}`, () => {
    test('is its table, and a dimension of silver and gold, from the first run on', async () => {
      const { lake } = await openLake(A, { versions });
      await lake.land('orders', 'a.csv', 'id,currency,amount\n1,JPY,100\n2,USD,1\n');
      const { status, accounting } = await lake.run();
      assert.equal(status, 'SUCCEEDED');
      assert.deepEqual(accounting['currencies'], { read: 2, accepted: 2, quarantined: 0, condemned: 0, duplicates: 0 });
      assert.deepEqual(await lake.rows('shop_silver.orders', 'SELECT id, digits FROM t ORDER BY ALL'), [
        { id: 1, digits: 0 },
        { id: 2, digits: null },
      ]);
      assert.deepEqual(await lake.rows('shop_gold.known'), [
        { code: 'EUR', orders: 0 },
        { code: 'JPY', orders: 1 },
      ]);
      assert.equal((await lake.answer()).kind, 'nothing');
    });

    test('that has changed replaces its table whole, also when it goes back to what it was', async () => {
      const { lake, change } = await openLake(A, { versions });
      assert.equal((await lake.run()).status, 'SUCCEEDED');
      const changed = await change(B);
      assert.equal((await changed.run()).status, 'SUCCEEDED');
      assert.deepEqual(await codes(lake), ['EUR', 'USD']);
      assert.equal((await changed.answer()).kind, 'nothing');
      const back = await change(A);
      assert.deepEqual((await planRun(back.deps, 'shop')).sources[1]?.files, 1);
      assert.equal((await back.run()).status, 'SUCCEEDED');
      assert.deepEqual(await codes(lake), ['EUR', 'JPY']);
      assert.equal((await back.answer()).kind, 'nothing');
      const empty = await change('code,digits\n');
      await empty.run();
      assert.deepEqual(await codes(lake), []);
      assert.equal((await keysBelow(lake, 'bronze/shop/_seeds/currencies/')).length, 3);
    });
  });
}

describe('a seed', () => {
  test('has rows in quarantine, a row in the ledger and a file in bronze like any source', async () => {
    const { lake } = await openLake(`${A},9\n`);
    await lake.run({ runId: 'r' });
    const [row] = await lake.rows('shop_ops.quarantine', 'SELECT source_file, line, codes FROM t');
    const [file] = await keysBelow(lake, 'bronze/');
    assert.match(file ?? '', /^bronze\/shop\/_seeds\/currencies\/currencies-[0-9a-f]{32}\.csv$/);
    assert.deepEqual(row, { source_file: file, line: 4, codes: ['NULL_VALUE_ERROR'] });
    assert.deepEqual(await lake.rows('shop_ops.files', 'SELECT key, status FROM t'), [
      { key: file, status: 'ingested' },
    ]);
    // The plan finds the file, and carries no copy of it.
    const plans = await keysBelow(lake, 'ops/shop/_specs/');
    const { bytes } = await lake.store.read(plans[0] ?? '');
    assert.ok(!new TextDecoder().decode(bytes).includes('JPY,0'));
  });

  test('is planned before it has landed, and a plan lands nothing', async () => {
    const { lake } = await openLake(A);
    const { sources, levels } = await planRun(lake.deps, 'shop');
    assert.deepEqual(
      sources.find(({ source }) => source === 'currencies'),
      {
        source: 'currencies',
        files: 1,
        bytes: A.length,
        estimated_bytes: A.length,
      },
    );
    assert.deepEqual(levels[0]?.tables.find(({ table }) => table === 'shop_silver.currencies')?.action, 'create');
    assert.deepEqual(await keysBelow(lake, ''), []);
  });

  test('leaves nothing of a dry run', async () => {
    const { lake } = await openLake(A);
    const { status, previews } = await lake.run({ dryRun: true });
    assert.equal(status, 'DRY_RUN');
    assert.equal(previews['silver.currencies']?.length, 2);
    assert.deepEqual(await keysBelow(lake, 'bronze/'), []);
    assert.deepEqual(
      (await keysBelow(lake, 'ops/shop/_dry_runs/')).filter((key) => !key.endsWith('/result.json')),
      [],
    );
    assert.equal((await lake.run()).status, 'SUCCEEDED');
  });

  test('is taken by the next run when one failed', async () => {
    const { lake, change } = await openLake(A);
    await lake.run();
    const changed = await change(B);
    const failing = changed.reopen((deps) => ({
      ...deps,
      store: {
        ...deps.store,
        async write(key, bytes, condition) {
          if (key.endsWith('/level-0/audit.json')) throw new TypeError('not today');
          return deps.store.write(key, bytes, condition);
        },
      },
    }));
    assert.equal((await failing.run()).status, 'FAILED');
    assert.deepEqual(await codes(lake), ['EUR', 'JPY']);
    assert.equal((await changed.run()).status, 'SUCCEEDED');
    assert.deepEqual(await codes(lake), ['EUR', 'USD']);
  });

  test('is landed by runs alone', async () => {
    const { lake } = await openLake(A);
    await assert.rejects(
      checkLanding(lake.deps.specs, { pipeline: 'shop', source: 'currencies', files: [] }),
      /source currencies of shop is a seed: change currencies\.csv/,
    );
    await lake.land('_seeds/currencies', 'other.csv', 'code,digits\nXXX,1\n');
    const { skipped } = await lake.run();
    assert.deepEqual(skipped, { count: 0, names: [] });
    assert.deepEqual(await codes(lake), ['EUR', 'JPY']);
  });
});
