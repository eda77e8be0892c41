import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { append, csv, day, definePipeline, identity, unique, upsert } from '../../lib/define/index.ts';
import { diagnoseSource } from '../../lib/query/diagnosis/diagnose-source.ts';
import { diagnoseTable } from '../../lib/query/diagnosis/diagnose-table.ts';
import { findTable } from '../../lib/query/find-table.ts';
import { recordDiagnosis } from '../../lib/runtime/record-diagnosis.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const shop = definePipeline({
  name: 'shop',
  sources: {
    people: csv({
      columns: {
        email: { type: 'string', required: true, personal: true },
        person: { type: 'bigint', required: true },
        seen: { type: 'date', required: true },
      },
    }),
    orders: csv({
      columns: { id: { type: 'bigint', required: true }, person: 'bigint', amount: 'decimal(10,2)', made: 'timestamp' },
    }),
  },
  silver: {
    people: {
      from: 'people',
      mode: upsert({ key: 'person', sequence: 'seen', buckets: 2 }),
      expect: { one: unique('email') },
    },
    orders: {
      from: 'orders',
      sql: 'orders.sql',
      mode: append({ dedupe: { key: 'id' } }),
      partitionBy: [day('made')],
    },
  },
  gold: { total: { sql: 'total.sql', expect: { one: unique('person') } } },
});

const ORDERS = `SELECT id, orders.person, amount, made, people.seen FROM batch.orders AS orders
  LEFT JOIN silver.people AS people ON people.person = orders.person`;

let lake: TestLake;

before(async () => {
  const sql = {
    'orders.sql': ORDERS,
    'total.sql': 'SELECT person, count(*) AS orders FROM silver.orders GROUP BY person',
  };
  lake = await openTestLake({ name: 'shop', definition: shop, sql });
  await lake.land('people', 'people.csv', 'email,person,seen\na@x,1,2026-01-01\nb@x,2,2026-01-02\nb@x,2,2026-01-03\n');
  // Person 1 has 60 of 100 orders; the tenth of each ten has no amount, and one is none.
  const rows = Array.from({ length: 100 }, (_, n) => {
    const person = n < 60 ? 1 : 100 + n;
    return `${n},${person},${n % 10 === 9 ? '' : n},2026-01-0${n < 90 ? 1 : 2}T10:00:00`;
  });
  await lake.land(
    'orders',
    'day=1/a.csv',
    ['id,person,amount,made', ...rows.slice(0, 90), 'x,1,1,2026-01-01', ''].join('\n'),
  );
  await lake.land('orders', 'day=2/b.csv', ['id,person,amount,made', ...rows.slice(90), ''].join('\n'));
  await lake.land('orders', 'day=2/c.csv', 'id,other\n1,2\n');
  await lake.run();
});
after(() => lake.close());

const deps = (hidesPersonal = true) => ({ ...lake.deps, hidesPersonal });

test('a source, by the rows that its contract accepts', async () => {
  const found = await diagnoseSource(deps(), await lake.deps.specs('shop'), 'orders');
  const { keys, sample, at, bytes, partitions, ...rest } = found;
  assert.deepEqual(rest, {
    name: 'shop.orders',
    kind: 'source',
    rows: 100,
    rejected: 1,
    unreadable: 1,
    files: 3,
    schema: [
      // There are 100, 41, 90 and 2: the estimate of this release of DuckDB is the same whenever it is asked for.
      { name: 'id', type: 'bigint', nulls: 0, null_percent: 0, distinct_estimate: 98 },
      { name: 'person', type: 'bigint', nulls: 0, null_percent: 0, distinct_estimate: 41 },
      { name: 'amount', type: 'decimal(10,2)', nulls: 10, null_percent: 10, distinct_estimate: 90 },
      { name: 'made', type: 'timestamp', nulls: 0, null_percent: 0, distinct_estimate: 2 },
    ],
    days: {
      column: 'made',
      volumes: [
        { day: '2026-01-01', rows: 90 },
        { day: '2026-01-02', rows: 10 },
      ],
    },
  });
  assert.ok(!Number.isNaN(Date.parse(at)));
  assert.deepEqual(
    partitions.map(({ partition, files, bytes, mean_bytes, small }) => [partition, files, bytes === mean_bytes, small]),
    [
      ['day=1', 1, true, true],
      ['day=2', 2, false, true],
    ],
  );
  assert.equal(
    bytes,
    partitions.reduce((sum, one) => sum + one.bytes, 0),
  );
  // By the key that its table is deduplicated by, and the one by which that joins.
  assert.deepEqual(
    keys.map(({ column, distinct, buckets }) => [column, distinct, buckets]),
    [
      ['id', 100, 16],
      ['person', 41, 16],
    ],
  );
  assert.equal(keys[0]?.hot, null);
  assert.deepEqual(keys[1]?.hot, { value: '1', rows: 60, percent: 60 });
  assert.deepEqual(keys[1]?.top.slice(0, 3), [
    { value: '1', rows: 60, percent: 60 },
    { value: '160', rows: 1, percent: 1 },
    { value: '161', rows: 1, percent: 1 },
  ]);
  assert.equal(keys[1]?.top.length, 10);
  // 60 of 100 rows and a few more in one of 16 buckets.
  assert.ok(Number(keys[1]?.skew) >= 9.6 && Number(keys[1]?.skew) < 11.2, String(keys[1]?.skew));
  assert.equal(sample.length, 10);
  assert.deepEqual(Object.keys(sample[0] ?? {}), ['id', 'person', 'amount', 'made']);
});

