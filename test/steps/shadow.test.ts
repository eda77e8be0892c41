import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Parity } from '../../lib/core/parity.ts';
import type { GoldModel } from '../../lib/core/spec.ts';
import { append, csv, definePipeline, identity, unique } from '../../lib/define/index.ts';
import { parityOf } from '../../lib/lake/compare/parity.ts';
import type { Session } from '../../lib/ports.ts';
import { createSide, FROM, TO } from '../../lib/sql/diff/relations.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { createTestEngine, readingSession } from '../support/test-engine.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

/** Each text beside `select *`, and in how many rows it differs: without a key, and by the key `id`. */
const TEXTS: Readonly<Record<string, readonly [sql: string, alone: number, byKey: number]>> = {
  same: ['select id, country, amount, score from silver.orders order by id desc', 0, 0],
  one_decimal: [
    'select * replace (case id when 2 then 2.51 else amount end::decimal(12,2) as amount) from silver.orders',
    2,
    1,
  ],
  one_less: ['select * from silver.orders where id <> 3', 1, 1],
  one_more: ["select * from silver.orders union all select 9, 'DE', 0, 0", 1, 1],
  twice: ['select * from silver.orders union all select * from silver.orders where id = 1', 1, 1],
  zero_for_null: ['select * replace (coalesce(score, 0) as score) from silver.orders', 2, 1],
  negative_zero: ['select * replace (case id when 4 then -score else score end as score) from silver.orders', 0, 0],
  nan_for_null: ["select * replace (coalesce(score, 'nan'::double) as score) from silver.orders", 2, 1],
  null_for_nan: [
    'select * replace (case when isnan(score) then null else score end as score) from silver.orders',
    2,
    1,
  ],
  none: ['select * from silver.orders where false', 5, 5],
  swapped: ['select * replace (case id when 1 then 2 when 2 then 1 else id end as id) from silver.orders', 4, 2],
};
const NAMES = Object.keys(TEXTS);
const FAILING = "select * replace (error('no such luck')::varchar as country) from silver.orders";
const SQL = {
  'current.sql': 'select * from silver.orders',
  'failing.sql': FAILING,
  ...Object.fromEntries(NAMES.map((name) => [`${name}.sql`, TEXTS[name]?.[0] ?? ''])),
};
const sql = Object.fromEntries(['current', ...NAMES, 'failing'].map((name) => [name, `${name}.sql` as const] as const));

/** Those that are compared by key as well. */
const KEYED = ['one_decimal', 'twice', 'swapped'];
const some = Object.fromEntries(['current', ...KEYED].map((name) => [name, `${name}.sql` as const] as const));

const definition = definePipeline({
  name: 'shop',
  sources: { orders: csv({ columns: { id: 'bigint', country: 'string', amount: 'decimal(12,2)', score: 'double' } }) },
  silver: { orders: { from: 'orders', mode: append() } },
  gold: { revenue: { sql }, keyed: { sql: some, expect: { once: unique('id') } }, total: { sql: 'total.sql' } },
});

const ROWS = 'id,country,amount,score\n1,AT,10.00,0.5\n2,AT,2.50,1\n3,DE,4.00,\n4,DE,1.00,0\n5,DE,1.00,NaN\n';

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

async function openShop(shop: unknown = definition, texts: Readonly<Record<string, string>> = {}): Promise<TestLake> {
  const given = { ...SQL, 'total.sql': 'select count(*) as n from silver.orders', ...texts };
  const lake = await openTestLake({ name: 'shop', definition: shop, sql: given });
  opened.push(lake);
  await lake.land('orders', '1.csv', ROWS);
  return lake;
}

function parityNamed(parities: readonly Parity[] | undefined, model: string, right: string): Parity {
  const found = parities?.find((one) => one.model === model && one.right === right);
  assert.ok(found, `${model} ${right}`);
  return found;
}

