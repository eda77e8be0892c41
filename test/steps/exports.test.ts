import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import type { ExportDefinition } from '../../lib/define/exports.ts';
import { csv, definePipeline, upsert } from '../../lib/define/index.ts';
import { listExports } from '../../lib/query/list-exports.ts';
import { reissueExports } from '../../lib/runtime/reissue-exports.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const HEADER = 'id,version,month,name,amount,made\n';
const JANUARY = `${HEADER}1,1,2026-01,Ann,10.50,2026-01-05T10:00:00Z
2,1,2026-01,"=1+1, ""b""",,
9007199254740993,1,2026-01,,0.10,
`;

function shop(bill: ExportDefinition, none: ExportDefinition = {}): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: {
        orders: csv({
          columns: {
            id: { type: 'bigint', required: true },
            version: { type: 'int', required: true },
            month: 'string',
            name: 'string',
            amount: 'decimal(20,2)',
            made: 'timestamptz',
          },
        }),
      },
      silver: {
        orders: { from: 'orders', mode: upsert({ key: 'id', sequence: 'version', deleteWhen: "name = 'GONE'" }) },
      },
      gold: { bill: { sql: 'bill.sql', sortBy: ['month'], export: bill }, none: { sql: 'none.sql', export: none } },
    }),
    sql: {
      'bill.sql': `SELECT id, month, name, amount, [{'d': amount, 'f': 'nan'::DOUBLE, 'b': 'q'::BLOB}] AS parts, made, amount::double AS x
FROM silver.orders`,
      'none.sql': 'SELECT id, name FROM silver.orders WHERE false',
    },
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

async function exported(lake: TestLake): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of lake.store.list('exports/')) keys.push(key.slice('exports/shop/'.length));
  return keys;
}

const STATES = 'SELECT run_id, target, period, key, state, reason, object FROM t ORDER BY run_id, target';

test('a table is written as one object of each kind, in the place of the one before', async () => {
  const bill = { csv: { to: 'out/bill.csv', safe: true }, json: { to: 'bill.jsonl' }, parquet: { to: 'bill.parquet' } };
  const none = { csv: { to: 'none.csv' }, json: { to: 'none.json', layout: 'array' } } as const;
  await withLake(shop(bill, none), async (lake) => {
    await lake.land('orders', 'a.csv', JANUARY);
    const { exports, warnings } = await lake.run({ runId: 'r1' });
    assert.deepEqual(warnings, []);
    const outcome = (model: string, kind: string, to: string) => ({ model, kind, to, states: { WRITTEN: 1 } });
    assert.deepEqual(exports, [
      outcome('gold.bill', 'csv', 'out/bill.csv'),
      outcome('gold.bill', 'json', 'bill.jsonl'),
      outcome('gold.bill', 'parquet', 'bill.parquet'),
      outcome('gold.none', 'csv', 'none.csv'),
      outcome('gold.none', 'json', 'none.json'),
    ]);
    const records = [
      'id,month,name,amount,parts,made,x',
      // JSON has no NaN, no bytes and no decimals, however deep.
      '1,2026-01,Ann,10.50,"[{""d"":""10.50"",""f"":null,""b"":""cQ==""}]",2026-01-05 10:00:00+00,10.5',
      `2,2026-01,"'=1+1, ""b""",,"[{""d"":null,""f"":null,""b"":""cQ==""}]",,`,
      '9007199254740993,2026-01,,0.10,"[{""d"":""0.10"",""f"":null,""b"":""cQ==""}]",,0.1',
    ];
    assert.equal(await text(lake, 'out/bill.csv'), records.map((one) => `${one}\r\n`).join(''));
    assert.equal(
      (await text(lake, 'bill.jsonl')).split('\n')[2],
      '{"id":9007199254740993,"month":"2026-01","name":null,"amount":"0.10","parts":[{"d":"0.10","f":null,"b":"cQ=="}],"made":null,"x":0.1}',
    );
    assert.deepEqual([await text(lake, 'none.csv'), JSON.parse(await text(lake, 'none.json'))], ['id,name\r\n', []]);
    const parquet = (await lake.store.read('exports/shop/bill.parquet')).bytes;
    assert.equal(new TextDecoder('latin1').decode(parquet.slice(0, 4)), 'PAR1');
    const hash = 'SELECT count(*) AS n, count(DISTINCT sha256) AS hashes, count(snapshot_id) AS snapshots FROM t';
    assert.deepEqual(await lake.rows('shop_ops.exports', hash), [{ n: 5, hashes: 5, snapshots: 5 }]);

    await lake.land('orders', 'b.csv', `${HEADER}2,2,2026-01,GONE,,\n`);
    const second = await lake.run({ runId: 'r2' });
    // The other table was computed again, and has the same rows.
    assert.deepEqual(
      second.exports?.map(({ states }) => states),
      [{ WRITTEN: 1 }, { WRITTEN: 1 }, { WRITTEN: 1 }, {}, {}],
    );
    assert.equal(await text(lake, 'out/bill.csv'), [records[0], records[1], records[3], ''].join('\r\n'));
    const latest = (await listExports(lake.deps, 'shop', { model: 'gold.bill' }, 10)).exports;
    assert.deepEqual(new Set(latest.map((row) => row['run_id'])), new Set(['r2']));
    const none = await listExports(lake.deps, 'shop', { model: 'gold.none' }, 10);
    assert.deepEqual(
      none.exports.map((row) => row['run_id']),
      ['r1', 'r1'],
    );
    // An object that somebody else has removed, or replaced, is written again.
    await lake.store.remove('exports/shop/none.csv');
    await lake.land('orders', 'c.csv', `${HEADER}3,1,2026-01,x,,\n`);
    assert.deepEqual((await lake.run({ runId: 'r3' })).exports?.[3]?.states, { WRITTEN: 1 });
    assert.equal(await text(lake, 'none.csv'), 'id,name\r\n');
  });
});