test('a table, by the partitions of its files', async () => {
  const spec = await lake.deps.specs('shop');
  const found = await diagnoseTable(deps(), await findTable(lake.deps.catalog, 'shop_silver.orders'), spec);
  assert.deepEqual(
    [found.name, found.kind, found.rows, found.rejected, found.files],
    ['shop_silver.orders', 'table', 100, 0, 2],
  );
  assert.deepEqual(
    found.partitions.map(({ partition, files }) => [partition, files]),
    [
      ['made_day=2026-01-01', 1],
      ['made_day=2026-01-02', 1],
    ],
  );
  assert.deepEqual(found.days?.volumes, [
    { day: '2026-01-01', rows: 90 },
    { day: '2026-01-02', rows: 10 },
  ]);
  assert.deepEqual(found.schema.map(({ name, nulls }) => [name, nulls]).at(-1), ['seen', 40]);
  assert.deepEqual(
    found.keys.map(({ column }) => column),
    ['id', 'person'],
  );
  const gold = await diagnoseTable(deps(), await findTable(lake.deps.catalog, 'shop_gold.total'), spec);
  assert.deepEqual(
    [gold.keys.map(({ column }) => column), gold.days, gold.partitions[0]?.partition],
    [['person'], null, ''],
  );
  // Without its pipeline: what the table itself says.
  const alone = await diagnoseTable(deps(), await findTable(lake.deps.catalog, 'shop_silver.orders'));
  assert.deepEqual([alone.keys, alone.days?.column, alone.rows], [[], 'made', 100]);
});

test('personal columns are masked, also as values of a key, and counted all the same', async () => {
  const spec = await lake.deps.specs('shop');
  const table = await findTable(lake.deps.catalog, 'shop_silver.people');
  const hidden = await diagnoseTable(deps(), table, spec);
  const shown = await diagnoseTable(deps(false), table, spec);
  const emails = ({ keys }: typeof hidden) =>
    keys.find(({ column }) => column === 'email')?.top.map(({ value }) => value);
  assert.deepEqual(emails(hidden), ['***', '***']);
  assert.deepEqual(emails(shown), ['a@x', 'b@x']);
  assert.deepEqual(
    hidden.sample.map(({ email }) => email),
    ['***', '***'],
  );
  assert.deepEqual(shown.sample.map(({ email }) => email).sort(), ['a@x', 'b@x']);
  assert.deepEqual(hidden.schema[0], {
    name: 'email',
    type: 'string',
    nulls: 0,
    null_percent: 0,
    distinct_estimate: 2,
    personal: true,
  });
  // By the buckets that the table has.
  assert.deepEqual(
    hidden.keys.map(({ column, buckets }) => [column, buckets]),
    [
      ['person', 2],
      ['email', 2],
    ],
  );
  const source = await diagnoseSource(deps(), spec, 'people');
  assert.deepEqual([source.rows, source.days?.column, source.sample[0]?.['email']], [3, 'seen', '***']);
});

