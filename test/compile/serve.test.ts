import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { renderProblem } from '../../lib/core/errors.ts';
import { secret } from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf, SHOP } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

const URL = secret('REPORTS_URL');
const served = (serve: unknown): unknown => ({ ...SHOP, serve });

test('what is served is plain data, with the name of the secret and what was left out', async () => {
  const tables = {
    revenue: { from: 'gold.revenue' },
    orders: { from: 'silver.orders', key: 'order_id', keep: 2 },
    customers: { from: 'silver.customers', mode: 'merge', key: ['customer_id', 'name'] },
    log: { from: 'silver.orders', mode: 'append' },
    fast: { from: 'gold.revenue', truncate: true, keep: 0 },
  };
  const { serve } = await compileShop(session, { definition: served({ postgres: { url: URL, tables } }) });
  const replaced = { from: 'gold.revenue', mode: 'replace', key: [] };
  assert.deepEqual(serve, {
    postgres: {
      secret: 'REPORTS_URL',
      schema: 'public',
      tables: [
        { name: 'revenue', ...replaced },
        { name: 'orders', from: 'silver.orders', mode: 'merge', key: ['order_id'], keep: 2 },
        { name: 'customers', from: 'silver.customers', mode: 'merge', key: ['customer_id', 'name'] },
        { name: 'log', from: 'silver.orders', mode: 'append', key: [] },
        { name: 'fast', ...replaced, truncate: true },
      ],
    },
  });
  assert.equal((await compileShop(session)).serve, undefined);
});

const PLACE = 'pipelines/shop/pipeline.ts: serve.postgres';
const NAME = 'a name of at most 63 lower case letters, digits and _';

const MISTAKES: readonly (readonly [string, unknown, readonly string[]])[] = [
  [
    'a URL in the place of its secret, which it does not repeat',
    { postgres: { url: 'postgres://u:sesame@h/d', tables: { t: { from: 'gold.revenue' } } } },
    [
      `${PLACE}.url: got something else; expected secret('NAME'), a name of letters, digits and _ and never the URL itself`,
    ],
  ],
  [
    'nothing to serve',
    { postgres: { url: URL, schema: 'Two Words', tables: {} } },
    [
      `${PLACE}.schema: got "Two Words"; expected ${NAME}`,
      `${PLACE}.tables: got {}; expected tables by name, such as { revenue: { from: 'gold.revenue' } }`,
    ],
  ],
  [
    'names that PostgreSQL would change, or that are taken',
    {
      postgres: { url: URL, tables: { Totals: { from: 'gold.revenue' }, strata_published: { from: 'gold.revenue' } } },
    },
    [
      `${PLACE}.tables.Totals: got "Totals"; expected ${NAME}, and not strata_published`,
      `${PLACE}.tables.strata_published: got "strata_published"; expected ${NAME}, and not strata_published`,
    ],
  ],
  [
    'tables and keys that are not there',
    { postgres: { url: URL, tables: { a: { from: 'gold.revenu' }, b: { from: 'gold.revenue', key: 'regio' } } } },
    [
      `${PLACE}.tables.a.from: got "gold.revenu"; expected one of silver.customers, silver.orders, gold.revenue; did you mean "gold.revenue"?`,
      `${PLACE}.tables.b.key: got "regio"; expected one of region, revenue; did you mean "region"?`,
    ],
  ],
  [
    'what does not go together',
    {
      postgres: {
        url: URL,
        tables: {
          a: { from: 'gold.revenue', mode: 'merge' },
          b: { from: 'gold.revenue', mode: 'append', key: 'region' },
          c: { from: 'gold.revenue', key: 'region', truncate: true },
          d: { from: 'gold.revenue', keep: -1 },
        },
      },
    },
    [
      `${PLACE}.tables.a.key: got nothing; expected the name of a column, or a list of names, such as 'id'`,
      `${PLACE}.tables.b.key: got a key with mode "append"; expected mode: 'merge', or no key`,
      `${PLACE}.tables.c.truncate: got true with mode 'merge'; expected mode: 'replace', or no truncate`,
      `${PLACE}.tables.d.keep: got -1; expected a whole number of versions, 0 to 100`,
    ],
  ],
];

for (const [name, serve, problems] of MISTAKES) {
  test(`reports ${name}`, async () => {
    const found = await problemsOf(session, { definition: served(serve) });
    assert.deepEqual(
      found.map((problem) => renderProblem(problem).trim()),
      problems,
    );
  });
}
