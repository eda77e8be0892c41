import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { append, csv, definePipeline, identity, unique } from '../../../lib/define/index.ts';
import { RUN_ID } from '../../../lib/iceberg/snapshot.ts';
import type { TableMetadata } from '../../../lib/iceberg/types.ts';
import type { StepDeps } from '../../../lib/lake/deps.ts';
import { engineRun, namesOf } from '../../../lib/lake/engines/staging.ts';
import { vacuumTables } from '../../../lib/runtime/maintain.ts';
import { createFakeEngine, type FakeEngine, type Faults } from '../../support/fake-engine.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../../support/test-lake.ts';

const SHOP: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { rows: csv({ columns: { id: 'int', region: 'string', amount: 'decimal(9,2)', day: 'date' } }) },
    silver: { orders: { from: 'rows', mode: append() } },
    gold: {
      revenue: {
        engine: 'athena',
        sql: { duckdb: 'revenue.sql', athena: 'revenue.athena.sql' },
        expect: { one_each: unique('region') },
      },
      days: {
        engine: 'athena',
        sql: { duckdb: 'days.sql', athena: 'days.sql' },
        partitionBy: [identity('day')],
        refresh: 'touched',
      },
    },
  }),
  sql: {
    'revenue.sql':
      'SELECT region, sum(amount)::decimal(18,2) AS revenue, max(day) AS last FROM silver.orders GROUP BY region',
    'revenue.athena.sql':
      "SELECT orders.region, CAST(sum(amount) AS decimal(18,2)) AS revenue, max(day) AS last -- of 'silver.orders'\nFROM silver.orders GROUP BY 1;",
    'days.sql': 'SELECT day, count(*) AS n, min(o.amount) AS least FROM silver.orders o GROUP BY day',
  },
};

const RUN = { pipeline: 'shop', run_id: 'killed', dry_run: false };

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

type Shop = { readonly lake: TestLake; readonly engine: FakeEngine };

function withEngine(lake: TestLake, faults: Faults = {}, more: Partial<StepDeps> = {}): Shop {
  const engine = createFakeEngine(lake.deps, faults);
  const sqlEngine: StepDeps['sqlEngine'] = (name) => (name === 'athena' ? engine : undefined);
  return { lake: lake.reopen((deps) => ({ ...deps, sqlEngine, ...more })), engine };
}

async function openShop(rows: number): Promise<TestLake> {
  const lake = await openTestLake(SHOP);
  opened.push(lake);
  await lake.land(
    'rows',
    'a.csv',
    `id,region,amount,day\n${Array.from({ length: rows }, (_, n) => row(n)).join('\n')}\n`,
  );
  return lake;
}

function row(n: number): string {
  const day = new Date(Date.UTC(2026, 0, n)).toISOString().slice(0, 10);
  return `${n},${n % 3 === 0 ? '' : 'nsew'[n % 4]},${n}.25,${n === 7 ? '' : day}`;
}

function operated(table: TableMetadata, operation: 'append' | 'overwrite'): TableMetadata {
  return { ...table, snapshots: table.snapshots.map((one) => ({ ...one, summary: { ...one.summary, operation } })) };
}

async function keysOf(lake: TestLake, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of lake.store.list(prefix)) keys.push(key);
  return keys;
}

const EXPECTED = {
  revenue: `SELECT region, sum(amount)::decimal(18,2) AS revenue, max(day) AS last FROM t GROUP BY region ORDER BY ALL`,
  days: 'SELECT day, count(*) AS n, min(amount) AS least FROM t GROUP BY day ORDER BY ALL',
};

async function assertEqualRows(lake: TestLake): Promise<void> {
  const columns = { revenue: 'region, revenue, last', days: 'day, n, least' };
  for (const name of ['revenue', 'days'] as const) {
    const got = await lake.rows(`shop_gold.${name}`, `SELECT ${columns[name]} FROM t ORDER BY ALL`);
    assert.deepEqual(got, await lake.rows('shop_silver.orders', EXPECTED[name]));
  }
}