describe('a run that compares texts of models', () => {
  let lake: TestLake;
  let parities: readonly Parity[] | undefined;
  before(async () => {
    lake = await openShop();
    const result = await lake.run({ runId: 'first', shadow: true });
    assert.equal(result.status, 'SUCCEEDED');
    assert.deepEqual(
      Object.keys(result.tables),
      ['silver.orders', 'gold.revenue', 'gold.keyed', 'gold.total'].map((id) => `shop_${id}`),
    );
    parities = result.parities;
  });

  for (const name of NAMES) {
    test(`tells how many rows differ: ${name}`, () => {
      const [alone, byKey] = TEXTS[name]?.slice(1) ?? [];
      const rows = parityNamed(parities, 'gold.revenue', name);
      assert.deepEqual(
        [rows.differing, rows.equal, rows.error, rows.rows, rows.keys],
        [alone, alone === 0, null, 5, null],
      );
      if (!KEYED.includes(name)) return;
      const keyed = parityNamed(parities, 'gold.keyed', name);
      assert.deepEqual([keyed.differing, keyed.equal, keyed.error, keyed.rows, keyed.keys], [byKey, false, null, 5, 5]);
    });
  }

  test('keeps figures, texts and snapshots of both in the book, and publishes the first', async () => {
    const rows = await lake.rows(
      'shop_ops.parity',
      `SELECT * FROM t WHERE model = 'gold.keyed' AND "right" = 'one_decimal'`,
    );
    const found = parityNamed(parities, 'gold.keyed', 'one_decimal');
    assert.deepEqual(rows, [
      {
        run_id: 'first',
        model: 'gold.keyed',
        left: 'current',
        right: 'one_decimal',
        rows: 5,
        keys: 5,
        sums: '{"id":["15","15"],"amount":["18.50","18.51"],"score":["nan","nan"]}',
        differing: 1,
        digest: found.digest,
        equal: false,
        right_rows: 5,
        left_text: found.left_text,
        right_text: found.right_text,
        error: null,
        compared_at: rows[0]?.['compared_at'],
      },
    ]);
    assert.match(found.digest, /^[0-9a-f]{64}$/);
    assert.notEqual(found.left_text, found.right_text);
    assert.equal(parityNamed(parities, 'gold.revenue', 'none').right_rows, 0);
    assert.deepEqual(await lake.rows('shop_gold.revenue', 'SELECT sum(amount) AS a, count(*) AS n FROM t'), [
      { a: '18.50', n: 5 },
    ]);
  });

  test('goes on where a text fails, and says why', async () => {
    const failed = parityNamed(parities, 'gold.revenue', 'failing');
    assert.deepEqual([failed.equal, failed.rows, failed.differing, failed.sums], [false, null, null, {}]);
    assert.match(failed.error ?? '', /no such luck/);
  });

  test('compares again where nothing is new, writes no table, and binds what it found to what was read', async () => {
    const small = await openShop({
      ...definition,
      gold: { keyed: { sql: { current: 'current.sql', same: 'same.sql' } }, total: definition.gold?.['total'] },
    });
    const first = await small.run({ runId: 'first', shadow: true });
    const before = await small.metadata('shop_gold.keyed');
    const again = await small.run({ runId: 'again', shadow: true });
    assert.deepEqual(again.tables, {});
    const [one, other] = [first, again].map((run) => parityNamed(run.parities, 'gold.keyed', 'same'));
    assert.deepEqual(one, other);
    assert.equal((await small.metadata('shop_gold.keyed'))?.['current-snapshot-id'], before?.['current-snapshot-id']);
    await small.land('orders', '2.csv', 'id,country,amount,score\n6,FR,0.01,2\n');
    assert.equal((await small.run({ runId: 'plain' })).parities, undefined);
    const third = parityNamed((await small.run({ runId: 'third', shadow: true })).parities, 'gold.keyed', 'same');
    assert.deepEqual([third.equal, third.rows, third.digest === one?.digest], [true, 6, false]);
    const runs = await small.rows('shop_ops.parity', 'SELECT run_id FROM t ORDER BY run_id');
    assert.deepEqual(
      runs.map((row) => row['run_id']),
      ['again', 'first', 'third'],
    );
    // As workers leave marks that end without a word.
    for (const nth of [1, 2, 3]) {
      const key = `ops/shop/_runs/died/level-2/attempts/shadow-gold.keyed-same-${nth}`;
      await small.store.write(key, new TextEncoder().encode('{"boot":""}'), { kind: 'any' });
    }
    const died = await small.run({ runId: 'died', shadow: true });
    assert.equal(died.status, 'SUCCEEDED');
    assert.match(
      parityNamed(died.parities, 'gold.keyed', 'same').error ?? '',
      /workers have ended at it without an answer/,
    );
    const { error } = await small.run({ shadow: true, select: ['gold.total'] });
    assert.match(error?.message ?? '', /--shadow: no gold model of shop .* has several texts/);
  });

  test('compares all of a table of which it computes some partitions', async () => {
    const gold = {
      days: { sql: { current: 'a.sql', candidate: 'b.sql' }, partitionBy: [identity('country')], refresh: 'touched' },
    };
    const touched = await openShop(
      { ...definition, gold },
      {
        'a.sql': 'select country, sum(amount) as amount from silver.orders group by country',
        'b.sql':
          "select country, sum(case country when 'AT' then amount + 1 else amount end)::decimal(38,2) as amount from silver.orders group by country",
      },
    );
    await touched.run();
    await touched.land('orders', '2.csv', 'id,country,amount,score\n6,DE,0.01,2\n');
    const { parities: found } = await touched.run({ shadow: true });
    assert.deepEqual(
      [parityNamed(found, 'gold.days', 'candidate').rows, parityNamed(found, 'gold.days', 'candidate').differing],
      [2, 2],
    );
  });
});

