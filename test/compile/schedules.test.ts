import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { renderProblem } from '../../lib/core/errors.ts';
import { cron } from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf, SHOP } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

type Branches = {
  readonly schedules?: unknown;
  readonly timezone?: string;
  /** Of each: its branch. */
  readonly orders?: string;
  readonly fromOrders?: string;
  readonly customers?: string;
  readonly revenue?: string;
  readonly exported?: string;
};

const SCHEDULES = { daily: cron('0 7 * * *'), monthly: 'cron(0 7 1 * ? *)' };

/** The shop with schedules, and with branches where they are named. */
function shop({
  schedules = SCHEDULES,
  timezone,
  orders,
  fromOrders,
  customers,
  revenue,
  exported,
}: Branches): unknown {
  const branch = (name: string | undefined) => (name === undefined ? {} : { branch: name });
  return {
    ...SHOP,
    schedules,
    ...(timezone === undefined ? {} : { timezone }),
    sources: { ...SHOP.sources, orders: { ...SHOP.sources['orders'], ...branch(orders) } },
    silver: {
      orders: { ...SHOP.silver?.['orders'], ...branch(fromOrders) },
      customers: { ...SHOP.silver?.['customers'], ...branch(customers) },
    },
    gold: {
      revenue: {
        ...SHOP.gold?.['revenue'],
        ...branch(revenue),
        ...(exported === undefined ? {} : { export: { csv: { to: 'a.csv' }, branch: exported } }),
      },
    },
  };
}

test('branches stand in the spec, in the zone of the pipeline unless they say another', async () => {
  const schedules = { ...SCHEDULES, nightly: cron('30 2 * * *', { zone: 'America/New_York', catchup: 'all' }) };
  const spec = await compileShop(session, { definition: shop({ schedules, timezone: 'Europe/Berlin' }) });
  assert.deepEqual(spec.schedules, [
    { name: 'daily', cron: '0 7 * * *', zone: 'Europe/Berlin', catchup: 'last' },
    { name: 'monthly', cron: 'cron(0 7 1 * ? *)', zone: 'Europe/Berlin', catchup: 'last' },
    { name: 'nightly', cron: '30 2 * * *', zone: 'America/New_York', catchup: 'all' },
  ]);
  const plain = await compileShop(session, { definition: shop({}) });
  assert.deepEqual(
    plain.schedules?.map(({ zone }) => zone),
    ['UTC', 'UTC'],
  );
  assert.equal(Object.hasOwn(await compileShop(session), 'schedules'), false);
});

test("a silver table is of its source's branch; sources, models and exports have their own", async () => {
  const definition = shop({ orders: 'daily', revenue: 'monthly', exported: 'monthly' });
  const spec = await compileShop(session, { definition });
  assert.deepEqual(
    [...spec.sources, ...spec.models].map(({ name, branch }) => [name, branch]),
    [
      ['orders', 'daily'],
      ['customers', undefined],
      ['customers', undefined],
      ['orders', 'daily'],
      ['revenue', 'monthly'],
    ],
  );
  assert.deepEqual(spec.models.at(-1)?.exports, [{ kind: 'csv', to: 'a.csv', safe: false, branch: 'monthly' }]);
});

const CRON = "five fields such as '0 7 * * *', or AWS's six such as 'cron(0 7 1 * ? *)', that fire at some time";

const MISTAKES: readonly (readonly [what: string, branches: Branches, problem: string])[] = [
  ['no cron', { schedules: { daily: cron('0 7 30 2 *') } }, `schedules.daily.cron: got "0 7 30 2 *"; expected ${CRON}`],
  ['no text', { schedules: { daily: 7 } }, "schedules.daily: got 7; expected cron('0 7 * * *')"],
  [
    'no zone',
    { schedules: { daily: cron('0 7 * * *', { zone: 'Berlin' }) } },
    `schedules.daily.zone: got "Berlin"; expected a time zone by its IANA name, such as 'Europe/Berlin'`,
  ],
  [
    'no catchup',
    { schedules: { daily: { cron: '0 7 * * *', catchup: 'some' } } },
    `schedules.daily.catchup: got "some"; expected 'all', 'last' or 'none'`,
  ],
  [
    'no name',
    { schedules: { 'Each day': cron('0 7 * * *') } },
    'schedules["Each day"]: got "Each day"; expected a name of at most 30 lower case letters, digits and _, a letter first',
  ],
  [
    'no schedules',
    { schedules: [] },
    "schedules: got []; expected branches by name, such as { daily: cron('0 7 * * *') }",
  ],
  [
    'a branch that there is not',
    { revenue: 'dayly' },
    'gold.revenue.branch: got "dayly"; expected one of daily, monthly; did you mean "daily"?',
  ],
  ['of a source', { orders: 'x' }, 'sources.orders.branch: got "x"; expected one of daily, monthly'],
  ['of an export', { exported: 'x' }, 'gold.revenue.export.csv.branch: got "x"; expected one of daily, monthly'],
  [
    "another than the source's",
    { orders: 'daily', fromOrders: 'monthly' },
    'silver.orders.branch: got "monthly"; expected "daily", the branch of its source, or none',
  ],
  [
    'a join of another branch',
    { orders: 'daily', customers: 'monthly' },
    'silver.orders.sql: got a join of silver.customers of branch "monthly"; expected a table that is in each of its runs: of branch daily or of none',
  ],
  [
    'a join of a branch in every run',
    { customers: 'monthly' },
    'silver.orders.sql: got a join of silver.customers of branch "monthly"; expected a table that is in each of its runs: of no branch',
  ],
];

for (const [what, branches, problem] of MISTAKES) {
  test(`is a mistake: ${what}`, async () => {
    const problems = await problemsOf(session, { definition: shop(branches) });
    assert.deepEqual(
      problems.map((one) => renderProblem(one).trim()),
      [`pipelines/shop/pipeline.ts: ${problem}`],
    );
  });
}