test('a diagnosis is added to a table that is there from the first run on, without its sample', async () => {
  const book = 'shop_ops.diagnostics';
  assert.deepEqual(await lake.rows(book), []);
  const spec = await lake.deps.specs('shop');
  const source = spec.sources.find(({ name }) => name === 'orders');
  assert.ok(source);
  const diagnosis = await diagnoseSource(deps(), spec, 'orders');
  const subject = { kind: 'source', spec, source } as const;
  const id = await recordDiagnosis(lake.deps, 'shop', diagnosis, subject);
  const of = (where: string, select: string) =>
    lake.rows(
      book,
      `SELECT ${select} FROM t WHERE diagnosis_id = '${id}' AND name = 'shop.orders' AND ${where} ORDER BY ALL`,
    );
  assert.deepEqual(await of("topic = 'all'", 'rows::INT AS rows, files::INT AS files, bytes > 0 AS sized'), [
    { rows: 100, files: 3, sized: true },
  ]);
  assert.deepEqual(
    await of("topic = 'keys' AND subject = 'person' AND rows > 1", 'value, rows::INT AS rows, percent'),
    [{ value: '1', rows: 60, percent: 60 }],
  );
  assert.deepEqual(await of("topic = 'keys' AND subject IS NULL", 'warning, found'), [
    { warning: true, found: 'hot: person 1 has 60 %' },
  ]);
  assert.deepEqual(await of("topic = 'skew' AND subject = 'person'", 'skew > 9 AS high'), [{ high: true }]);
  assert.deepEqual(await of("topic = 'files' AND subject IS NOT NULL", 'subject, files::INT AS files, warning'), [
    { subject: 'day=1', files: 1, warning: true },
    { subject: 'day=2', files: 2, warning: true },
  ]);
  assert.deepEqual(await of("topic = 'days' AND subject IS NOT NULL", 'subject, rows::INT AS rows'), [
    { subject: '2026-01-01', rows: 90 },
    { subject: '2026-01-02', rows: 10 },
  ]);
  assert.deepEqual(await of("topic = 'nulls' AND rows > 0", 'subject, rows::INT AS rows, percent'), [
    { subject: 'amount', rows: 10, percent: 10 },
  ]);
  await recordDiagnosis(lake.deps, 'shop', diagnosis, subject);
  assert.deepEqual(await lake.rows(book, 'SELECT count(DISTINCT diagnosis_id)::INT AS n FROM t'), [{ n: 2 }]);
});

test('days and partitions of personal columns are values of them, which nothing records', async () => {
  const text = { type: 'string', personal: true } as const;
  const columns = { guest: { ...text, required: true }, born: { type: 'date', personal: true }, town: text } as const;
  const guests = definePipeline({
    name: 'inn',
    sources: { guests: csv({ columns, key: 'guest' }) },
    silver: { guests: { from: 'guests', mode: append({ dedupe: { key: 'guest' } }), partitionBy: [identity('town')] } },
  });
  const inn = await openTestLake({ name: 'inn', definition: guests });
  try {
    await inn.land('guests', 'a.csv', 'guest,born,town\nAnn,1990-02-03,Bonn\nBo,,\n');
    await inn.run();
    const spec = await inn.deps.specs('inn');
    const table = await findTable(inn.deps.catalog, 'inn_silver.guests');
    const of = (hidesPersonal: boolean) => ({ ...inn.deps, hidesPersonal });
    const [hidden, shown] = [await diagnoseTable(of(true), table, spec), await diagnoseTable(of(false), table, spec)];
    const about = ({ days, keys, partitions }: typeof hidden) => [
      days?.volumes.map(({ day }) => day) ?? null,
      keys.flatMap(({ top }) => top.map(({ value }) => value)),
      partitions.map(({ partition, files }) => [partition, files]),
    ];
    assert.deepEqual(about(hidden), [null, ['***', '***'], [['town=***', 2]]]);
    assert.deepEqual(about(shown), [['1990-02-03', null], ['Ann', 'Bo'], [['town=***', 2]]]);
    assert.equal((await diagnoseSource(of(true), spec, 'guests')).days, null);
    assert.equal((await diagnoseSource(of(false), spec, 'guests')).days?.column, 'born');
    await recordDiagnosis(inn.deps, 'inn', shown, { kind: 'unknown' });
    const recorded = JSON.stringify(await inn.rows('inn_ops.diagnostics'));
    assert.doesNotMatch(recorded, /Ann|1990|Bonn/);
    assert.match(recorded, /"guest","value":"\*\*\*"/);
  } finally {
    inn.close();
  }
});

test('an unknown source is refused, and one without files has no rows', async () => {
  const spec = await lake.deps.specs('shop');
  await assert.rejects(
    diagnoseSource(deps(), spec, 'order'),
    (error) => error instanceof InvalidInput && /did you mean "orders"/.test(error.message),
  );
  const empty = await openTestLake({
    name: 'shop',
    definition: shop,
    sql: { 'orders.sql': ORDERS, 'total.sql': 'SELECT person FROM silver.orders' },
  });
  try {
    const { rows, keys, partitions } = await diagnoseSource(
      { ...empty.deps, hidesPersonal: true },
      await empty.deps.specs('shop'),
      'people',
    );
    assert.deepEqual(
      [rows, keys.map(({ skew, top }) => [skew, top]), partitions],
      [
        0,
        [
          [null, []],
          [null, []],
        ],
        [],
      ],
    );
  } finally {
    empty.close();
  }
});
