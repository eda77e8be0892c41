import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EngineError, InvalidInput } from '../../lib/core/errors.ts';
import type { Row } from '../../lib/ports.ts';
import { listRuns } from '../../lib/query/list-runs.ts';
import { firstRows, queryRows, withQuery } from '../../lib/query/select.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';
import { ORDERS, PRICES, SHOP } from './shop.ts';

let lake: TestLake;

before(async () => {
  lake = await openTestLake(SHOP);
  await lake.land('orders', 'a.csv', `${ORDERS}1,x,1.10\n2,y,2.20\nbad,y,1\n`);
  await succeed('r1');
  await lake.land('prices', 'p.csv', `${PRICES}x,9.99\n`);
  await succeed('r2');
  await lake.land('orders', 'b.csv', `${ORDERS}3,x,3.30\n`);
  await succeed('r3');
});
after(() => lake.close());

async function succeed(runId: string): Promise<void> {
  const { status, error } = await lake.run({ runId });
  assert.equal(status, 'SUCCEEDED', error?.message);
}

function ask(sql: string, asOf?: string): Promise<readonly Row[]> {
  return withQuery(lake.deps, { sql, ...(asOf === undefined ? {} : { asOf }) }, async (result) => {
    const rows: Row[] = [];
    for await (const page of result.pages()) rows.push(...page);
    assert.equal(rows.length, result.rows);
    return rows;
  });
}

const ANSWERS: readonly (readonly [string, readonly Row[]])[] = [
  ['SELECT id, kind, amount FROM shop_silver.orders ORDER BY id DESC LIMIT 1', [{ id: 3, kind: 'x', amount: '3.30' }]],
  [
    'FROM shop_gold.totals ORDER BY kind;',
    [
      { kind: 'x', amount: '4.40' },
      { kind: 'y', amount: '2.20' },
    ],
  ],
  ['SELECT count(*) AS n FROM "SHOP_SILVER"."Orders" o JOIN shop_gold.totals t USING (kind)', [{ n: 3 }]],
  ['WITH totals AS (SELECT 1 AS a) SELECT * FROM totals -- not the table', [{ a: 1 }]],
  ['SELECT 1 AS a, 2 AS a, 3 AS a', [{ a: 1, a_1: 2, a_2: 3 }]],
  ['SELECT 1 AS a WHERE false', []],
  ['SELECT source, codes FROM shop_ops.quarantine', [{ source: 'orders', codes: ['TYPE_ERROR'] }]],
  [
    "SELECT 9007199254740993 AS l, 0.1::DECIMAL(38,20) AS d, NULL AS n, '' AS t",
    [{ l: '9007199254740993', d: '0.10000000000000000000', n: null, t: '' }],
  ],
  ['SELECT column_name FROM (SUMMARIZE shop_gold.totals)', [{ column_name: 'kind' }, { column_name: 'amount' }]],
];

/** What a query may not name, and what the message has to hold. */
const OUTSIDE: readonly (readonly [string, RegExp])[] = [
  ["FROM '/etc/passwd'", /unknown table \/etc\/passwd/],
  ["FROM 'a.csv'", /unknown table/],
  ["FROM read_csv('/etc/passwd')", /line 1, column 6: got the table function read_csv/],
  ["SELECT (SELECT content FROM read_text('/etc/passwd'))", /read_text/],
  ["WITH a AS (FROM read_blob('/etc/passwd')) FROM a", /read_blob/],
  ["SELECT 1 UNION ALL SELECT count(*) FROM glob('/etc/*')", /glob/],
  ["FROM shop_silver.orders WHERE EXISTS (FROM parquet_scan('x'))", /parquet_scan/],
  ["FROM sniff_csv('/etc/passwd')", /sniff_csv/],
  ['FROM duckdb_secrets()', /duckdb_secrets/],
  ["FROM query('SELECT 1')", /the table function query/],
  ["SELECT current_setting('temp_directory')", /the function current_setting/],
  ['FROM duckdb_settings', /unknown table duckdb_settings/],
  ['FROM information_schema.tables', /unknown table/],
  ["DESCRIBE FROM read_csv('/etc/passwd')", /read_csv/],
  ["SUMMARIZE '/etc/passwd'", /unknown table/],
  ["COPY (SELECT 1) TO 'x.csv'", /no SELECT/],
  ["ATTACH 'x.db'", /no SELECT/],
  ['SET threads = 1', /no SELECT/],
  ['INSTALL httpfs', /no SELECT/],
  ["EXPORT DATABASE 'x'", /no SELECT/],
];

describe('a query reads the lake and nothing else', () => {
  for (const [sql, got] of OUTSIDE) {
    test(sql, async () => {
      const refused = (error: unknown): boolean => error instanceof InvalidInput && got.test(error.message);
      await assert.rejects(ask(sql), refused);
    });
  }
});

