import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseTableName } from '../../lib/core/tables.ts';
import { append, definePipeline, identity, json, scd2 } from '../../lib/define/index.ts';
import { setProperties } from '../../lib/iceberg/changes.ts';
import { NAME_MAPPING } from '../../lib/iceberg/name-mapping.ts';
import type { DataFile, IcebergValue, TableMetadata } from '../../lib/iceberg/types.ts';
import { queryRows } from '../../lib/query/select.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { commitChange } from '../../lib/table/commit.ts';
import { prepareSnapshot } from '../../lib/table/prepare.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

/** Parquet files that another engine added to a table as they were, without Iceberg field ids. */

const COLUMNS = {
  id: { type: 'bigint', required: true },
  kind: 'string',
  tags: 'list<struct<k: string, v: int>>',
  day: 'date',
} as const;

const PIPELINE: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: {
      orders: json({ layout: 'lines', columns: COLUMNS }),
      people: json({ layout: 'lines', columns: COLUMNS }),
    },
    silver: {
      orders: { from: 'orders', mode: append({ dedupe: { key: 'id' } }), partitionBy: [identity('kind')] },
      people: { from: 'people', mode: scd2({ key: 'id', sequence: 'day', buckets: 1 }) },
    },
    gold: { kinds: { sql: 'kinds.sql' } },
  } as Parameters<typeof definePipeline>[0]),
  sql: { 'kinds.sql': 'SELECT kind, count(*) AS n, sum(len(tags)) AS tags FROM silver.orders GROUP BY kind' },
};

const LINE = '{"id":1,"kind":"a","tags":[{"k":"x","v":1}],"day":"2026-01-01"}\n';

async function withLake(use: (lake: TestLake) => Promise<void>): Promise<void> {
  const lake = await openTestLake(PIPELINE);
  try {
    await lake.land('orders', 'a.json', LINE);
    await lake.land('people', 'a.json', LINE);
    await lake.run({ runId: 'first' });
    await use(lake);
  } finally {
    lake.close();
  }
}

type Added = { readonly select: string; readonly partition: readonly IcebergValue[]; readonly fieldIds?: string };

/** Adds a file that DuckDB writes, as add_files does: in a snapshot that no run made, with what it measures or nothing. */
async function addFile(lake: TestLake, table: string, file: Added, properties: Readonly<Record<string, string>> = {}) {
  const id = parseTableName(table);
  const base = await lake.deps.catalog.load(id);
  assert.ok(base);
  const name = `${lake.deps.ids.unique()}.parquet`;
  const path = join(lake.scratch, name);
  const session = await lake.deps.engine.open(lake.deps.settings);
  const ids = file.fieldIds === undefined ? '' : `, FIELD_IDS ${file.fieldIds}`;
  await session.run({ name: 'foreign', text: userSql(`COPY (${file.select}) TO '${path}' (FORMAT parquet${ids})`) });
  await session[Symbol.asyncDispose]();
  const key = `silver/${id.pipeline}/${id.name}/data/foreign/${name}`;
  const { size } = await lake.store.publish(path, key);
  const alter = Object.keys(properties).length === 0 ? {} : { alter: setProperties(base.metadata, properties) };
  const prepared = await prepareSnapshot(lake.store, {
    base,
    ...alter,
    added: [dataFile(base.metadata, lake.store.location(key), size, file.partition)],
    remove: { kind: 'nothing' },
    snapshotId: lake.deps.ids.snapshot(),
    nowMs: lake.deps.clock.now().getTime(),
    unique: lake.deps.ids.unique(),
    summary: {},
  });
  await commitChange(lake.deps, id, prepared);
}

function dataFile(table: TableMetadata, path: string, size: number, partition: readonly IcebergValue[]): DataFile {
  const none = new Map<number, never>();
  return {
    path,
    specId: table['default-spec-id'],
    partition,
    rows: 1n,
    bytes: BigInt(size),
    columnSizes: none,
    valueCounts: none,
    nullCounts: none,
    nanCounts: none,
    lowerBounds: none,
    upperBounds: none,
    sortOrderId: null,
  };
}

/** As Iceberg libraries write it: every column under its own name, and one under an earlier one. */
async function mappingOf(lake: TestLake, table: string): Promise<Readonly<Record<string, string>>> {
  const metadata = await lake.metadata(table);
  const fields = (list: readonly { id: number; name: string; type: unknown }[]): unknown[] =>
    list.map(({ id, name, type }) => ({ 'field-id': id, names: [name, `old_${name}`], ...inside(type) }));
  const inside = (type: unknown): object => {
    if (typeof type !== 'object' || type === null) return {};
    const nested = type as { type: string; fields: []; element: unknown; 'element-id': number };
    if (nested.type === 'struct') return { fields: fields(nested.fields) };
    return { fields: [{ 'field-id': nested['element-id'], names: ['element'], ...inside(nested.element) }] };
  };
  return { [NAME_MAPPING]: JSON.stringify(fields(metadata?.schemas.at(-1)?.fields ?? [])) };
}

const ROW =
  "2::INTEGER AS id, 'a' AS kind, [{'v': 7::SMALLINT, 'old_k': 'y'}, NULL] AS old_tags, DATE '2026-02-02' AS day";
