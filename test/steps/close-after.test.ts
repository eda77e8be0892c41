import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { append, csv, definePipeline, month, upsert } from '../../lib/define/index.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const definition = definePipeline({
  name: 'shop',
  timezone: 'Europe/Berlin',
  sources: {
    orders: csv({ columns: { id: 'bigint', day: 'date' } }),
    prices: csv({ columns: { id: 'bigint', seen: 'timestamptz' } }),
  },
  silver: {
    orders: { from: 'orders', mode: append(), partitionBy: [month('day')], closeAfter: '35d' },
    every: { from: 'orders', mode: append() },
    prices: { from: 'prices', mode: upsert({ key: 'id', sequence: 'seen' }), closeAfter: '1d' },
  },
});

let lake: TestLake | undefined;
after(() => lake?.close());

describe('rows that come after the books are closed', () => {
  test('are set aside by the run date, and taken by a backfill', async () => {
    lake = await openTestLake({ name: 'shop', definition });
    await lake.land('orders', 'a.csv', 'id,day\n1,2026-01-27\n2,2026-01-26\n3,2026-03-03\n4,\n');
    // A day of Berlin begins an hour before that of UTC.
    await lake.land('prices', 'p.csv', 'id,seen\n1,2026-03-01T23:00:00Z\n2,2026-03-01T22:59:59Z\n');
    const { status, accounting } = await lake.run({ run_date: '2026-03-03' });
    assert.equal(status, 'SUCCEEDED');
    assert.deepEqual(accounting['prices'], { read: 2, accepted: 1, quarantined: 1, condemned: 0, duplicates: 0 });
    const ids = (table: string) => lake?.rows(`shop_silver.${table}`, 'SELECT id FROM t ORDER BY id');
    assert.deepEqual(await ids('orders'), [{ id: 1 }, { id: 3 }, { id: 4 }]);
    assert.deepEqual(await ids('prices'), [{ id: 1 }]);
    assert.equal((await ids('every'))?.length, 4);
    assert.deepEqual(
      await lake.rows('shop_ops.quarantine', 'SELECT source, codes, table_name FROM t ORDER BY source'),
      [
        { source: 'orders', codes: ['TOO_LATE'], table_name: 'shop_silver.orders' },
        { source: 'prices', codes: ['TOO_LATE'], table_name: 'shop_silver.prices' },
      ],
    );
    await lake.run({ backfill: {}, run_date: '2027-01-01' });
    assert.deepEqual(await ids('orders'), [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]);
    assert.deepEqual(await ids('prices'), [{ id: 1 }, { id: 2 }]);
  });
});
