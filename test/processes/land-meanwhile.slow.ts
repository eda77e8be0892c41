import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { strata } from '../cli/child.ts';
import { openCliLake } from '../cli/lake.ts';

const BIG_ROWS = 600_000;

test('a correction that lands while a run reads is taken once, and no account holds what was not read', async () => {
  const lake = openCliLake(
    'shop',
    `{ name: 'shop', sources: { orders: csv({ columns: { id: 'bigint', amount: 'bigint' } }) },
       silver: { orders: { from: 'orders', mode: append() } } }`,
  );
  try {
    const folder = join(lake.root, '..');
    const options = ['--root', lake.root, '--pipelines', join(folder, 'pipelines')];
    const file = (name: string, rows: readonly string[]): string => {
      const path = join(folder, name);
      writeFileSync(path, `id,amount\n${rows.join('\n')}\n`);
      return path;
    };
    const big = file(
      'big.csv',
      Array.from({ length: BIG_ROWS }, (_, at) => `${at},1`),
    );
    await lake.json(0, 'land', 'shop', 'orders', big, file('small.csv', ['-1,10']));
    const running = strata(['run', 'shop', '--json', ...options], folder);
    while (!isPlanned(lake.root)) await turn();
    await lake.json(0, 'land', 'shop', 'orders', file('small.csv', ['-1,77']));
    const first = await running;
    assert.equal(first.code, 0, first.stderr);
    const { left_files, accounting } = JSON.parse(first.stdout) as {
      left_files: readonly { file: string }[];
      accounting: { orders: { read: number; accepted: number } };
    };
    await lake.json(0, 'run', 'shop');
    const query = 'SELECT amount FROM shop_silver.orders WHERE id = -1 ORDER BY amount';
    const small = (await lake.json<readonly { amount: number }[]>(0, 'query', query)).map((row) => row.amount);
    // Whether the correction came before the small file was read is chance; that it is taken as what it is, is not.
    const left = left_files.map((one) => one.file);
    assert.deepEqual(small, left.length === 0 ? [10, 77] : [77]);
    assert.deepEqual(left, left.length === 0 ? [] : ['bronze/shop/orders/small.csv']);
    const rows = BIG_ROWS + 1 - left.length;
    assert.deepEqual([accounting.orders.read, accounting.orders.accepted], [rows, rows]);
  } finally {
    lake.close();
  }
});

function isPlanned(root: string): boolean {
  try {
    const runs = join(root, 'ops/shop/_runs');
    return readdirSync(runs).some((run) => readdirSync(join(runs, run)).includes('plan.json'));
  } catch {
    return false;
  }
}
