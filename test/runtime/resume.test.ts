import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { openTestLake } from '../support/test-lake.ts';

test('a run that cannot be finished is the answer to the next one, which does not try for ever', async () => {
  const lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: { id: 'int' } }) },
      silver: { orders: { from: 'orders', mode: append() } },
    }),
  });
  try {
    await lake.land('orders', 'a.csv', 'id\n1\n');
    let refusing = true;
    const refused = lake.reopen((deps) => ({
      ...deps,
      catalog: {
        ...deps.catalog,
        commit: async (id, base, next) => {
          if (refusing) throw new TypeError('no commits now');
          return deps.catalog.commit(id, base, next);
        },
      },
    }));
    assert.equal((await refused.run({ runId: 'first' })).status, 'FAILED');
    const second = await refused.run({ runId: 'second' });
    assert.deepEqual([second.run_id, second.status, second.error?.name], ['first', 'FAILED', 'TypeError']);
    refusing = false;
    assert.equal((await refused.answer({ runId: 'third' })).kind, 'nothing');
    assert.equal((await lake.rows('shop_silver.orders')).length, 1);
  } finally {
    lake.close();
  }
});
