import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { append, day, month } from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import { openSession, problemsOf, shopWith } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

test('rows are late by one time, which partitions tell: two of them, or none, are a mistake', async () => {
  const sql = {
    'silver/orders.sql':
      'select o.*, c.region, o.ordered_at as sent_at from batch.orders o left join silver.customers c using (customer_id)',
  };
  const problems = async (partitionBy: readonly unknown[]) => {
    const orders = { from: 'orders', sql: 'silver/orders.sql', mode: append(), closeAfter: '35d', partitionBy };
    const found = await problemsOf(session, { definition: shopWith(['silver', 'orders'], orders), sql });
    return found.map(({ place, got }) => `${place}: ${got}`);
  };
  assert.deepEqual(await problems([month('ordered_at')]), []);
  assert.deepEqual(await problems([month('ordered_at'), day('sent_at')]), [
    'silver.orders.closeAfter: ordered_at and sent_at',
  ]);
  assert.deepEqual(await problems([]), ['silver.orders.closeAfter: a table without a time']);
});