describe('gold models that an engine computes', () => {
  test("have the rows that DuckDB's texts have, in files that the engine wrote, at most 100 partitions by a statement", async () => {
    const { lake, engine } = withEngine(await openShop(205));
    const result = await lake.run({ runId: 'first' });
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    await assertEqualRows(lake);
    const metadata = await lake.metadata('shop_gold.revenue');
    assert.deepEqual(
      metadata?.snapshots.map(({ summary }) => summary[RUN_ID]),
      ['first'],
    );
    const left = await keysOf(lake, 'gold/shop/revenue/staged/');
    assert.match(
      left.join(),
      /^gold\/shop\/revenue\/staged\/first\/[0-9a-f]{16}\/gold.revenue-00000-1\/data\/engine-\d+.parquet$/,
    );
    assert.deepEqual([...engine.known.keys()], []);
    const days = [...engine.begun.values()].filter((text) => /INSERT INTO "fake"\."days/.test(text));
    assert.deepEqual(
      days.map((text) => (text.includes('SELECT DISTINCT') ? 'list' : text.split(' OR ').length)),
      ['list', 100, 100, 5],
    );
    assert.equal(new Set(engine.begun.keys()).size, 5);

    await lake.land('rows', 'b.csv', `id,region,amount,day\n${row(3)}\n${row(400)}\n`);
    const second = await lake.run({ runId: 'second' });
    assert.equal(second.tables['shop_gold.days']?.rows_added, 2);
    await assertEqualRows(lake);
  });

  test('publish nothing, and leave nothing, where the engine does not do what it should', async () => {
    const shop = await openShop(5);
    const wrong: readonly (readonly [string, Faults, RegExp, number])[] = [
      [
        'refuses the text',
        { look: () => ({ kind: 'refused', reason: 'no such function' }) },
        /InvalidInput: gold.revenue: Trino \(a fake\) refuses its text: got no such function/,
        1,
      ],
      [
        'gives another type',
        { does: (text) => text.replace('decimal(18,2)) AS revenue', 'double) AS revenue') },
        /got .*column revenue: got double; expected decimal\(18,2\)/,
        1,
      ],
      [
        'fails, however often it is tried',
        { look: () => ({ kind: 'failed', reason: 'out of memory' }) },
        /EngineError: gold.revenue: Trino \(a fake\) has failed: out of memory .*; 3 times/,
        3,
      ],
      [
        'gives rows that break an expectation',
        {
          does: (text) =>
            text.replace('GROUP BY 1', "GROUP BY 1 UNION ALL SELECT 'n', 1.00, NULL UNION ALL SELECT 'n', 1.00, NULL"),
        },
        /gold.revenue: expectation one_each does not hold/,
        1,
      ],
      [
        'writes deletes',
        { deletes: true, leaves: (table) => operated(table, 'append') },
        /AuditFailed: gold.revenue, computed by Trino \(a fake\): got a table that is not adopted: it has a file of deletes/,
        1,
      ],
      [
        'puts another table in its place',
        { leaves: (table) => ({ ...table, 'table-uuid': '00000000-0000-4000-8000-00000000dead' }) },
        /its uuid is/,
        1,
      ],
      [
        'moves the table',
        { leaves: (table) => ({ ...table, location: 'memory://store/gold/elsewhere' }) },
        /its location is/,
        1,
      ],
      [
        'alters its columns',
        {
          leaves: (table) => ({
            ...table,
            schemas: table.schemas.map((schema) => ({ ...schema, fields: schema.fields.slice(1) })),
          }),
        },
        /its columns, or their field ids/,
        1,
      ],
      [
        'overwrites it',
        {
          leaves: (table) => operated(table, 'overwrite'),
        },
        /is of the operation overwrite/,
        1,
      ],
      [
        'writes more than once',
        {
          leaves: (table) => ({
            ...table,
            snapshots: [...table.snapshots, ...table.snapshots].map((one, n) => ({
              ...one,
              'snapshot-id': one['snapshot-id'] + BigInt(n),
            })),
          }),
        },
        /2 statements wrote into it, not 1/,
        1,
      ],
    ];
    for (const [what, faults, message, begun] of wrong) {
      const { lake, engine } = withEngine(shop, faults);
      const { status, error } = await lake.run({
        runId: what.replaceAll(/[ ,]/g, '-'),
        select: ['gold.revenue', 'silver.orders'],
      });
      assert.equal(status, 'FAILED', what);
      assert.match(error?.message ?? '', message, what);
      assert.equal(await lake.metadata('shop_gold.revenue'), undefined, what);
      assert.deepEqual(await keysOf(lake, 'gold/shop/revenue/staged/'), [], what);
      assert.deepEqual([[...engine.known.keys()], engine.begun.size], [[], begun], what);
    }
    const { error } = await shop.run({ runId: 'nobody', select: ['gold.revenue', 'silver.orders'] });
    assert.match(
      error?.message ?? '',
      /gold.revenue is computed by athena, and there is none here: got no engine of that name/,
    );
  });

  test('are computed once, by one statement, however little a worker of ours may read', async () => {
    const shop = await openShop(5);
    const select = ['gold.revenue', 'silver.orders'];
    await withEngine(shop).lake.run({ runId: 'one', select });
    await shop.land('rows', 'b.csv', `id,region,amount,day\n${row(11)}\n`);
    const { lake, engine } = withEngine(shop, {}, { settings: { ...shop.deps.settings, unitBytes: 100 } });
    const result = await lake.run({ runId: 'two', select });
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    assert.equal(engine.begun.size, 1);
    const expected = await shop.rows('shop_silver.orders', EXPECTED.revenue);
    assert.deepEqual(
      await shop.rows('shop_gold.revenue', 'SELECT region, revenue, last FROM t ORDER BY ALL'),
      expected,
    );
  });

  test('are waited for by one call after the other, and tried again where the engine failed', async () => {
    const shop = await openShop(5);
    const late: Faults = { look: (_, looks) => (looks < 3 ? { kind: 'working' } : undefined) };
    const first = withEngine(shop, late, { remainingMs: () => 0 });
    const select = ['gold.revenue', 'silver.orders'];
    assert.equal((await first.lake.run({ select })).status, 'SUCCEEDED');
    assert.equal(first.engine.begun.size, 1);

    await shop.land('rows', 'b.csv', `id,region,amount,day\n${row(11)}\n`);
    let failures = 0;
    const killed: Faults = {
      look() {
        failures += 1;
        return failures === 1 ? { kind: 'failed', reason: 'the query was killed' } : undefined;
      },
    };
    const second = withEngine(shop, killed);
    const result = await second.lake.run({ runId: 'again', select });
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    assert.equal(second.engine.begun.size, 2);
    const left = await keysOf(shop, 'gold/shop/revenue/staged/again/');
    assert.match(left.join(), /^[^,]*again\/[0-9a-f]{16}\/gold.revenue-00000-2\/data\/[^,]*parquet$/);
    const expected = await shop.rows('shop_silver.orders', EXPECTED.revenue);
    assert.deepEqual(
      await shop.rows('shop_gold.revenue', 'SELECT region, revenue, last FROM t ORDER BY ALL'),
      expected,
    );
  });

  test('are compared with the text that is published, and never published themselves', async () => {
    const texts = {
      right: SHOP.sql?.['revenue.athena.sql'] ?? '',
      wrong:
        'SELECT region, CAST(sum(amount + CASE id WHEN 4 THEN 0.01 ELSE 0 END) AS decimal(18,2)) AS revenue, max(day) AS last FROM silver.orders GROUP BY 1',
      refused: 'SELECT region, no_such_function(amount) AS revenue, max(day) AS last FROM silver.orders GROUP BY 1',
    };
    for (const [name, athena] of Object.entries(texts)) {
      const gold = { revenue: { sql: { duckdb: 'revenue.sql', athena: 'revenue.athena.sql' } } };
      const definition = { ...(SHOP.definition as object), gold };
      const lake = await openTestLake({ ...SHOP, definition, sql: { ...SHOP.sql, 'revenue.athena.sql': athena } });
      opened.push(lake);
      await lake.land('rows', 'a.csv', `id,region,amount,day\n${[1, 2, 3, 4].map(row).join('\n')}\n`);
      const { lake: shop, engine } = withEngine(lake);
      const { status, parities = [] } = await shop.run({ runId: name, shadow: true });
      const [{ left, right, equal, differing, error } = assert.fail(name)] = parities;
      assert.deepEqual(
        [status, left, right, equal, differing],
        ['SUCCEEDED', 'duckdb', 'athena', name === 'right', { right: 0, wrong: 2, refused: null }[name]],
      );
      if (name === 'refused') assert.match(error ?? '', /no_such_function/);
      else assert.equal(error, null);
      assert.equal((await lake.rows('shop_gold.revenue', 'SELECT sum(revenue) AS sum FROM t'))[0]?.['sum'], '11.00');
      assert.deepEqual(await keysOf(lake, 'gold/shop/revenue/staged/'), []);
      assert.deepEqual([...engine.known.keys()], []);
      // Without the engine the comparison says so, and the run goes on.
      if (name === 'right')
        assert.match((await lake.run({ shadow: true })).parities?.[0]?.error ?? '', /there is none here/);
    }
  });

  test('leave what a killed run had written to a vacuum, which keeps what the table has', async () => {
    const { lake, engine } = withEngine(await openShop(5));
    const select = ['gold.revenue', 'silver.orders'];
    await lake.run({ runId: 'first', select });
    const folder = 'gold/shop/revenue/staged/killed/gold.revenue-00000-1';
    const orphans = [`${folder}/data/engine-1.parquet`, `${folder}/metadata/00000-a.metadata.json`];
    for (const key of orphans) await lake.store.write(key, new Uint8Array([1]), { kind: 'any' });
    const ours = namesOf(engineRun({ run: RUN, created_at: '' }, lake.store), { name: 'revenue' });
    const stale = `${ours}0123456789abcdef_0_1_out`;
    const others = 'revenue__strata_0123456789abcdef_0_1_out';
    const metadata = await lake.metadata('shop_gold.revenue');
    assert.ok(metadata);
    for (const name of [stale, others])
      await engine.show({ name, metadata, metadataLocation: 'memory://store/gold/x' });
    const kept = (await keysOf(lake, 'gold/shop/revenue/staged/')).filter((key) => !orphans.includes(key));
    assert.equal(kept.length, 1);
    const young = { target: 'shop_gold.revenue', olderThanMs: 100 * 365 * 86_400_000, runId: 'v1' };
    await vacuumTables(lake.deps, young);
    assert.equal((await keysOf(lake, folder)).length, 2, 'what is young stays');
    const { tables } = await vacuumTables(lake.deps, {
      target: 'shop_gold.revenue',
      olderThanMs: 7 * 86_400_000,
      runId: 'v2',
    });
    assert.equal(tables[0]?.files, 2, JSON.stringify(tables));
    assert.deepEqual(await keysOf(lake, 'gold/shop/revenue/staged/'), kept);
    await lake.land('rows', 'b.csv', `id,region,amount,day\n${row(11)}\n`);
    await lake.run({ runId: 'second', select });
    assert.deepEqual([...engine.known.keys()], [others], 'the next run has hidden the table of the killed one alone');
    await assert.doesNotReject(lake.rows('shop_gold.revenue'));
  });
});
