import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { renderProblem } from '../../lib/core/errors.ts';
import { engineOf, implementedBy, readByAny } from '../../lib/core/implementations.ts';
import type { GoldModel } from '../../lib/core/spec.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf, SHOP, shopWith } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

const CURRENT = 'select region, sum(amount) as revenue from silver.orders group by region';
const CANDIDATE =
  'select c.region, sum(o.amount) as revenue from silver.orders o join silver.customers c using (customer_id) group by 1';
const FILES = { 'gold/x.sql': CURRENT, 'gold/x_v2.sql': CANDIDATE, 'gold/x.athena.sql': 'SELECT approx_weird(1) AS x' };
const TEXTS = { current: 'gold/x.sql', candidate: 'gold/x_v2.sql' };

const revenue = (value: object) => shopWith(['gold', 'revenue'], value);

async function compiled(value: object, sql: Readonly<Record<string, string>> = {}): Promise<GoldModel> {
  const spec = await compileShop(session, { definition: revenue(value), sql: { ...FILES, ...sql } });
  const model = spec.models.find(({ id }) => id === 'gold.revenue');
  assert.ok(model?.layer === 'gold');
  return model;
}

describe('a gold model of several texts', () => {
  test('is as the first makes it, or as the one that it uses', async () => {
    const first = await compiled({ sql: TEXTS });
    assert.deepEqual([first.sql, first.sqlFile, first.implementations?.use], [CURRENT, 'gold/x.sql', 'current']);
    assert.deepEqual(first.reads, [{ layer: 'silver', name: 'orders' }]);
    const texts = first.implementations?.texts.map(({ name, sql, reads }) => [name, sql, reads.map((ref) => ref.name)]);
    assert.deepEqual(texts, [
      ['current', CURRENT, ['orders']],
      ['candidate', CANDIDATE, ['orders', 'customers']],
    ]);
    const other = await compiled({ sql: TEXTS, use: 'candidate' });
    assert.deepEqual(other, implementedBy(first, 'candidate'));
    assert.deepEqual([other.sql, other.sqlFile], [CANDIDATE, 'gold/x_v2.sql']);
    assert.deepEqual(implementedBy(other, 'current'), first);
    assert.equal(implementedBy(first, 'elsewhere'), first);
    assert.deepEqual(
      readByAny(first).map(({ name }) => name),
      ['orders', 'customers'],
    );
    assert.equal('implementations' in (await compiled({ sql: 'gold/x.sql' })), false);
  });

  test('has variables, the run date and what is touched of each text apart', async () => {
    const definition = {
      ...(revenue({
        sql: TEXTS,
        partitionBy: [{ column: 'region', transform: { kind: 'identity' } }],
        refresh: 'touched',
        grain: 'month',
      }) as typeof SHOP),
      vars: { least: { type: 'decimal(10,2)', default: '1.00' } },
    };
    const sql = {
      'gold/x.sql':
        'select region, sum(amount) as revenue from silver.orders where ordered_at < run_date() group by region',
      'gold/x_v2.sql':
        "select region, sum(amount) as revenue from silver.orders where amount > var('least') group by region",
    };
    const { models } = await compileShop(session, { definition, sql });
    const model = models.find(({ id }) => id === 'gold.revenue') as GoldModel;
    assert.deepEqual([model.dueBy, model.vars], ['month', undefined]);
    const other = implementedBy(model, 'candidate');
    assert.deepEqual([other.dueBy, other.vars, other.refresh.kind], [undefined, { least: '1.00' }, 'touched']);
    assert.equal('dueBy' in other, false);
    assert.deepEqual(implementedBy(other, 'current').dueBy, 'month');
  });

  test('comes after what any of its texts reads', async () => {
    const definition = {
      ...SHOP,
      gold: { total: { sql: { a: 'gold/t.sql', b: 'gold/t2.sql' } }, revenue: { sql: 'gold/x.sql' } },
    };
    const sql = {
      ...FILES,
      'gold/t.sql': 'select sum(amount) as total from silver.orders',
      'gold/t2.sql': 'select sum(revenue) as total from gold.revenue',
    };
    const { levels } = await compileShop(session, { definition, sql });
    assert.deepEqual(levels.slice(-2), [['gold.revenue'], ['gold.total']]);
    const circle = { ...sql, 'gold/x.sql': "select 'x' as region, total as revenue from gold.total" };
    const problems = await problemsOf(session, { definition, sql: circle });
    assert.match(problems.map(renderProblem).join('\n'), /the circle gold\.(total|revenue) -> gold/);
  });

  test('says of its personal columns what any text makes of them', async () => {
    const definition = {
      ...(shopWith(['sources', 'customers', 'columns', 'name'], { type: 'string', personal: true }) as typeof SHOP),
      gold: { revenue: { sql: TEXTS } },
    };
    const sql = {
      'gold/x.sql': 'select region as who, count(*) as n from silver.customers group by 1',
      'gold/x_v2.sql': 'select name as who, count(*) as n from silver.customers group by 1',
    };
    const { models } = await compileShop(session, { definition, sql });
    assert.deepEqual(models.find(({ id }) => id === 'gold.revenue')?.personal, ['who']);
  });

  test('takes the text of an engine as it is, with what the DuckDB text reads', async () => {
    const model = await compiled({ sql: { duckdb: 'gold/x.sql', athena: 'gold/x.athena.sql' } });
    const [, athena] = model.implementations?.texts ?? [];
    assert.deepEqual(
      [athena?.name, athena?.engine, athena?.sql, athena?.sqlFile, athena?.reads],
      ['athena', 'athena', FILES['gold/x.athena.sql'], 'gold/x.athena.sql', model.reads],
    );
    assert.equal(engineOf(model), undefined);
    assert.equal(engineOf(implementedBy(model, 'athena')), 'athena');
    assert.equal(engineOf(await compiled({ sql: 'gold/x.sql' })), undefined);
  });

  const mistakes: readonly (readonly [
    name: string,
    value: object,
    sql: Readonly<Record<string, string>>,
    problems: readonly string[],
  ])[] = [
    [
      'of other types',
      { sql: TEXTS },
      { 'gold/x_v2.sql': 'select region, sum(amount)::double as revenue from silver.orders group by 1' },
      [
        'pipelines/shop/gold/x_v2.sql: column "revenue": got double in candidate; expected decimal(38,2), as gold.revenue has it by current (gold/x.sql)',
      ],
    ],
    [
      'of other names',
      { sql: TEXTS },
      { 'gold/x_v2.sql': 'select region, sum(amount) as total from silver.orders group by 1' },
      [
        'pipelines/shop/gold/x_v2.sql: column 2: got "total" in candidate; expected "revenue", as gold.revenue has it by current (gold/x.sql)',
      ],
    ],
    [
      'with a column more, and one less',
      { sql: { ...TEXTS, third: 'gold/x3.sql' } },
      {
        'gold/x_v2.sql': 'select region, sum(amount) as revenue, 1 as one from silver.orders group by 1',
        'gold/x3.sql': 'select region from silver.orders',
      },
      [
        'pipelines/shop/gold/x_v2.sql: column 3: got "one" in candidate; expected no column 3, as gold.revenue has it by current (gold/x.sql)',
        'pipelines/shop/gold/x3.sql: column 2: got no column in third; expected "revenue", as gold.revenue has it by current (gold/x.sql)',
      ],
    ],
    [
      'of which one cannot be bound',
      { sql: TEXTS },
      { 'gold/x_v2.sql': 'select region, sum(amounts) as revenue from silver.orders group by 1' },
      [
        'pipelines/shop/gold/x_v2.sql: line 1, column 20: got Referenced column "amounts" not found in FROM clause; expected a column that is there: "amount", "customer_id", "region"; did you mean "amount"?',
      ],
    ],
    [
      'of which a file is not there',
      { sql: { current: 'gold/x.sql', candidate: 'gold/no.sql' } },
      {},
      [
        'pipelines/shop/pipeline.ts: gold.revenue.sql: got "gold/no.sql", which is not there; expected a file at pipelines/shop/gold/no.sql',
      ],
    ],
    [
      'of names and files that are none',
      { sql: { Current: 'gold/x.sql', candidate: '../x.sql' } },
      {},
      [
        'pipelines/shop/pipeline.ts: gold.revenue.sql.Current: got the name "Current"; expected a name of at most 40 lower case letters, digits and _, starting with a letter',
        `pipelines/shop/pipeline.ts: gold.revenue.sql.candidate: got "../x.sql"; expected the path of an .sql file inside the pipeline's folder, such as 'gold/revenue.sql'`,
      ],
    ],
    [
      'of none',
      { sql: {} },
      {},
      [
        `pipelines/shop/pipeline.ts: gold.revenue.sql: got no text; expected a text for DuckDB, such as { duckdb: 'gold/x.sql' }: it says what the model reads, and its columns`,
      ],
    ],
    [
      'of engines alone',
      { sql: { athena: 'gold/x.athena.sql' }, engine: 'athena' },
      {},
      [
        `pipelines/shop/pipeline.ts: gold.revenue.sql: got texts of athena alone; expected a text for DuckDB, such as { duckdb: 'gold/x.sql' }: it says what the model reads, and its columns`,
      ],
    ],
    [
      'that uses another',
      { sql: TEXTS, use: 'candidat' },
      {},
      [
        'pipelines/shop/pipeline.ts: gold.revenue.use: got "candidat"; expected a text of sql: one of current, candidate; did you mean "candidate"?',
      ],
    ],
    [
      'that uses two at once',
      { sql: { duckdb: 'gold/x.sql', athena: 'gold/x.athena.sql' }, use: 'duckdb', engine: 'athena' },
      {},
      ['pipelines/shop/pipeline.ts: gold.revenue.engine: got "athena" beside use: "duckdb"; expected one of the two'],
    ],
    [
      'with an engine that is none',
      { sql: TEXTS, engine: 'candidate' },
      {},
      [
        `pipelines/shop/pipeline.ts: gold.revenue.engine: got "candidate"; expected 'athena' or 'spark'; other texts are named by use`,
      ],
    ],
    [
      'to choose from one',
      { sql: 'gold/x.sql', use: 'current' },
      {},
      [
        `pipelines/shop/pipeline.ts: gold.revenue.use: got "current" with one text; expected texts by name: sql: { current: 'gold/x.sql', ... }`,
      ],
    ],
  ];
  for (const [name, value, sql, problems] of mistakes) {
    test(`texts ${name}: said where, got and expected`, async () => {
      const found = await problemsOf(session, { definition: revenue(value), sql: { ...FILES, ...sql } });
      assert.deepEqual(
        found.map((problem) => renderProblem(problem).trim()),
        problems,
      );
    });
  }
});
