import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compilePipeline } from '../../lib/compile/compile.ts';
import { DEFAULT_COMPUTE } from '../../lib/core/compute.ts';
import { InvalidInput } from '../../lib/core/errors.ts';
import type { ContractColumn, Expectation } from '../../lib/core/spec.ts';
import {
  append,
  type ColumnDefinition,
  csv,
  definePipeline,
  json,
  month,
  parquet,
  query,
  rowCount,
  type SilverExpectation,
  unique,
} from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { compileShop, openSession, problemsOf, shopWith } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

const ONLINE_RETAIL = definePipeline({
  name: 'online_retail',
  owner: 'data-platform',
  tier: 1,
  description: 'A year of an online shop.',
  schedule: 'rate(1 day)',
  sources: {
    lines: csv({
      columns: {
        InvoiceNo: { type: 'string', required: true, as: 'invoice_no' },
        StockCode: { type: 'string', as: 'stock_code' },
        Quantity: { type: 'int', required: true, as: 'quantity' },
        InvoiceDate: { type: 'timestamp', required: true, as: 'invoice_ts' },
        UnitPrice: { type: 'decimal(12,3)', required: true },
        CustomerID: { type: 'bigint', parse: 'numeric', as: 'customer_id' },
      },
      drift: 'fail',
      ignore: [],
    }),
  },
  silver: {
    invoice_lines: {
      from: 'lines',
      sql: 'silver/invoice_lines.sql',
      mode: append({ dedupe: 'row' }),
      partitionBy: [month('invoice_ts')],
      sortBy: ['stock_code'],
      expect: { positive_price: 'unit_price >= 0' },
    },
  },
  gold: { monthly_revenue: { sql: 'gold/monthly_revenue.sql' } },
});

const ONLINE_RETAIL_SQL = new Map([
  [
    'silver/invoice_lines.sql',
    `-- One row per line of an invoice.
select invoice_no, stock_code, quantity, invoice_ts, UnitPrice as unit_price, customer_id,
  starts_with(invoice_no, 'C') as is_cancelled
from batch.lines;
`,
  ],
  [
    'gold/monthly_revenue.sql',
    `select strftime(invoice_ts, '%Y%m') as yyyymm, cast(sum(unit_price * quantity) as decimal(18,2)) as revenue, count(*) as lines
from silver.invoice_lines
where not is_cancelled
group by 1
`,
  ],
]);

test('the spec of online_retail', async () => {
  const spec = await compilePipeline({
    definition: ONLINE_RETAIL,
    folder: 'online_retail',
    file: 'pipelines/online_retail/pipeline.ts',
    files: { read: async (path) => ONLINE_RETAIL_SQL.get(path) },
    session,
    empty: fileURLToPath(new URL('../support/empty', import.meta.url)),
  });
  const golden: unknown = JSON.parse(readFileSync(new URL('online_retail.json', import.meta.url), 'utf8'));
  assert.deepEqual(JSON.parse(JSON.stringify(spec)), golden);
});

test('every problem is reported at once, of all files and stages', async () => {
  const broken = { ...(shopWith(['silver', 'orders', 'sortBy'], ['nope']) as object), name: 'Shop', tier: 0, extra: 1 };
  const sql = { 'gold/revenue.sql': 'select nope\nfrom silver.orders' };
  const problems = await problemsOf(session, { definition: broken, sql });
  assert.deepEqual(
    problems.map((problem) => `${problem.file} ${problem.place}`),
    [
      'pipelines/shop/pipeline.ts extra',
      'pipelines/shop/pipeline.ts tier',
      'pipelines/shop/pipeline.ts name',
      'pipelines/shop/gold/revenue.sql line 1, column 8',
      'pipelines/shop/pipeline.ts silver.orders.sortBy[0]',
    ],
  );
});

test('a failed compilation says how many problems there are and leaves no tables behind', async () => {
  await assert.rejects(compileShop(session, { definition: {} }), (error) => {
    assert.ok(error instanceof InvalidInput);
    assert.match(error.message, /^pipeline shop has 2 problems:\n {2}pipelines\/shop\/pipeline.ts: name: got nothing/);
    return true;
  });
  await assert.rejects(compileShop(session, { sql: { 'gold/revenue.sql': 'select 1 from nowhere' } }), InvalidInput);
  const text = "SELECT schema_name FROM duckdb_schemas() WHERE schema_name IN ('batch', 'silver', 'gold')";
  assert.deepEqual(await session.rows({ name: 'schemas', text: userSql(text) }), []);
});

test('equal input compiles to equal specs', async () => {
  assert.deepEqual(await compileShop(session), await compileShop(session));
});

