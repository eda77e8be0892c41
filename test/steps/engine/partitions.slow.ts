import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import { append, csv, definePipeline, hour, month, year } from '../../../lib/define/index.ts';
import { createFakeEngine, type Faults } from '../../support/fake-engine.ts';
import { openTestLake, type TestLake } from '../../support/test-lake.ts';

const SQL = { duckdb: 'times.sql', athena: 'times.sql' } as const;
const definition = definePipeline({
  name: 'shop',
  sources: { rows: csv({ columns: { id: 'int', t: 'timestamp' } }) },
  silver: { orders: { from: 'rows', mode: append() } },
  gold: {
    years: { engine: 'athena', sql: SQL, partitionBy: [year('t')], refresh: 'touched' },
    months: { engine: 'athena', sql: SQL, partitionBy: [month('t')], refresh: 'touched' },
    hours: { engine: 'athena', sql: SQL, partitionBy: [hour('t')], refresh: 'touched' },
  },
});
const sql = { 'times.sql': 'SELECT t, count(*) AS n FROM silver.orders o GROUP BY t' };

async function openShop(faults: Faults = {}): Promise<TestLake> {
  const lake = await openTestLake({ name: 'shop', definition, sql });
  const engine = createFakeEngine(lake.deps, faults);
  return lake.reopen((deps) => ({ ...deps, sqlEngine: () => engine }));
}

test('what an engine wrote lies in the partitions of the table, and takes the place of what lay there', async () => {
  const lake = await openShop();
  await lake.land('rows', 'a.csv', 'id,t\n1,2026-01-01 10:30:00\n2,2025-05-05 00:00:00\n3,1969-12-31 23:59:59\n');
  const first = await lake.run({ runId: 'first' });
  assert.equal(first.status, 'SUCCEEDED', first.error?.message);
  await lake.land('rows', 'b.csv', 'id,t\n4,2026-01-01 10:30:00\n');
  const second = await lake.run({ runId: 'second' });
  assert.equal(second.status, 'SUCCEEDED', second.error?.message);
  for (const name of ['years', 'months', 'hours']) {
    assert.equal(second.tables[`shop_gold.${name}`]?.rows_added, 1, name);
    assert.deepEqual(
      await lake.rows(`shop_gold.${name}`, 'SELECT year(t) AS year, n FROM t ORDER BY ALL'),
      [
        { year: 1969, n: 1 },
        { year: 2025, n: 1 },
        { year: 2026, n: 2 },
      ],
      name,
    );
  }
  lake.close();
});

