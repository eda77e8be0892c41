import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf, shopWith } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

const exporting = (value: unknown) => shopWith(['gold', 'revenue', 'export'], value);

test('an export is unsafe for spreadsheets and in lines unless it says otherwise', async () => {
  const definition = exporting({ csv: { to: 'a.csv' }, json: { to: 'a.jsonl' } });
  const { models } = await compileShop(session, { definition });
  const revenue = models.find(({ id }) => id === 'gold.revenue');
  assert.deepEqual(revenue?.exports, [
    { kind: 'csv', to: 'a.csv', safe: false },
    { kind: 'json', to: 'a.jsonl', layout: 'lines' },
  ]);
});

test('two objects of one path are a mistake', async () => {
  const problems = await problemsOf(session, { definition: exporting({ csv: { to: 'a' }, json: { to: 'a' } }) });
  assert.equal(problems.length, 1, JSON.stringify(problems));
  assert.match(problems[0]?.place ?? '', /^gold\.revenue\.export\.json\.to$/);
});

test('a list is no part of a name', async () => {
  const files = { name: '{regions}.txt', text: 'x' };
  const sql = { 'gold/revenue.sql': 'select list(region) as regions, sum(amount) as revenue from silver.orders' };
  const problems = await problemsOf(session, { definition: exporting({ files }), sql });
  assert.equal(problems.length, 1, JSON.stringify(problems));
  assert.match(problems[0]?.place ?? '', /^gold\.revenue\.export\.files\.name/);
});
