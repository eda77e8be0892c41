import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { query, upsert } from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf, SHOP, shopWith } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

const revenue = (condition: string) => ({
  'gold/revenue.sql': `select region, sum(amount) as revenue from silver.orders where ${condition} group by region`,
});

describe('the run date', () => {
  const grains: readonly (readonly [sql: string, given: string | undefined, dueBy: string | undefined])[] = [
    ['amount > 0', undefined, undefined],
    ['ordered_at < run_date()', undefined, 'day'],
    ['ordered_at < RUN_TIME()', undefined, 'day'],
    ["ordered_at < date_trunc('month', run_date())", undefined, 'month'],
    ["ordered_at < date_trunc('quarter', run_date())", undefined, 'month'],
    ["ordered_at < date_trunc('day', run_date())", undefined, 'day'],
    ['year(ordered_at) = year(run_date())', undefined, 'year'],
    ['year(ordered_at) = extract(year from run_date()) - 1', undefined, 'year'],
    ['ordered_at <= last_day(run_date()) and year(ordered_at) = year(run_date())', undefined, 'month'],
    ['year(ordered_at) = year(run_date()) and ordered_at < run_date()', undefined, 'day'],
    // On the first of a month the day before is in another.
    ["ordered_at < date_trunc('month', run_date() - 1)", undefined, 'day'],
    // In the zone of the pipeline its month is maybe another.
    ["ordered_at < date_trunc('month', run_time())", undefined, 'day'],
    ['ordered_at < run_date()', 'month', 'month'],
    ["amount > (select count(*) from silver.customers where run_date() > date '2026-01-01')", undefined, 'day'],
  ];
  for (const [condition, grain, dueBy] of grains) {
    test(`${condition} is due by ${dueBy ?? 'no date'}${grain === undefined ? '' : ', as it says'}`, async () => {
      const definition = shopWith(['gold', 'revenue', 'grain'], grain);
      const spec = await compileShop(session, { definition, sql: revenue(condition) });
      const model = spec.models.find(({ id }) => id === 'gold.revenue');
      assert.equal(model?.layer === 'gold' ? model.dueBy : 'no gold', dueBy);
    });
  }

  test('has types, stands in conditions, and makes no model due from there', async () => {
    const definition = shopWith(['silver', 'orders', 'expect'], {
      past: { condition: 'ordered_at <= run_time()', policy: 'drop' },
    });
    const sql = {
      'silver/orders.sql': 'select o.*, run_date() as taken_on from batch.orders o',
      'gold/revenue.sql': 'select region, run_date() as on_day, run_time() as at from silver.customers',
    };
    const { models } = await compileShop(session, { definition, sql });
    assert.deepEqual(models[0]?.columns, models[0]?.columns);
    const typed = models.flatMap(({ id, columns }) => columns.map(({ name, type }) => `${id} ${name} ${type.kind}`));
    for (const one of ['silver.orders taken_on date', 'gold.revenue on_day date', 'gold.revenue at timestamptz']) {
      assert.ok(typed.includes(one), `${one} in ${typed.join(', ')}`);
    }
    const expecting = shopWith(['gold', 'revenue', 'expect'], {
      some: "revenue > 0 or run_date() < date '2026-01-01'",
    });
    const spec = await compileShop(session, { definition: expecting });
    assert.deepEqual(
      spec.models.map((model) => 'dueBy' in model),
      [false, false, false],
    );
    const places: readonly (readonly [path: readonly string[], value: unknown])[] = [
      [['gold', 'revenue', 'expect'], { some: query('select * from this where run_date() is null') }],
      [['gold', 'revenue', 'expect'], { some: 'run_time() is not null' }],
      [['sources', 'orders', 'columns', 'note'], { type: 'string', checks: { known: 'run_date() is not null' } }],
      [
        ['silver', 'customers', 'mode'],
        upsert({ key: 'customer_id', sequence: 'name', deleteWhen: "run_date() < date '2026-01-01'" }),
      ],
    ];
    for (const [path, value] of places) {
      const { dated } = await compileShop(session, { definition: shopWith(path, value) });
      assert.equal(dated, true, path.join('.'));
    }
  });

  test('a pipeline has a zone, and the spec of one without is as it was', async () => {
    const spec = await compileShop(session, { definition: { ...SHOP, timezone: 'Europe/Berlin' } });
    assert.equal(spec.timezone, 'Europe/Berlin');
    const plain = await compileShop(session);
    assert.deepEqual(['timezone' in plain, 'runAt' in plain, 'dated' in plain], [false, false, false]);
  });

  const mistakes: readonly (readonly [name: string, given: Parameters<typeof problemsOf>[1], expected: RegExp])[] = [
    [
      'a zone that is none',
      { definition: { ...SHOP, timezone: 'Berlin' } },
      /^timezone: got "Berlin"; expected a time zone by its IANA name, such as 'Europe\/Berlin'$/,
    ],
    [
      'a grain that is none',
      { definition: shopWith(['gold', 'revenue', 'grain'], 'week'), sql: revenue('ordered_at < run_date()') },
      /^gold\.revenue\.grain: got "week"; expected 'day', 'month' or 'year'$/,
    ],
    [
      'a grain of SQL that names no date',
      { definition: shopWith(['gold', 'revenue', 'grain'], 'month') },
      /^gold\.revenue\.grain: got "month"; expected SQL that names run_date\(\) or run_time\(\)/,
    ],
    [
      'the clock in gold',
      { sql: revenue('ordered_at < current_date') },
      /got current_date; expected run_date\(\) or run_time\(\), which the plan of a run fixes$/,
    ],
    ['the clock as a function', { sql: revenue('ordered_at < today()') }, /got today\(\); expected run_date\(\)/],
    [
      'the clock in a condition that places rows',
      {
        definition: shopWith(['silver', 'orders', 'expect'], {
          past: { condition: 'ordered_at <= now()', policy: 'drop' },
        }),
      },
      /now\(\) in .* in the same way, so without the clock or chance; in its place run_date\(\) or run_time\(\)/,
    ],
    [
      'books that close by no time',
      { definition: shopWith(['silver', 'customers', 'closeAfter'], '35d') },
      /^silver\.customers\.closeAfter: got a table without a time; expected a sequence that is a date or time, or one column/,
    ],
    [
      'books that close after no span',
      { definition: shopWith(['silver', 'orders', 'closeAfter'], '5h') },
      /^silver\.orders\.closeAfter: got "5h"; expected days or years, such as '35d'$/,
    ],
    ['an argument', { sql: revenue('ordered_at < run_date(1)') }, /run_date/],
  ];
  for (const [name, given, expected] of mistakes) {
    test(`${name} is a mistake`, async () => {
      const problems = await problemsOf(session, given);
      assert.equal(problems.length, 1, JSON.stringify(problems));
      const [{ place, got, expected: wanted } = { place: '', got: '', expected: '' }] = problems;
      assert.match(`${place}: got ${got}; expected ${wanted}`, expected);
    });
  }

  test('a column may have the name of the clock', async () => {
    const sql = revenue("current_date > date '2026-01-01'");
    const orders =
      'select o.*, c.region, o.ordered_at::date as "current_date" from batch.orders o left join silver.customers c using (customer_id)';
    const spec = await compileShop(session, { sql: { ...sql, 'silver/orders.sql': orders } });
    assert.equal(spec.models.length, 3);
  });
});

test('SQL that names casefold() is bound with it, and its pipeline says so', async () => {
  const sql = {
    'gold/revenue.sql': 'select CaseFold(region) as region, sum(amount) as revenue from silver.orders group by all',
  };
  const spec = await compileShop(session, { definition: SHOP, sql });
  assert.equal(spec.folds, true);
  assert.equal('dated' in spec, false);
  const region = spec.models.find(({ id }) => id === 'gold.revenue')?.columns[0];
  assert.deepEqual(region, { name: 'region', type: { kind: 'string' } });
  // The next pipeline knows nothing of it.
  assert.equal('folds' in (await compileShop(session, { definition: SHOP })), false);
  const wrong = { 'gold/revenue.sql': 'select casefold(amount) as revenue from silver.orders' };
  assert.match(JSON.stringify(await problemsOf(session, { sql: wrong })), /DECIMAL/);
});