test('what lies in a partition that the engine was not asked for is not adopted', async () => {
  const lake = await openShop({ does: (text) => text.replace(/ AND \(\(.*$/, '') });
  await lake.land('rows', 'a.csv', 'id,t\n1,2026-01-01 10:30:00\n2,2025-05-05 00:00:00\n');
  const select = ['silver.orders', 'gold.years'];
  assert.equal((await lake.run({ runId: 'first', select })).status, 'SUCCEEDED');
  await lake.land('rows', 'b.csv', 'id,t\n3,2026-01-01 10:30:00\n');
  const { status, error } = await lake.run({ runId: 'second', select });
  assert.equal(status, 'FAILED');
  assert.match(
    error?.message ?? '',
    /gold\.years, computed by .*: it is of a partition that the engine was not asked for/,
  );
  lake.close();
});

test('a run of another lake, or of one that was there before, is another to the engine, whatever its id', async () => {
  const begun = new Map<string, string>();
  const rows = [];
  for (const day of [1, 2]) {
    const lake = await openTestLake({ name: 'shop', definition, sql });
    const engine = createFakeEngine(lake.deps);
    // What the engine was asked for before it remembers by its token, as done.
    const start: typeof engine.start = async (statement, token, key) => {
      if (begun.has(token)) return 'done before';
      begun.set(token, statement);
      return engine.start(statement, token, key);
    };
    const look: typeof engine.look = async (id) => (id === 'done before' ? { kind: 'done' } : engine.look(id));
    const clock = { now: () => new Date(Date.UTC(2026, 0, day)) };
    const own = lake.reopen((deps) => ({ ...deps, clock, sqlEngine: () => ({ ...engine, start, look }) }));
    await own.land('rows', 'a.csv', 'id,t\n1,2026-01-01 10:30:00\n');
    await own.run({ runId: 'monthly', select: ['silver.orders', 'gold.months'] });
    rows.push(...(await own.rows('shop_gold.months', 'SELECT n FROM t')));
    lake.close();
  }
  assert.deepEqual(rows, [{ n: 1 }, { n: 1 }]);
  const tables = [...begun.values()].map((text) => /INSERT INTO "fake"\."(\w+)"/.exec(text)?.[1]);
  assert.equal(new Set(tables).size, tables.length);
});

test('a dry run of the id of a run before leaves what the table has', async () => {
  const lake = await openShop();
  const select = ['silver.orders', 'gold.months'];
  await lake.land('rows', 'a.csv', 'id,t\n1,2026-01-01 10:30:00\n');
  assert.equal((await lake.run({ runId: 'a', select })).status, 'SUCCEEDED');
  await lake.land('rows', 'b.csv', 'id,t\n2,2026-01-01 10:30:00\n');
  assert.equal((await lake.run({ runId: 'a', dryRun: true, select })).status, 'DRY_RUN');
  assert.deepEqual(await lake.rows('shop_gold.months', 'SELECT n FROM t'), [{ n: 1 }]);
  lake.close();
});

test('a run does not fail of an engine that is not there for a comparison', async () => {
  const gold = { days: { sql: SQL } };
  const lake = await openTestLake({ name: 'shop', definition: { ...definition, gold }, sql });
  let calls = 0;
  const show = async (): Promise<never> => {
    calls += 1;
    throw new Unavailable('nobody is there for now');
  };
  const engine = { ...createFakeEngine(lake.deps), show };
  const own = lake.reopen((deps) => ({ ...deps, sqlEngine: () => engine }));
  await own.land('rows', 'a.csv', 'id,t\n1,2026-01-01 10:30:00\n');
  const { status, parities } = await own.run({ runId: 'a', shadow: true });
  assert.deepEqual(
    [status, calls, parities?.map(({ equal, error }) => [equal, error])],
    ['SUCCEEDED', 6, [[false, 'nobody is there for now']]],
  );
  assert.deepEqual(await own.rows('shop_gold.days', 'SELECT n FROM t'), [{ n: 1 }]);
  lake.close();
});

test('what an engine says of values is withheld where a pipeline has personal columns, and what it says of the text is not', async () => {
  const cases: readonly (readonly [reason: string, message: RegExp])[] = [
    [
      "INVALID_CAST_ARGUMENT: Cannot cast 'Ana Ruiz' to INT",
      /refuses its text: got what the engine says of it is withheld, since/,
    ],
    [
      "Cannot cast 'column n: got double; expected bigint' to BOOLEAN",
      /refuses its text: got column n: got double; expected bigint \(/,
    ],
    ["COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved", /line 1:8: Column 'x' cannot be resolved/],
    [
      '[CAST_INVALID_INPUT] The value \'Ana Ruiz\' of the type "STRING" cannot be cast',
      /got what the engine says of it is withheld, since/,
    ],
    ['[UNRESOLVED_ROUTINE] Cannot resolve function `f`', /got \[UNRESOLVED_ROUTINE\] Cannot resolve function `f`/],
    ['Access Denied: s3:PutObject', /Access Denied: s3:PutObject/],
  ];
  for (const [reason, message] of cases) {
    const silver = { orders: { from: 'rows', mode: append(), personal: ['id'] } } as const;
    const lake = await openTestLake({ name: 'shop', definition: { ...definition, silver }, sql });
    const engine = createFakeEngine(lake.deps, { look: () => ({ kind: 'refused', reason }) });
    const own = lake.reopen((deps) => ({ ...deps, sqlEngine: () => engine }));
    await own.land('rows', 'a.csv', 'id,t\n1,2026-01-01 10:30:00\n');
    const { error } = await own.run({ runId: 'a', select: ['silver.orders', 'gold.months'] });
    assert.match(error?.message ?? '', message, reason);
    assert.doesNotMatch(error?.message ?? '', /Ana Ruiz/);
    lake.close();
  }
});

test('an engine that takes no statement at all is told of with the model, and nothing is published', async () => {
  const lake = await openTestLake({ name: 'shop', definition, sql });
  const engine = createFakeEngine(lake.deps);
  const start = async () => Promise.reject(new InvalidInput('Trino does not start'));
  const own = lake.reopen((deps) => ({ ...deps, sqlEngine: () => ({ ...engine, start }) }));
  await own.land('rows', 'a.csv', 'id,t\n1,2026-01-01 10:30:00\n');
  const { error } = await own.run({ runId: 'a', select: ['silver.orders', 'gold.months'] });
  assert.match(error?.message ?? '', /InvalidInput: gold\.months: Trino does not start\. Nothing is published/);
  assert.deepEqual([await own.metadata('shop_gold.months'), [...engine.known.keys()]], [undefined, []]);
  lake.close();
});
