import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { EngineError } from '../../lib/core/errors.ts';
import { append, definePipeline, identity, json, month } from '../../lib/define/index.ts';
import type { Row } from '../../lib/ports.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const SHOPS = 6;
const ROWS = 700;

const COLUMNS = { id: 'bigint', shop: 'string', sold: 'timestamptz', amount: 'int', note: 'string' } as const;

const PIPELINE: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { sales: json({ layout: 'lines', columns: COLUMNS }) },
    silver: { sales: { from: 'sales', mode: append(), partitionBy: [identity('shop')] } },
    gold: {
      shops: { sql: 'shops.sql', partitionBy: [identity('shop')], refresh: 'touched' },
      months: { sql: 'months.sql', partitionBy: [month('sold')], refresh: 'touched' },
      total: { sql: 'total.sql' },
    },
  } as unknown as Parameters<typeof definePipeline>[0]),
  sql: {
    'shops.sql': 'SELECT shop, sum(amount)::BIGINT AS amount, count(*) AS sales FROM silver.sales GROUP BY shop',
    'total.sql': 'SELECT sum(amount)::BIGINT AS amount, sum(sales)::BIGINT AS sales FROM gold.shops',
    'months.sql': 'SELECT sold, sum(amount)::BIGINT AS amount FROM silver.sales GROUP BY sold',
  },
};

/** Sales of some shops in one month of 2024, with notes that no compression makes small. */
function sales(shops: readonly number[], inMonth: number, from: number): string {
  const rows = shops.flatMap((shop) =>
    Array.from({ length: ROWS }, (_, at) => ({
      id: from + shop * ROWS + at,
      shop: `shop-${shop}`,
      sold: `2024-${String(inMonth).padStart(2, '0')}-${String(1 + (at % 28)).padStart(2, '0')}T00:00:00Z`,
      amount: at % 10,
      note: hash('sha512', `${from}-${shop}-${at}`, 'base64') + hash('sha512', `${at}-${shop}-${from}`, 'base64'),
    })),
  );
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

async function lastRun(lake: TestLake): Promise<Readonly<Record<'brought' | 'kept' | 'skipped', number>>> {
  const rows = await lake.rows('shop_ops.runs', 'SELECT * FROM t ORDER BY started_at DESC LIMIT 1');
  const of = (name: string): number => Number(rows[0]?.[name]);
  return { brought: of('bytes_brought'), kept: of('bytes_kept'), skipped: of('bytes_skipped') };
}

const bytesOf = async (lake: TestLake): Promise<number> =>
  Number((await lake.metadata('shop_silver.sales'))?.snapshots.at(-1)?.summary['total-files-size']);

test('a unit of gold brings the columns of the partitions that it computes, and ops says how much that was', async () => {
  const lake = await openTestLake(PIPELINE);
  const all = Array.from({ length: SHOPS }, (_, shop) => shop);
  await lake.land('sales', 'a.json', sales(all, 1, 0));
  await lake.run({ runId: 'first' });
  const whole = await bytesOf(lake);
  const first = await lastRun(lake);
  assert.deepEqual(
    await lake.rows('shop_gold.shops'),
    all.map((shop): Row => ({ shop: `shop-${shop}`, amount: 3_150, sales: ROWS })),
  );
  assert.ok(first.kept >= 2 * whole && first.brought < first.kept / 4, JSON.stringify({ whole, first }));
  await lake.land('sales', 'b.json', sales([2], 2, 100_000));
  await lake.run({ runId: 'second' });
  const second = await lastRun(lake);
  const touched = (await bytesOf(lake)) - whole;
  // Each model reads the two files of the shop, or the one of the month, less the notes.
  assert.ok(second.kept < 2 * touched + 2 * touched, JSON.stringify({ touched, second }));
  assert.ok(second.brought < touched / 2, JSON.stringify({ touched, second }));
  assert.ok(second.skipped > whole, JSON.stringify({ whole, second }));
  const expected = all.map(
    (shop): Row => ({ shop: `shop-${shop}`, amount: shop === 2 ? 6_300 : 3_150, sales: shop === 2 ? 2 * ROWS : ROWS }),
  );
  assert.deepEqual(await lake.rows('shop_gold.shops'), expected);
  assert.deepEqual(await lake.rows('shop_gold.total'), [{ amount: 3_150 * (SHOPS + 1), sales: ROWS * (SHOPS + 1) }]);
  assert.deepEqual(
    await lake.rows(
      'shop_gold.months',
      'SELECT month(sold) AS m, sum(amount)::BIGINT AS amount FROM t GROUP BY 1 ORDER BY 1',
    ),
    [
      { m: 1, amount: 3_150 * SHOPS },
      { m: 2, amount: 3_150 },
    ],
  );
  lake.close();
});

test('a unit whose engine reads more than was planned gets everything, and says so', async () => {
  const lake = await openTestLake(PIPELINE);
  await lake.land('sales', 'a.json', sales([0, 1, 2, 3], 1, 0));
  const warned: string[] = [];
  let fails = 1;
  const failing = lake.reopen((deps) => ({
    ...deps,
    log: { ...deps.log, warn: (event, fields) => warned.push(`${event} ${fields?.['model']}`) },
    engine: {
      open: async (options) => {
        const session = await deps.engine.open(options);
        const copy: typeof session.copy = async (statement) => {
          fails -= statement.name === 'write gold.shops' ? 1 : 0;
          if (fails === 0) throw new EngineError('write gold.shops: Invalid Error: TProtocolException: Invalid data');
          return session.copy(statement);
        };
        return { ...session, copy };
      },
    },
  }));
  await failing.run({ runId: 'first' });
  assert.deepEqual(warned, ['inputs are brought whole gold.shops']);
  assert.deepEqual(await lake.rows('shop_gold.total'), [{ amount: 12_600, sales: 4 * ROWS }]);
  lake.close();
});

test('a unit whose inputs do not fit fails before any of them is brought, and says how much room it takes', async () => {
  const lake = await openTestLake(PIPELINE);
  // Every file that has landed fits, and what gold needs of all of them together does not.
  const lines = sales([0, 1, 2, 3], 1, 0).split('\n');
  for (let at = 0; at < lines.length; at += 13) {
    await lake.land('sales', `${at}.json`, `${lines.slice(at, at + 13).join('\n')}\n`);
  }
  const brought: string[] = [];
  const crowded = lake.reopen((deps) => {
    const note = <Asked, Answer>(act: (asked: Asked) => Promise<Answer>): ((asked: Asked) => Promise<Answer>) => {
      return (asked) => {
        brought.push(...(JSON.stringify(asked).match(/silver\/shop\/sales\/data/g) ?? []));
        return act(asked);
      };
    };
    const { borrow, borrowParts } = deps.store;
    return { ...deps, store: { ...deps.store, room: 4_000, borrow: note(borrow), borrowParts: note(borrowParts) } };
  });
  const { status, error } = await crowded.run({ runId: 'first' });
  assert.equal(status, 'FAILED');
  assert.match(error?.message ?? '', /needs 1 MB of its inputs \(silver\.sales 1 MB\): got room for 1 MB; expected/);
  assert.deepEqual(brought, []);
  lake.close();
});