test('levels, reads and joins of the shop', async () => {
  const spec = await compileShop(session);
  assert.deepEqual(spec.levels, [['silver.customers'], ['silver.orders'], ['gold.revenue']]);
  const orders = spec.models[1];
  assert.ok(orders?.layer === 'silver');
  assert.deepEqual(orders.reads, [{ layer: 'silver', name: 'customers' }]);
  assert.deepEqual(orders.joins, [{ table: { layer: 'silver', name: 'customers' }, keys: ['customer_id'] }]);
});

const COLUMNS: readonly (readonly [string, ColumnDefinition, Partial<ContractColumn>])[] = [
  [
    'a name as written',
    { type: 'string' },
    { source: 'a b', name: 'a b', parse: { kind: 'auto' }, required: false, checks: [] },
  ],
  ['formats', { type: 'date', parse: '%d/%m/%Y' }, { parse: { kind: 'strptime', formats: ['%d/%m/%Y'] } }],
  ['several formats', { type: 'date', parse: ['%Y', '%d'] }, { parse: { kind: 'strptime', formats: ['%Y', '%d'] } }],
  ['epochs', { type: 'timestamptz', parse: 'epoch_millis' }, { parse: { kind: 'epoch_millis' } }],
  [
    'struct types',
    { type: 'struct<x: int>' },
    { type: { kind: 'struct', fields: [{ name: 'x', type: { kind: 'int' } }] } },
  ],
  [
    'checks with their codes',
    { type: 'bigint', min: 1, max: 9007199254740993n, in: [1, 2], checks: { odd: '"a b" % 2 = 1' } },
    {
      checks: [
        { kind: 'min', value: '1', code: 'RANGE_ERROR' },
        { kind: 'max', value: '9007199254740993', code: 'RANGE_ERROR' },
        { kind: 'in', values: ['1', '2'], code: 'DOMAIN_ERROR' },
        { kind: 'sql', condition: '"a b" % 2 = 1', code: 'ODD' },
      ],
    },
  ],
  [
    'codes of its own',
    { type: 'string', in: { values: ['EUR'], code: 'CURRENCY' }, pattern: { regex: '[A-Z]{3}', code: 'SPELLING' } },
    {
      checks: [
        { kind: 'in', values: ['EUR'], code: 'CURRENCY' },
        { kind: 'pattern', regex: '[A-Z]{3}', code: 'SPELLING' },
      ],
    },
  ],
  ['patterns', { type: 'string', pattern: '^x' }, { checks: [{ kind: 'pattern', regex: '^x', code: 'DOMAIN_ERROR' }] }],
  [
    'limits of dates',
    { type: 'date', min: '2000-01-01' },
    { checks: [{ kind: 'min', value: '2000-01-01', code: 'RANGE_ERROR' }] },
  ],
];

for (const [name, definition, expected] of COLUMNS) {
  test(`a column with ${name}`, async () => {
    const spec = await compileShop(session, {
      definition: shopWith(['sources', 'customers', 'columns', 'a b'], definition),
    });
    const column = spec.sources[1]?.columns.at(-1);
    assert.deepEqual({ ...column, ...expected }, column);
  });
}

const EXPECTATIONS: readonly (readonly [SilverExpectation, Expectation])[] = [
  ['amount > 0', { kind: 'row', name: 'rule', policy: 'fail', condition: 'amount > 0', code: 'RULE' }],
  [
    { sql: 'amount > 0 /* paid */', policy: 'drop', code: 'UNPAID' },
    { kind: 'row', name: 'rule', policy: 'drop', condition: 'amount > 0 /* paid */', code: 'UNPAID' },
  ],
  [
    { condition: 'ordered_at < now()', policy: 'warn' },
    { kind: 'row', name: 'rule', policy: 'warn', condition: 'ordered_at < now()', code: 'RULE' },
  ],
  [unique('order_id', 'note'), { kind: 'unique', name: 'rule', policy: 'fail', columns: ['order_id', 'note'] }],
  [rowCount({ min: 1, policy: 'warn' }), { kind: 'rowCount', name: 'rule', policy: 'warn', min: 1, max: null }],
  [
    query('select note from this group by note having count(*) > 1'),
    { kind: 'sql', name: 'rule', policy: 'fail', query: 'select note from this group by note having count(*) > 1' },
  ],
];

for (const [given, expected] of EXPECTATIONS) {
  test(`the expectation ${JSON.stringify(given)}`, async () => {
    const spec = await compileShop(session, { definition: shopWith(['silver', 'orders', 'expect'], { rule: given }) });
    assert.deepEqual(spec.models[1]?.expect, [expected]);
  });
}

