import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  append,
  csv,
  definePipeline,
  full,
  identity,
  query,
  replace,
  rowCount,
  scd2,
  unique,
  upsert,
} from '../../lib/define/index.ts';
import { type Checked, checkTables } from '../../lib/query/check-tables.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const MODES = {
  appended: { mode: append({ dedupe: 'row' }) },
  replaced: { mode: replace(), partitionBy: [identity('kind')] },
  whole: { mode: full() },
  latest: { mode: upsert({ key: 'id', sequence: 'seq', buckets: 1 }) },
  versions: { mode: scd2({ key: 'id', sequence: 'seq', track: ['amount'], buckets: 1 }) },
} as const;

/** The same tables, each with the expectations. */
function shop(expect?: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}): TestPipeline {
  const own = expect === undefined ? {} : { expect };
  const columns = { id: 'int', seq: 'int', amount: 'int', kind: 'string' } as const;
  const silver = Object.entries(MODES).map(([name, table]) => [name, { from: name, ...table, ...own }] as const);
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      vars: { least: { type: 'int', default: 1 } },
      sources: Object.fromEntries(Object.keys(MODES).map((name) => [name, csv({ columns })])),
      silver: { ...Object.fromEntries(silver), ...more },
      gold: { kinds: { sql: 'kinds.sql', ...own } },
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'kinds.sql': 'SELECT id, seq, amount, kind FROM silver.appended' },
  };
}

const ROWS = 'id,seq,amount,kind\n1,10,-5,a\n2,11,7,b\n3,12,-9,a\n';

const EXPECT = {
  positive: 'amount > 0',
  known: { condition: "kind IN ('a', 'b')", policy: 'warn' },
  one_kind: { ...unique('kind'), policy: 'warn' },
  one_id: unique('id'),
  many: rowCount({ min: 5, max: 9 }),
  none_below: query('select id, amount from this where amount < -8', { policy: 'warn' }),
  numeric: { condition: "CASE kind WHEN 'b' THEN true ELSE CAST(kind AS INT) > 0 END", policy: 'warn' },
  counted: query('select id from this where CAST(kind AS INT) > 0', { policy: 'warn' }),
  least: "amount >= var('least')",
};

let lake: TestLake;
before(async () => {
  lake = await openTestLake(shop());
  for (const source of Object.keys(MODES)) await lake.land(source, 'a.csv', ROWS);
  await lake.run({ runId: 'first' });
});
after(() => lake.close());

async function check(
  pipeline: TestPipeline,
  asked: Parameters<typeof checkTables>[2] = {},
): Promise<readonly Checked[]> {
  const spec = await compileTest(pipeline, lake.scratch);
  return checkTables({ ...lake.deps, specs: async () => spec }, 'shop', asked);
}

const told = (checked: readonly Checked[]): unknown =>
  checked.map(({ expectation, status, offending }) => [expectation, status, offending]);

describe('expectations on tables as they are', () => {
  const tables = [...Object.keys(MODES).map((name) => `silver.${name}`), 'gold.kinds'];
  for (const model of tables) {
    test(`of ${model}: all that fail are told, with rows`, async () => {
      const checked = await check(shop(EXPECT), { select: [model] });
      const invariant = { 'silver.latest': 'one row for each key', 'silver.versions': 'versions follow each other' };
      assert.deepEqual(told(checked), [
        ['positive', 'fails', 2],
        ['known', 'holds', 0],
        ['one_kind', 'fails', 1],
        ['one_id', 'holds', 0],
        ['many', 'fails', 1],
        ['none_below', 'fails', 1],
        ['numeric', 'fails', 2],
        ['counted', 'error', null],
        ['least', 'fails', 2],
        ...Object.entries(invariant).flatMap(([id, name]) => (id === model ? [[name, 'holds', 0]] : [])),
      ]);
      const [positive, , oneKind, , many, below, numeric, counted] = checked;
      const offending = positive?.sample
        .map(({ id, amount }) => ({ id, amount }))
        .sort((a, b) => Number(a.id) - Number(b.id));
      assert.deepEqual(offending, [
        { id: 1, amount: -5 },
        { id: 3, amount: -9 },
      ]);
      assert.equal(
        positive?.sample.some((row) => '_row_hash' in row),
        false,
      );
      assert.deepEqual(oneKind?.sample, [{ kind: 'a', rows: 2 }]);
      assert.deepEqual(many?.sample, [{ rows: 3 }]);
      assert.deepEqual(below?.sample, [{ id: 3, amount: -9 }]);
      assert.deepEqual(numeric?.sample.map(({ id }) => Number(id)).sort(), [1, 3]);
      assert.match(counted?.error ?? '', /expectation counted: .*[ab]/);
      assert.deepEqual(
        [positive?.table, positive?.policy],
        [model.replace('silver', 'shop_silver').replace('gold', 'shop_gold'), 'fail'],
      );
    });
  }

  test('values of variables are those that are given', async () => {
    const checked = await check(shop({ least: "amount >= var('least')" }), {
      select: ['whole'],
      vars: { least: '-5' },
    });
    assert.deepEqual(told(checked), [['least', 'fails', 1]]);
  });

  test('of a table that is not there are said so, and of columns that it has yet to get hold', async () => {
    const later = { later: { from: 'whole', mode: full(), expect: { positive: 'amount > 0' } } };
    assert.deepEqual(told(await check(shop(undefined, later), { select: ['later'] })), [
      ['positive', 'no table', null],
    ]);
    const wider = { whole: { from: 'whole', mode: full(), sql: 'wide.sql', expect: { some: 'more > 0' } } };
    const pipeline = shop(undefined, wider);
    const sql = { ...pipeline.sql, 'wide.sql': 'SELECT *, 1 AS more FROM batch.whole' };
    assert.deepEqual(told(await check({ ...pipeline, sql }, { select: ['whole'] })), [['some', 'holds', 0]]);
  });

  test('change nothing', async () => {
    const keys = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for await (const one of lake.store.list('')) found.push(`${one.key} ${one.etag}`);
      return found;
    };
    const as = await keys();
    await check(shop(EXPECT));
    assert.deepEqual(await keys(), as);
  });
});

test('a keyed table that others have broken breaks its invariant', async () => {
  const columns = { id: 'int', seq: 'int', valid_from: 'int', valid_to: 'int', is_current: 'boolean' } as const;
  const broken = (mode: object, names: object): TestPipeline => ({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { rows: csv({ columns: names as typeof columns }) },
      silver: { rows: { from: 'rows', mode } },
    } as Parameters<typeof definePipeline>[0]),
  });
  const own = await openTestLake(broken(append(), columns));
  await own.land(
    'rows',
    'a.csv',
    'id,seq,valid_from,valid_to,is_current\n1,1,1,,true\n1,2,2,,true\n2,1,1,5,false\n2,3,3,,true\n3,1,1,2,false\n',
  );
  await own.run();
  const { id, seq } = columns;
  for (const [mode, expected] of [
    [scd2({ key: 'id', sequence: 'seq' }), [['versions follow each other', 'fails', 2]]],
    [upsert({ key: 'id', sequence: 'seq' }), [['one row for each key', 'fails', 2]]],
  ] as const) {
    const spec = await compileTest(broken(mode, { id, seq }), own.scratch);
    const checked = await checkTables({ ...own.deps, specs: async () => spec }, 'shop');
    assert.deepEqual(told(checked), expected);
    assert.equal(checked[0]?.sample.length, 2);
  }
  own.close();
});