test('a pipeline without exports has no books of them, and no word of them in its result', async () => {
  await withLake(shop({}), async (lake) => {
    await lake.land('orders', 'a.csv', JANUARY);
    assert.equal((await lake.run()).exports, undefined);
    assert.equal(await lake.metadata('shop_ops.exports'), undefined);
    assert.deepEqual(await listExports(lake.deps, 'shop', {}, 10), { pipeline: 'shop', total: 0, exports: [] });
    await assert.rejects(
      reissueExports(lake.deps, { pipeline: 'shop', model: 'gold.bill' }),
      (error) => error instanceof InvalidInput && /no exports of "gold.bill"/.test(error.message),
    );
  });
});

const FILES = {
  files: { name: 'bills/{month}/{id}.txt', period: 'month', text: 'to {name}\namount: {amount} {{EUR}}\n' },
} as const;

test('a row has its file once; what has changed since, and what has no name, is said once', async () => {
  await withLake(shop(FILES), async (lake) => {
    await lake.land('orders', 'a.csv', JANUARY);
    await lake.run({ runId: 'r1' });
    assert.equal(await text(lake, 'bills/2026-01/1.txt'), 'to Ann\namount: 10.50 {EUR}\n');
    assert.equal(await text(lake, 'bills/2026-01/2.txt'), 'to =1+1, "b"\namount:  {EUR}\n');
    assert.equal((await exported(lake)).length, 3);

    // Another amount of 1, a row without a month, one whose month would lead elsewhere, one that is encoded.
    await lake.land('orders', 'b.csv', `${HEADER}1,2,2026-01,Ann,99.00,\n7,1,..,x,,\n8,1,,x,,\n9,1,a/b,x,,\n`);
    await lake.store.write('exports/shop/bills/a%2Fb/9.txt', new TextEncoder().encode('other'), { kind: 'any' });
    const { exports, warnings } = await lake.run({ runId: 'r2' });
    assert.deepEqual(exports?.[0]?.states, { CHANGED_SINCE: 2, REFUSED: 2 });
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? '', /\(2 of bills.* strata exports reissue shop gold\.bill$/);
    const rows = await lake.rows('shop_ops.exports', `SELECT * FROM (${STATES}) WHERE run_id = 'r2'`);
    const no = { run_id: 'r2', object: null, reason: null };
    assert.deepEqual(rows, [
      {
        ...no,
        target: 'bills/../7.txt',
        period: '..',
        key: '7',
        state: 'REFUSED',
        reason: 'its name is no path of a file',
      },
      {
        ...no,
        target: 'bills//8.txt',
        period: null,
        key: '8',
        state: 'REFUSED',
        reason: 'a column of its name is null',
      },
      { ...no, target: 'bills/2026-01/1.txt', period: '2026-01', key: '1', state: 'CHANGED_SINCE' },
      {
        ...no,
        target: 'bills/a%2Fb/9.txt',
        period: 'a/b',
        key: '9',
        state: 'CHANGED_SINCE',
        reason: 'another object is there',
      },
    ]);
    assert.equal(await text(lake, 'bills/2026-01/1.txt'), 'to Ann\namount: 10.50 {EUR}\n');

    // Nothing is said twice; a figure that is as it was again is.
    await lake.land('orders', 'c.csv', `${HEADER}1,3,2026-01,Ann,10.50,\n10,1,2026-02,x,,\n`);
    const third = await lake.run({ runId: 'r3' });
    assert.deepEqual(third.exports?.[0]?.states, { WRITTEN: 1, KEPT: 1, CHANGED_SINCE: 1 });

    // What the warning says helps, also where somebody else's objects have both names.
    await lake.store.write('exports/shop/bills/a%2Fb/9.v2.txt', new TextEncoder().encode('other'), { kind: 'any' });
    const [reissued] = await reissueExports(lake.deps, { pipeline: 'shop', model: 'gold.bill' });
    assert.deepEqual(reissued?.states, { REISSUED: 1 });
    assert.equal(await text(lake, 'bills/a%2Fb/9.v3.txt'), 'to x\namount:  {EUR}\n');
    await lake.land('orders', 'd.csv', `${HEADER}11,1,2026-02,x,,\n`);
    assert.deepEqual((await lake.run({ runId: 'r4' })).exports?.[0]?.states, { WRITTEN: 1 });
  });
});