describe('a query', () => {
  for (const [sql, rows] of ANSWERS) test(sql, async () => assert.deepEqual(await ask(sql), rows));

  test('DESCRIBE and SUMMARIZE of a table are queries', async () => {
    assert.deepEqual(
      (await ask('DESCRIBE shop_gold.totals')).map((row) => row['column_name']),
      ['kind', 'amount'],
    );
    assert.equal((await ask('SUMMARIZE shop_gold.totals;')).length, 2);
  });

  test('a result of many pages is whole and in order', async () => {
    const rows = await ask('SELECT 45000 - i AS n FROM range(45000) t(i) ORDER BY n DESC');
    assert.deepEqual(
      rows.map((row) => row['n']),
      Array.from({ length: 45_000 }, (_, at) => 45_000 - at),
    );
  });

  test('columns are known without a row', async () => {
    const columns = await withQuery(
      lake.deps,
      { sql: 'SELECT id, amount FROM shop_silver.orders WHERE false' },
      (result) => Promise.resolve(result.columns),
    );
    assert.deepEqual(columns, [
      { name: 'id', type: 'BIGINT' },
      { name: 'amount', type: 'DECIMAL(10,2)' },
    ]);
  });
});

const REFUSED: readonly (readonly [string, RegExp])[] = [
  [
    'SELECT * FROM shop_gold.total',
    /line 1, column 15: got unknown table shop_gold\.total; .*did you mean shop_gold\.totals\?/,
  ],
  ['SELECT *\nFROM totals', /line 2, column 6: got unknown table totals; .*did you mean shop_gold\.totals\?/],
  ['FROM a.b JOIN c.d USING (x)', /unknown table a\.b.*\n.*unknown table c\.d/],
  ['SELECT 1; SELECT 2', /got 2 statements; expected one SELECT/],
  ['', /got no statement/],
  ['DROP TABLE shop_gold.totals', /got a statement that is no SELECT/],
  ['INSERT INTO shop_gold.totals VALUES (1)', /got a statement that is no SELECT/],
  ["COPY (SELECT 1) TO '/tmp/strata-must-not-be'", /got a statement that is no SELECT/],
  ['SHOW TABLES', /strata tables lists the tables/],
  ['SELECT amont FROM shop_gold.totals', /line 1, column 8: got .*"amont" not found.*did you mean "amount"\?/],
  ['SELECT 1 +', /line 1, column 11: got syntax error/],
  ['SELECT * FROM memory.shop_gold.totals', /unknown table memory\.shop_gold\.totals/],
];

describe('a query that cannot run is wrong use', () => {
  for (const [sql, message] of REFUSED) {
    test(JSON.stringify(sql), async () => {
      await assert.rejects(ask(sql), (error) => {
        assert.ok(error instanceof InvalidInput, String(error));
        assert.match(error.message, message);
        return true;
      });
    });
  }

  test('a query that fails on the data is not', async () => {
    await assert.rejects(ask('SELECT CAST(kind AS INT) FROM shop_gold.totals'), (error) => {
      assert.ok(error instanceof EngineError);
      assert.match(error.message, /^query: Conversion Error: Could not convert string/);
      assert.doesNotMatch(error.message, /CREATE/);
      return true;
    });
  });
});

const TOTAL = 'SELECT sum(amount) AS s, (SELECT count(*) FROM shop_silver.prices) AS prices FROM shop_silver.orders';

describe('as of', () => {
  test('a run: what it wrote, and the rest as it was then', async () => {
    assert.deepEqual(await ask('SELECT sum(amount) AS s FROM shop_silver.orders', 'r1'), [{ s: '3.30' }]);
    await assert.rejects(ask(TOTAL, 'r1'), /shop_silver\.prices had no snapshot as of r1; its first is of/);
    assert.deepEqual(await ask(TOTAL, 'r2'), [{ s: '3.30', prices: 1 }]);
    assert.deepEqual(await ask(TOTAL, 'r3'), [{ s: '6.60', prices: 1 }]);
    assert.deepEqual(await ask(TOTAL), [{ s: '6.60', prices: 1 }]);
  });

  test('a snapshot, and the time of one', async () => {
    const [first] = (await lake.metadata('shop_silver.orders'))?.snapshots ?? [];
    assert.ok(first);
    const sql = 'SELECT count(*) AS n FROM shop_silver.orders';
    assert.deepEqual(await ask(sql, String(first['snapshot-id'])), [{ n: 2 }]);
    const time = new Date(Number(first['timestamp-ms']));
    assert.deepEqual(await ask(sql, time.toISOString()), [{ n: 2 }]);
    await assert.rejects(
      ask(sql, new Date(time.getTime() - 1).toISOString()),
      /had no snapshot as of .*its first is of/,
    );
  });

  test('something unknown', async () => {
    await assert.rejects(ask(TOTAL, 'r9'), /--as-of: got "r9"/);
  });
});

test('runs come newest first, of all pipelines or of one', async () => {
  const ids = (await listRuns(lake.deps)).map((run) => [run['pipeline'], run['run_id'], run['status']]);
  assert.deepEqual(ids, [
    ['shop', 'r3', 'SUCCEEDED'],
    ['shop', 'r2', 'SUCCEEDED'],
    ['shop', 'r1', 'SUCCEEDED'],
  ]);
  assert.equal((await listRuns(lake.deps, 'shop')).length, 3);
  assert.deepEqual(await listRuns(lake.deps, 'other'), []);
});

test('all rows, or the first', async () => {
  assert.equal((await queryRows(lake.deps, 'FROM shop_silver.orders')).length, 3);
  assert.equal((await firstRows(lake.deps, { pipeline: 'shop', layer: 'silver', name: 'orders' }, 2)).length, 2);
});