test('formats of sources, and their defaults', async () => {
  const columns = { customer_id: 'bigint', name: 'string', region: 'string' } as const;
  const plain = {
    kind: 'csv',
    delimiter: ',',
    quote: '"',
    escape: '"',
    header: true,
    encoding: 'utf-8',
    nullText: [''],
  };
  const cases = [
    [csv({ columns }), plain],
    [csv({ columns, quote: "'", delimiter: '\t' }), { ...plain, quote: "'", escape: "'", delimiter: '\t' }],
    [
      csv({ columns, nullText: ['NA', '-'], escape: '\\', header: false }),
      { ...plain, nullText: ['NA', '-'], escape: '\\', header: false },
    ],
    [json({ columns }), { kind: 'json', layout: 'lines' }],
    [json({ columns, layout: 'array' }), { kind: 'json', layout: 'array' }],
    [parquet({ columns }), { kind: 'parquet' }],
  ] as const;
  for (const [source, format] of cases) {
    const spec = await compileShop(session, { definition: shopWith(['sources', 'customers'], source) });
    assert.deepEqual(spec.sources[1]?.format, format);
    assert.equal(spec.sources[1]?.drift, 'fail');
  }
});

test('gold SQL may end in a comment', async () => {
  const spec = await compileShop(session, { sql: { 'gold/revenue.sql': 'select 1 as a -- one' } });
  const sql = spec.models.at(-1)?.sql;
  assert.deepEqual(await session.rows({ name: 'in brackets', text: userSql(`SELECT * FROM (${sql})`) }), [{ a: 1 }]);
});

test('names with spaces, quotes and SQL in them bind', async () => {
  const name = `we"ird'; drop table x; --`;
  const spec = await compileShop(session, { definition: shopWith(['sources', 'customers', 'columns', name], 'int') });
  assert.deepEqual(
    spec.models[0]?.columns.map((column) => column.name),
    ['customer_id', 'name', 'region', name],
  );
});

test('compute and promises: sizes for all steps, then for single ones, then defaults', async () => {
  const plain = await compileShop(session, {});
  assert.deepEqual(plain.slo, { freshnessMs: null, quarantineRate: null });
  assert.deepEqual(plain.compute, DEFAULT_COMPUTE);
  const compute = { memory: 2_048, timeout: '5m', steps: { Stage: { memory: 6_144, reservedConcurrency: 7 } } };
  const sized = await compileShop(session, { definition: shopWith(['compute'], compute) });
  const { Stage, Open } = sized.compute.steps;
  assert.deepEqual(Stage, { memoryMb: 6_144, timeoutSeconds: 300, tmpMb: 4_096, reservedConcurrency: 7 });
  assert.deepEqual(Open, { memoryMb: 2_048, timeoutSeconds: 300, tmpMb: 2_048, reservedConcurrency: null });
  assert.deepEqual([plain.compute.maxConcurrency, sized.compute.maxConcurrency], [10, 7]);
  const promised = await compileShop(session, {
    definition: shopWith(['slo'], { freshness: '26h', quarantineRate: 2.5 }),
  });
  assert.deepEqual(promised.slo, { freshnessMs: 26 * 3_600_000, quarantineRate: 2.5 });
  const all = { freshness: '60m', p95: '40m', successRate: 99, mttr: '60m', ready: 'D+1 01:00', objective: 99.5 };
  assert.deepEqual((await compileShop(session, { definition: shopWith(['slo'], all) })).slo, {
    freshnessMs: 3_600_000,
    quarantineRate: null,
    p95Ms: 2_400_000,
    successRate: 99,
    mttrMs: 3_600_000,
    ready: { days: 1, minutes: 60 },
    objective: 99.5,
  });
});

const SCHEDULES: readonly (readonly [string, boolean])[] = [
  ['rate(1 day)', true],
  ['rate(15 minutes)', true],
  ['rate(0 days)', false],
  ['rate(1 hours)', false],
  ['rate(2 hour)', false],
  ['rate(1 week)', false],
  ['cron(0 6 * * ? *)', true],
  ['cron(0/15 8-18 ? * MON-FRI *)', true],
  ['cron(0 6 * * *)', false],
  ['cron(0 6 * * * *)', false],
  ['cron(0 6 ? * ? *)', false],
  ['0 6 * * *', false],
];

for (const [schedule, good] of SCHEDULES) {
  test(`${schedule} is ${good ? 'a' : 'no'} schedule`, async () => {
    const problems = await problemsOf(session, { definition: shopWith(['schedule'], schedule) });
    assert.deepEqual(
      problems.map((problem) => problem.place),
      good ? [] : ['schedule'],
    );
  });
}