test('of a period there may be more files than one answer of a store lists, each once', async () => {
  const bills = (first: number, last: number): string =>
    Array.from({ length: last - first + 1 }, (_, n) => `${first + n},1,2026-01,x,1.00,\n`).join('');
  await withLake(shop(FILES), async (lake) => {
    await lake.land('orders', 'a.csv', HEADER + bills(1, 1_100));
    assert.deepEqual((await lake.run({ runId: 'r1' })).exports?.[0]?.states, { WRITTEN: 1_100 });
    await lake.land('orders', 'b.csv', HEADER + bills(1_101, 1_102));
    assert.deepEqual((await lake.run({ runId: 'r2' })).exports?.[0]?.states, { WRITTEN: 2 });
    assert.equal((await exported(lake)).length, 1_102);
  });
});

test('exports are reissued as the table is: objects anew, files of changed rows as the next version', async () => {
  const bill = { ...FILES, csv: { to: 'bill.csv' } };
  await withLake(shop(bill), async (lake) => {
    await lake.land('orders', 'a.csv', JANUARY);
    await lake.run({ runId: 'r1' });
    await lake.land('orders', 'b.csv', `${HEADER}1,2,2026-01,Ann,99.00,\n`);
    await lake.run({ runId: 'r2' });
    await lake.store.remove('exports/shop/bill.csv');
    const reissued = await reissueExports(lake.deps, { pipeline: 'shop', model: 'shop_gold.bill' });
    assert.deepEqual(
      reissued.map(({ kind, states }) => [kind, states]),
      [
        ['csv', { REISSUED: 1 }],
        ['files', { REISSUED: 1 }],
      ],
    );
    const files = [
      'bill.csv',
      ...['1.txt', '1.v2.txt', '2.txt', '9007199254740993.txt'].map((f) => `bills/2026-01/${f}`),
    ];
    assert.deepEqual(await exported(lake), files);
    assert.equal(await text(lake, 'bills/2026-01/1.v2.txt'), 'to Ann\namount: 99.00 {EUR}\n');
    const again = await reissueExports(lake.deps, { pipeline: 'shop', model: 'gold.bill', kind: 'files' });
    assert.deepEqual(again[0]?.states, {});
    const listed = await listExports(lake.deps, 'shop', { state: 'REISSUED' }, 1);
    assert.equal(listed.total, 2);
    assert.equal(listed.exports[0]?.['target'], 'bill.csv');
    // A run after that finds what was reissued.
    await lake.land('orders', 'c.csv', `${HEADER}1,3,2026-01,Ann,99.00,2026-01-06T00:00:00Z\n`);
    assert.deepEqual((await lake.run({ runId: 'r3' })).exports?.[1]?.states, {});
    await assert.rejects(
      reissueExports(lake.deps, { pipeline: 'shop', model: 'gold.bill', kind: 'parquet' }),
      (error) => error instanceof InvalidInput && /no export parquet: expected one of csv, files/.test(error.message),
    );
  });
});

test('a path that is longer than keys of S3 is refused, and the run goes on', async () => {
  await withLake(shop({ files: { name: '{name}/{month}/{name}/{month}/{id}.txt', text: '{id}' } }), async (lake) => {
    const long = 'x'.repeat(240);
    await lake.land('orders', 'a.csv', `${HEADER}1,1,${long},${long},,\n2,1,m,n,,\n`);
    const { status, exports } = await lake.run({ runId: 'r1' });
    assert.deepEqual([status, exports?.[0]?.states], ['SUCCEEDED', { WRITTEN: 1, REFUSED: 1 }]);
    const [row] = await lake.rows('shop_ops.exports', "SELECT * FROM t WHERE state = 'REFUSED'");
    assert.equal(row?.['reason'], 'its name is too long');
  });
});

test('two rows of one name have no file, and a dry run writes nothing', async () => {
  await withLake(shop({ files: { name: '{month}.txt', text: '{id}' } }), async (lake) => {
    await lake.land('orders', 'a.csv', JANUARY);
    assert.equal((await lake.run({ dryRun: true })).exports, undefined);
    assert.deepEqual(await exported(lake), []);
    const { exports } = await lake.run({ runId: 'r1' });
    assert.deepEqual(exports?.[0]?.states, { REFUSED: 1 });
    const [row] = await lake.rows('shop_ops.exports', STATES);
    assert.equal(row?.['reason'], 'another row has the same name');
    assert.deepEqual(await exported(lake), []);
  });
});
