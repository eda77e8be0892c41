import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderDescription } from '../../../lib/cli/output/description.ts';
import type { TableDescription } from '../../../lib/query/describe-table.ts';

const TABLE: TableDescription = {
  name: 'shop_silver.orders',
  description: 'Every order.',
  location: 'file:///lake/silver/shop/orders',
  metadata_location: 'file:///lake/silver/shop/orders/metadata/v2.metadata.json',
  rows: 1200,
  files: 1,
  bytes: 34_000,
  snapshots: 2,
  current_snapshot_id: '42',
  updated: '2026-01-31T00:00:00.000Z',
  columns: [{ id: 1, name: 'id', type: 'long' }],
  partitioning: [
    { id: 1000, name: 'day_month', column: 'day', transform: 'month' },
    { id: 1001, name: 'region', column: 'region', transform: 'identity' },
  ],
  sort: [{ column: 'id', direction: 'asc' }],
  properties: { 'strata.model': 'silver.orders' },
  lineage: {
    reads: ['bronze/shop/orders'],
    read_by: ['shop_gold.a'],
    upstream: ['bronze/shop/orders'],
    downstream: ['shop_gold.a', 'shop_gold.b'],
  },
};

test('a description names layout, lineage and columns', () => {
  assert.equal(
    renderDescription(TABLE, {}),
    `shop_silver.orders: Every order.

holds           1,200 rows in 1 file, 34 kB
snapshots       2 snapshots, current 42
changed         2026-01-31T00:00:00.000Z
location        file:///lake/silver/shop/orders
metadata        file:///lake/silver/shop/orders/metadata/v2.metadata.json
partitioned by  month(day), region
sorted by       id asc
property        strata.model = silver.orders
reads           bronze/shop/orders
upstream        -
read by         shop_gold.a
downstream      shop_gold.b

┌────┬──────┬──────┐
│ id │ name │ type │
├────┼──────┼──────┤
│  1 │ id   │ long │
└────┴──────┴──────┘
`,
  );
});

test('without a pipeline there is no lineage, and an empty table has no snapshot', () => {
  const bare = { ...TABLE, description: null, lineage: null, current_snapshot_id: null, partitioning: [], sort: [] };
  const text = renderDescription(bare, {});
  assert.match(text, /^shop_silver\.orders\n/);
  assert.match(text, /current none\n[\s\S]*partitioned by {2}-\nsorted by {7}-\n/);
  assert.doesNotMatch(text, /reads/);
});