const READ = { id: 2, kind: 'a', tags: [{ k: 'y', v: 7 }, null], day: '2026-02-02' };
const OWN = { id: 1, kind: 'a', tags: [{ k: 'x', v: 1 }], day: '2026-01-01' };

test('a file without field ids is read by the name mapping: queries, gold, and rows that are known', async () => {
  await withLake(async (lake) => {
    const mapping = await mappingOf(lake, 'shop_silver.orders');
    await addFile(lake, 'shop_silver.orders', { select: `SELECT ${ROW}`, partition: ['a'] }, mapping);
    assert.deepEqual(await queryRows(lake.deps, 'SELECT * FROM shop_silver.orders ORDER BY id'), [OWN, READ]);
    await lake.land('orders', 'b.json', LINE.replace('"id":1', '"id":2') + LINE.replace('"id":1', '"id":3'));
    const result = await lake.run({ runId: 'second' });
    assert.deepEqual(result.accounting['orders'], {
      read: 2,
      accepted: 1,
      quarantined: 0,
      condemned: 0,
      duplicates: 1,
    });
    assert.deepEqual(await lake.rows('shop_gold.kinds'), [{ kind: 'a', n: 3, tags: '4' }]);
    const before = await queryRows(lake.deps, 'SELECT count(*) AS n FROM shop_silver.orders WHERE day IS NOT NULL');
    assert.deepEqual(before, [{ n: 3 }]);
  });
});

test('an identity partition stands for a column that a file lacks, with field ids or without', async () => {
  await withLake(async (lake) => {
    const mapping = await mappingOf(lake, 'shop_silver.orders');
    await addFile(lake, 'shop_silver.orders', { select: 'SELECT 5 AS id', partition: ["it's"] }, mapping);
    const withIds = { select: 'SELECT 6::BIGINT AS n', fieldIds: '{n: 1}', partition: ['b'] };
    await addFile(lake, 'shop_silver.orders', withIds);
    assert.deepEqual(await queryRows(lake.deps, 'SELECT id, kind, day FROM shop_silver.orders ORDER BY id'), [
      { id: 1, kind: 'a', day: '2026-01-01' },
      { id: 5, kind: "it's", day: null },
      { id: 6, kind: 'b', day: null },
    ]);
  });
});

test('files of several layouts in one table', async () => {
  await withLake(async (lake) => {
    const mapping = await mappingOf(lake, 'shop_silver.orders');
    const selects = [
      `SELECT ${ROW}`,
      "SELECT 9000000000 AS old_id, 'a' AS kind",
      "SELECT 4::TINYINT AS old_id, 'a' AS kind",
      "SELECT 3::BIGINT AS id, 'a' AS old_kind",
    ];
    for (const select of selects) await addFile(lake, 'shop_silver.orders', { select, partition: ['a'] }, mapping);
    const rows = await queryRows(lake.deps, 'SELECT id, kind FROM shop_silver.orders ORDER BY id');
    assert.deepEqual(
      rows.map((row) => [row['id'], row['kind']]),
      [1, 2, 3, 4, 9_000_000_000].map((id) => [id, 'a']),
    );
  });
});

test('a merge of keys takes such files of the log and of the history, and writes its own', async () => {
  await withLake(async (lake) => {
    for (const table of ['shop_silver.people', 'shop_silver.people__log']) {
      const metadata = await lake.metadata(table);
      assert.ok(metadata);
      const rows = await lake.rows(table);
      assert.equal(rows.length, 1);
      const literal = Object.entries(rows[0] ?? {}).map(([name, value]) => `${sql(name, value)} AS "${name}"`);
      const select = `SELECT ${literal.join(', ')}`.replace('1 AS "id"', '2 AS "id"');
      await addFile(lake, table, { select, partition: [0] }, await mappingOf(lake, table));
    }
    await lake.land('people', 'b.json', LINE.replace('"id":1', '"id":2').replaceAll('2026-01', '2026-03'));
    const result = await lake.run({ runId: 'second' });
    assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
    const rows = await lake.rows('shop_silver.people', 'SELECT id, day, kind, is_current FROM t ORDER BY ALL');
    assert.deepEqual(rows, [
      { id: 1, day: '2026-01-01', kind: 'a', is_current: true },
      { id: 2, day: '2026-03-01', kind: 'a', is_current: true },
    ]);
  });
});

function sql(name: string, value: unknown): string {
  if (value === null) return 'NULL';
  if (name === 'tags') return "[{'k': 'x', 'v': 1}]";
  if (/^(day|valid_from)$/.test(name)) return `DATE '${value}'`;
  return typeof value === 'string' ? `'${value}'` : String(value);
}

test('without a mapping such a file is refused by name, with the cure; other tables are read', async () => {
  await withLake(async (lake) => {
    await addFile(lake, 'shop_silver.orders', { select: `SELECT ${ROW}`, partition: ['a'] });
    await assert.rejects(queryRows(lake.deps, 'SELECT * FROM shop_silver.orders'), {
      name: 'UnreadableTable',
      message: /data\/foreign\/\d+\.parquet has no Iceberg field ids.*schema\.name-mapping\.default.*Set the property/,
    });
    assert.equal((await queryRows(lake.deps, 'SELECT * FROM shop_silver.people')).length, 1);
  });
});
