import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openCliLake } from '../../cli/lake.ts';
import { pythonWith } from '../../interop/environments.ts';

const HERE = import.meta.dirname;

const lake = openCliLake(
  'shop',
  `{
    name: 'shop',
    owner: 'sales',
    sources: { orders: csv({ columns: { id: 'int', amount: 'decimal(10,2)', at: 'timestamp' } }) },
    silver: { orders: { from: 'orders', expect: { paid: 'amount > 0' } } },
    gold: { totals: { sql: 'totals.sql', description: 'What was paid by day' } },
  }`,
  {
    'totals.sql': 'SELECT CAST("at" AS DATE) AS day, sum(amount) AS paid FROM silver.orders WHERE id > 0 GROUP BY ALL',
  },
);
after(() => lake.close());

test('the Python client reads the events of a run that succeeded and of one that failed', async () => {
  const python = await pythonWith('openlineage', join(HERE, 'requirements.txt'));
  await lake.land('shop', 'orders', 'a.csv', 'id,amount,at\n1,1.50,2026-01-31 10:00:00\n');
  await lake.json(0, 'run', 'shop');
  await lake.land('shop', 'orders', 'b.csv', 'id,amount,at\n2,-1,2026-01-31 10:00:00\n');
  await lake.json(2, 'run', 'shop');
  const { stdout } = await lake.run('openlineage', 'shop', '--last', '2');
  const child = spawn(python, [join(HERE, 'read_events.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => said.push(part));
  child.stdin.end(stdout);
  assert.deepEqual(await once(child, 'close'), [0, null]);
  const { events, lineage } = JSON.parse(Buffer.concat(said).toString('utf8')) as {
    readonly events: number;
    readonly lineage: Readonly<Record<string, unknown>>;
  };
  assert.equal(events, stdout.trimEnd().split('\n').length);
  assert.ok(events >= 10);
  assert.deepEqual(lineage['shop_gold.totals'], {
    day: ['shop_silver.orders.at'],
    paid: ['shop_silver.orders.amount'],
  });
});