describe('equal', () => {
  let session: Session;
  before(async () => {
    session = await createTestEngine().open({ ...readingSession(), folders: undefined });
  });
  after(() => session[Symbol.asyncDispose]());

  const columns = [
    { name: 'a', type: { kind: 'bigint' } },
    { name: 'b', type: { kind: 'decimal', precision: 6, scale: 2 } },
  ] as const;
  const value = fc.constantFrom(null, -1, 0, 1);
  const cell = fc.tuple(value, fc.constantFrom(null, '-0.01', '0.00', '0.01', '10.00'));
  const table = fc.array(cell, { maxLength: 5 });
  const model = (expect: readonly unknown[]) => ({ id: 'gold.x', expect, layer: 'gold' }) as unknown as GoldModel;
  const once = { kind: 'unique', columns: ['a'], name: 'once', policy: 'fail' };

  test('is said exactly where the sorted rows are', async () => {
    await fc.assert(
      fc.asyncProperty(table, table, fc.boolean(), fc.boolean(), async (left, other, shuffled, keyed) => {
        const right = shuffled ? [...left].reverse() : other;
        for (const name of ['__from_once', '__to_once', '__from_twice', '__to_twice', '__from', '__to'])
          await session.run({ name: 'drop', text: userSql(`DROP VIEW IF EXISTS ${name}`) });
        await session.run({ name: 'drop', text: userSql('DROP TABLE IF EXISTS __twice') });
        for (const [name, rows] of [
          [FROM, left],
          [TO, right],
        ] as const) {
          const values = [...rows, [null, null]].map(([a, b]) => `(${a}::bigint, ${b}::decimal(6,2))`).join();
          const select = userSql(`(SELECT * FROM (VALUES ${values}) v(a, b) LIMIT ${rows.length})`);
          await session.run(
            createSide(
              name,
              columns.map((column) => ({ ...column, as: column.type })),
              select,
            ),
          );
        }
        const found = await parityOf(session, model(keyed ? [once] : []), columns);
        const sorted = (rows: typeof left): readonly string[] => rows.map((row) => JSON.stringify(row)).sort();
        assert.equal(found.equal, JSON.stringify(sorted(left)) === JSON.stringify(sorted(right)));
        assert.deepEqual([found.rows, found.right_rows], [left.length, right.length]);
        assert.equal(found.keys, keyed ? new Set(left.map(([a]) => a)).size : null);
      }),
      { numRuns: 60 },
    );
  });
});
