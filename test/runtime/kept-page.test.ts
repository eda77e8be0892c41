import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { csv, definePipeline } from '../../lib/define/index.ts';
import { keepPage, keptPage, readKeptPage } from '../../lib/runtime/page/kept-page.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

let lake: TestLake;
before(async () => {
  const definition = definePipeline({
    name: 'shop',
    owner: 'shop@example.com',
    sources: { orders: csv({ columns: { id: 'int' } }) },
    silver: { orders: { from: 'orders', expect: { few: 'id < 100' } } },
  });
  lake = await openTestLake({ name: 'shop', definition });
});
after(() => lake.close());

const textOf = async (key: string): Promise<string> => new TextDecoder().decode((await lake.store.read(key)).bytes);

test('the page of a pipeline is kept as its latest run had it, without a look at bronze', async () => {
  await assert.rejects(keepPage(lake.deps, 'shop'), InvalidInput);
  await lake.land('orders', 'a.csv', 'id\n1\n');
  await lake.run({ runId: 'first' });
  await lake.land('orders', 'b.csv', 'id\n2\n');
  const listed: string[] = [];
  const { list } = lake.store;
  const specs = async (): Promise<never> => assert.fail('it has no compiled pipeline');
  const store = {
    ...lake.store,
    list(...asked: Parameters<typeof list>) {
      listed.push(asked[0]);
      return list(...asked);
    },
  };
  assert.equal(await readKeptPage(lake.store, 'shop'), undefined);
  await keepPage({ ...lake.deps, store, specs }, 'shop');
  assert.deepEqual(
    listed.filter((prefix) => prefix === '' || prefix.startsWith('bronze')),
    [],
  );
  const report = await readKeptPage(lake.store, 'shop');
  const [one] = report?.pipelines ?? [];
  assert.deepEqual(
    [report?.days, one?.status.owner, one?.status.last_run?.run_id, one?.status.unseen, one?.status.behind],
    [30, 'shop@example.com', 'first', true, []],
  );
  assert.deepEqual(
    one?.tests.map(({ name, outcome }) => [name, outcome]),
    [['few', 'held']],
  );
  const page = await textOf(keptPage.page('shop'));
  assert.match(page, /^<!doctype html>[\s\S]*<h2 id="pipeline-shop">shop<\/h2>/);
  assert.match(page, /<dt>behind<\/dt><dd>not asked, when the last run ended<\/dd>/);
});

test('what another release has kept is left alone', async () => {
  const key = keptPage.report('shop');
  const kept = JSON.parse(await textOf(key)) as { readonly release: string };
  const other = new TextEncoder().encode(JSON.stringify({ ...kept, release: '0.0.1' }));
  await lake.store.write(key, other, { kind: 'any' });
  assert.equal(await readKeptPage(lake.store, 'shop'), undefined);
});
