import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Ended, strataHere } from './child.ts';
import { type CliLake, openCliLake } from './lake.ts';

/** Items, and a table that no run has made. */
function openShop(expect = ''): CliLake {
  return openCliLake(
    'shop',
    `{
      name: 'shop',
      sources: {
        rows: csv({ columns: { id: 'int', amount: 'int', note: 'string' } }),
        others: csv({ columns: { id: 'int' } }),
      },
      silver: {
        items: { from: 'rows', mode: append()${expect} },
        later: { from: 'others', mode: append(), expect: { some: define.rowCount({ min: 1 }) } },
      },
    }`,
  );
}

const lake = openShop();
/** The module of a pipeline is loaded once: what it becomes are pipelines of its name in other folders. */
const shops = {
  broken: openShop(
    `, expect: { key: define.unique('id'), positive: 'amount > 0', small: { condition: 'amount < 5', policy: 'warn' },
      numeric: 'CAST(note AS INT) > 0',
      asked: define.query('SELECT * FROM this WHERE CAST(note AS INT) > 0'), some: define.rowCount({ min: 3 }) }`,
  ),
  warning: openShop(`, expect: { key: define.unique('id'), small: { condition: 'amount < 5', policy: 'warn' } }`),
};
after(() => {
  for (const one of [lake, ...Object.values(shops)]) one.close();
});

const check = (shop: CliLake, ...args: readonly string[]): Promise<Ended> =>
  strataHere(['check', ...args, '--root', lake.root, '--pipelines', join(shop.root, '..', 'pipelines')]);

before(async () => {
  await lake.land('shop', 'rows', 'a.csv', 'id,amount,note\n1,-5,a\u001b[31m\n2,7,b\n');
  await lake.json(0, 'run', 'shop', '--select', 'items');
});

test('every expectation is told with its rows, in one document as in text, and ends with 2', async () => {
  const { code, stdout } = await check(shops.broken, 'shop');
  assert.equal(code, 2);
  assert.deepEqual(
    stdout
      .split('\n')
      .filter((line) => /^(ok|FAIL|ERROR|warn|-) /.test(line))
      .map((line) => line.slice(0, 64)),
    [
      'ok    shop_silver.items: key',
      'FAIL  shop_silver.items: positive, fail: 1 row; expected amount > 0',
      'warn  shop_silver.items: small, warn: 1 row; expected amount < 5',
      'FAIL  shop_silver.items: numeric, fail: 2 rows; expected CAST(no',
      'ERROR shop_silver.items: asked, fail: cannot be evaluated: expec',
      'FAIL  shop_silver.items: some, fail: got 2 rows; expected at lea',
      '-     shop_silver.later: some: there is no table yet',
    ].map((line) => line.slice(0, 64)),
  );
  assert.match(stdout, /│ +1 │ +-5 │ a\\u001b\[31m │/);
  assert.match(stdout, /\n1 expectation holds, 4 failed, 1 warned, 1 without a table\n$/);
  const document = JSON.parse((await check(shops.broken, '--json')).stdout);
  const { checks, ...counts } = document;
  assert.deepEqual(counts, { held: 1, failed: 4, warned: 1, without_table: 1 });
  assert.deepEqual(checks[1], {
    pipeline: 'shop',
    model: 'silver.items',
    table: 'shop_silver.items',
    expectation: 'positive',
    kind: 'row',
    policy: 'fail',
    expects: 'amount > 0',
    status: 'fails',
    offending: 1,
    sample: [{ id: 1, amount: -5, note: 'a\u001b[31m' }],
    error: null,
  });
});

test('what only warns ends with 2 where that is asked for', async () => {
  for (const [args, code] of [
    [['shop'], 0],
    [['shop', '--strict'], 2],
    [['--select', 'items', '--exclude', 'items', '--strict'], 0],
    [['shop', '--select', 'itms'], 1],
    [['--vars', 'least=1'], 1],
    [['shoop'], 1],
  ] as const) {
    assert.equal((await check(shops.warning, ...args)).code, code, args.join(' '));
  }
  assert.equal((await check(shops.warning, '--select', 'items', '--exclude', 'items')).stdout, 'no expectations\n');
});
