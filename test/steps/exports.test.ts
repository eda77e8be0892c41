import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { csv, definePipeline, upsert } from '../../lib/define/index.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const HEADER = 'id,version,month,name,amount,made\n';
const JANUARY = `${HEADER}1,1,2026-01,Ann,10.50,2026-01-05T10:00:00Z\n2,1,2026-01,"=1+1, ""b""",,\n9007199254740993,1,2026-01,,0.10,\n`;

function shop(exports: object, sortBy: readonly string[] = []): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: {
        orders: csv({
          columns: {
            id: { type: 'bigint', required: true },
            version: { type: 'int', required: true },
            month: { type: 'string' },
            name: { type: 'string' },
            amount: { type: 'decimal(20,2)' },
            made: { type: 'timestamptz' },
          },
        }),
      },
      silver: { orders: { from: 'orders', mode: upsert({ key: 'id', sequence: 'version' }) } },
      gold: { bill: { sql: 'bill.sql', sortBy, export: exports } },
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'bill.sql': 'SELECT id, month, name, amount, [amount] AS parts, made FROM silver.orders' },
  };
}

async function withLake(pipeline: TestPipeline, use: (lake: TestLake) => Promise<void>): Promise<void> {
  const lake = await openTestLake(pipeline);
  try {
    await use(lake);
  } finally {
    lake.close();
  }
}

async function text(lake: TestLake, path: string): Promise<string> {
  return new TextDecoder().decode((await lake.store.read(`exports/shop/${path}`)).bytes);
}

test('objects', async () => {
  const exports = {
    csv: { to: 'out/bill.csv', safe: true },
    json: { to: 'bill.jsonl' },
    parquet: { to: 'bill.parquet' },
    files: { name: '{month}/{id}.txt', period: 'month', text: 'id: {id}\nname: {name}\namount: {amount} {{EUR}}\n' },
  };
  await withLake(shop(exports), async (lake) => {
    await lake.land('orders', 'a.csv', JANUARY);
    const result = await lake.run({ runId: 'r1' });
    console.log(JSON.stringify(result.exports), result.error, result.warnings);
    console.log(JSON.stringify(await text(lake, 'out/bill.csv')));
    console.log(await text(lake, 'bill.jsonl'));
    console.log(await lake.rows('shop_ops.exports'));
    for await (const { key } of lake.store.list('exports/')) console.log(key);
    await lake.land('orders', 'b.csv', `${HEADER}1,2,2026-01,Ann,99.00,\n7,1,2026-02,..,1,\n8,1,,x,1,\n`);
    const second = await lake.run({ runId: 'r2' });
    console.log(JSON.stringify(second.exports), second.warnings);
    console.log(
      await lake.rows(
        'shop_ops.exports',
        "SELECT run_id, target, state, reason, object FROM t WHERE kind = 'files' ORDER BY ALL",
      ),
    );
  });
});
