import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { madeBy } from '../../lib/plan/made-by.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf, replaced, SHOP } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

const saying = (definition: unknown, ...path: readonly (string | object)[]): unknown =>
  replaced(
    definition,
    path.slice(0, -1).map((part) => String(part)),
    path.at(-1),
  );

const DESCRIBED = [
  ['sources', 'orders', 'columns', 'Order Id', 'description', 'The number of the order.'],
  ['sources', 'orders', 'columns', 'note', { type: 'string', description: ' What the customer wrote.\n' }],
  ['sources', 'customers', 'columns', 'region', { type: 'string', description: 'Where they live.' }],
  ['silver', 'customers', 'columns', { name: 'As on the bill.' }],
  ['silver', 'orders', 'columns', { note: 'Of the order.', amount: 'In euros.' }],
  ['gold', 'revenue', 'columns', { revenue: 'Sum of the amounts.' }],
].reduce((definition, path) => saying(definition, ...path), SHOP as unknown);

test('columns are described by their model, else by the one column of the same name that they are made of', async () => {
  const { sources, models } = await compileShop(session, { definition: DESCRIBED });
  assert.deepEqual(
    sources.flatMap(({ columns }) =>
      columns.flatMap(({ name, description }) => (description ? [[name, description]] : [])),
    ),
    [
      ['order_id', 'The number of the order.'],
      ['note', 'What the customer wrote.'],
      ['region', 'Where they live.'],
    ],
  );
  assert.deepEqual(Object.fromEntries(models.map(({ id, described }) => [id, described])), {
    'silver.customers': { name: 'As on the bill.', region: 'Where they live.' },
    'silver.orders': {
      order_id: 'The number of the order.',
      amount: 'In euros.',
      note: 'Of the order.',
      region: 'Where they live.',
    },
    'gold.revenue': { region: 'Where they live.', revenue: 'Sum of the amounts.' },
  });
});

test('a column of another name, or of several, is not described by what it is made of', async () => {
  const sql = {
    'gold/revenue.sql': 'select region as place, concat(region, note) as region, amount from silver.orders',
  };
  const { models } = await compileShop(session, {
    definition: saying(DESCRIBED, 'gold', 'revenue', 'columns', {}),
    sql,
  });
  assert.deepEqual(models.at(-1)?.described, { amount: 'In euros.' });
});

test('what is said of columns makes no row another one', async () => {
  const [plain, described] = [await compileShop(session), await compileShop(session, { definition: DESCRIBED })];
  assert.deepEqual(
    plain.models.map(({ described }) => described),
    [undefined, undefined, undefined],
  );
  for (const [at, model] of plain.models.entries())
    assert.deepEqual(madeBy(described, described.models[at] ?? assert.fail()), madeBy(plain, model));
});

test('a column that the table lacks, and text that is none, are mistakes', async () => {
  const columns = { revenu: 'x', region: '  ' };
  const [unknown] = await problemsOf(session, {
    definition: saying(SHOP, 'gold', 'revenue', 'columns', { revenu: 'x' }),
  });
  assert.equal(unknown?.place, 'gold.revenue.columns.revenu');
  assert.match(`${unknown?.got} ${unknown?.expected}`, /the column "revenu" .*revenue/);
  const [empty] = await problemsOf(session, { definition: saying(SHOP, 'gold', 'revenue', 'columns', columns) });
  assert.match(`${empty?.place} ${empty?.expected}`, /^gold\.revenue\.columns\S* what columns are, by their names/);
  const [number] = await problemsOf(session, {
    definition: saying(SHOP, 'sources', 'orders', 'columns', 'note', { type: 'string', description: '' }),
  });
  assert.equal(number?.place, 'sources.orders.columns.note.description');
});
