import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MaintenanceResult } from '../../lib/core/maintenance.ts';
import { append, definePipeline, identity, json, scd2, upsert } from '../../lib/define/index.ts';
import { currentSnapshot } from '../../lib/iceberg/snapshot.ts';
import type { Catalog } from '../../lib/ports.ts';
import { readKeyHistory } from '../../lib/query/key-history.ts';
import { listTables } from '../../lib/query/list-tables.ts';
import { queryRows, withQuery } from '../../lib/query/select.ts';
import { traceRows } from '../../lib/query/trace.ts';
import { compactTables } from '../../lib/runtime/compact.ts';
import { deleteByPosition } from '../support/position-deletes.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

/** Rows that another engine deleted by position stay deleted for every reader, and in what our own commits leave. */

const COLUMNS = { id: { type: 'bigint', required: true }, kind: 'string', file_row_number: 'int' } as const;

const PIPELINE: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: {
      orders: json({ layout: 'lines', columns: COLUMNS }),
      people: json({ layout: 'lines', columns: COLUMNS }),
      goods: json({ layout: 'lines', columns: COLUMNS }),
    },
    silver: {
      orders: { from: 'orders', mode: append({ dedupe: { key: 'id' } }), partitionBy: [identity('kind')] },
      people: { from: 'people', mode: scd2({ key: 'id', sequence: 'file_row_number', buckets: 1 }) },
      goods: { from: 'goods', mode: upsert({ key: 'id', sequence: 'file_row_number', buckets: 1 }) },
    },
    gold: {
      kinds: {
        sql: 'kinds.sql',
        partitionBy: [identity('kind')],
        refresh: 'touched',
      },
    },
  } as unknown as Parameters<typeof definePipeline>[0]),
  sql: { 'kinds.sql': 'SELECT kind, count(*) AS n FROM silver.orders GROUP BY kind' },
};

function lines(...rows: readonly (readonly [id: number, kind: string, at: number])[]): string {
  return rows.map(([id, kind, at]) => `${JSON.stringify({ id, kind, file_row_number: at })}\n`).join('');
}

async function withLake(use: (lake: TestLake) => Promise<void>): Promise<void> {
  const lake = await openTestLake(PIPELINE);
  try {
    for (const source of ['orders', 'people', 'goods']) {
      await lake.land(source, 'a.json', lines([1, 'a', 10], [2, 'a', 20], [3, 'b', 30], [4, 'b', 40]));
    }
    await lake.run({ runId: 'first' });
    await use(lake);
  } finally {
    lake.close();
  }
}

const ids = async (lake: TestLake, table = 'shop_silver.orders'): Promise<readonly unknown[]> =>
  (await queryRows(lake.deps, `SELECT id FROM ${table} ORDER BY id`)).map((row) => row['id']);

async function idsAsOf(lake: TestLake, asOf: string): Promise<readonly unknown[]> {
  return withQuery(lake.deps, { sql: 'SELECT id FROM shop_silver.orders ORDER BY id', asOf }, async (result) => {
    const found: unknown[] = [];
    for await (const page of result.pages()) found.push(...page.map((row) => row['id']));
    return found;
  });
}

/** Rows of the current snapshot's summary. */
async function totals(lake: TestLake, table: string): Promise<Readonly<Record<string, string | undefined>>> {
  const { summary } = currentSnapshot((await lake.metadata(table)) ?? assert.fail()) ?? assert.fail();
  return Object.fromEntries(
    ['total-records', 'total-data-files', 'total-delete-files', 'total-position-deletes'].map((key) => [
      key,
      summary[key],
    ]),
  );
}

for (const eachFile of [false, true]) {
  test(`deleted rows are not read, with delete files ${eachFile ? 'of a data file' : 'of a partition'}`, async () => {
    await withLake(async (lake) => {
      await deleteByPosition(lake, 'shop_silver.orders', 'id IN (1, 4)', { eachFile });
      await deleteByPosition(lake, 'shop_silver.orders', 'id IN (3, 4)', { eachFile });
      const rows = await lake.rows('shop_silver.orders', 'SELECT id, kind, file_row_number FROM t ORDER BY ALL');
      assert.deepEqual(rows, [{ id: 2, kind: 'a', file_row_number: 20 }]);
      assert.deepEqual(await ids(lake), [2]);
      assert.deepEqual(await idsAsOf(lake, 'first'), [1, 2, 3, 4]);
      const listed = (await listTables(lake.deps)).find(({ name }) => name === 'shop_silver.orders');
      assert.deepEqual([listed?.rows, listed?.files], [1, 2]);
      const traced = await traceRows(lake.deps, { table: 'shop_silver.orders', where: 'true', limit: 10 });
      assert.deepEqual(
        traced.rows.map(({ row, origins }) => [row['id'], origins.map((one) => [one.run_id, ...one.lines])]),
        [[2, [['first', 2]]]],
      );
    });
  });
}

test('rows that are deleted may come again, and our commits leave the others deleted', async () => {
  await withLake(async (lake) => {
    await deleteByPosition(lake, 'shop_silver.orders', 'id IN (1, 4)');
    await lake.land('orders', 'b.json', lines([1, 'a', 11], [2, 'a', 21], [5, 'b', 50]));
    const result = await lake.run({ runId: 'second' });
    assert.deepEqual(result.accounting['orders'], {
      read: 3,
      accepted: 2,
      quarantined: 0,
      condemned: 0,
      duplicates: 1,
    });
    const rows = await queryRows(lake.deps, 'SELECT id, file_row_number AS at FROM shop_silver.orders ORDER BY ALL');
    assert.deepEqual(rows, [
      { id: 1, at: 11 },
      { id: 2, at: 20 },
      { id: 3, at: 30 },
      { id: 5, at: 50 },
    ]);
    assert.deepEqual(await lake.rows('shop_gold.kinds'), [
      { kind: 'a', n: 2 },
      { kind: 'b', n: 2 },
    ]);
    assert.deepEqual(await totals(lake, 'shop_silver.orders'), {
      'total-records': '6',
      'total-data-files': '4',
      'total-delete-files': '2',
      'total-position-deletes': '2',
    });
  });
});

test('gold of the partitions that a delete touched is made anew, and of no other', async () => {
  await withLake(async (lake) => {
    await deleteByPosition(lake, 'shop_silver.orders', 'id = 4', { eachFile: true });
    await lake.run({ runId: 'second' });
    assert.deepEqual(await lake.rows('shop_gold.kinds'), [
      { kind: 'a', n: 2 },
      { kind: 'b', n: 1 },
    ]);
    const { summary } = currentSnapshot((await lake.metadata('shop_gold.kinds')) ?? assert.fail()) ?? assert.fail();
    assert.deepEqual([summary['added-data-files'], summary['deleted-data-files']], ['1', '1']);
  });
});

test('keyed tables keep what is deleted of their history and of their log, and rewriting leaves no delete file', async () => {
  await withLake(async (lake) => {
    for (const table of ['people', 'people__log', 'goods', 'goods__log']) {
      await deleteByPosition(lake, `shop_silver.${table}`, 'id = 2');
    }
    const history = await readKeyHistory({ ...lake.deps, specs: lake.deps.specs }, 'shop_silver.people', ['3']);
    assert.equal(history.versions.length, 1);
    await assert.rejects(readKeyHistory(lake.deps, 'shop_silver.people', ['2']), { name: 'InvalidInput' });
    await lake.land('people', 'b.json', lines([3, 'c', 35], [6, 'f', 60]));
    await lake.land('goods', 'b.json', lines([3, 'c', 35], [6, 'f', 60]));
    await lake.run({ runId: 'second' });
    const versions = 'SELECT id, kind, valid_from AS f, valid_to AS t FROM shop_silver.people ORDER BY ALL';
    assert.deepEqual(await queryRows(lake.deps, versions), [
      { id: 1, kind: 'a', f: 10, t: null },
      { id: 3, kind: 'b', f: 30, t: 35 },
      { id: 3, kind: 'c', f: 35, t: null },
      { id: 4, kind: 'b', f: 40, t: null },
      { id: 6, kind: 'f', f: 60, t: null },
    ]);
    assert.deepEqual(await queryRows(lake.deps, 'SELECT id, kind FROM shop_silver.goods ORDER BY ALL'), [
      { id: 1, kind: 'a' },
      { id: 3, kind: 'c' },
      { id: 4, kind: 'b' },
      { id: 6, kind: 'f' },
    ]);
    assert.deepEqual(await totals(lake, 'shop_silver.people'), {
      'total-records': '5',
      'total-data-files': '1',
      'total-delete-files': '0',
      'total-position-deletes': '0',
    });
  });
});

test('a compaction writes files without their deleted rows, and nothing is deleted twice', async () => {
  await withLake(async (lake) => {
    await deleteByPosition(lake, 'shop_silver.orders', 'id IN (1, 3, 4)');
    const first = await compact(lake);
    assert.deepEqual(
      first.tables.map(({ table, files, rows, reasons }) => [table, files, rows, reasons]),
      [['shop_silver.orders', 2, 4, { deleted: 2 }]],
    );
    assert.deepEqual(await ids(lake), [2]);
    assert.deepEqual(await idsAsOf(lake, 'first'), [1, 2, 3, 4]);
    assert.deepEqual(await totals(lake, 'shop_silver.orders'), {
      'total-records': '1',
      'total-data-files': '1',
      'total-delete-files': '0',
      'total-position-deletes': '0',
    });
    assert.deepEqual(
      (await compactTables(lake.deps, { pipeline: 'shop', compact: {}, retryIntervalMs: 0 })).kind,
      'nothing',
    );
    await lake.run({ runId: 'second' });
    assert.deepEqual(await lake.rows('shop_gold.kinds'), [{ kind: 'a', n: 1 }]);
  });
});

test('rows that are deleted while files are written anew stay deleted', async () => {
  await withLake(async (lake) => {
    await deleteByPosition(lake, 'shop_silver.orders', 'id = 1');
    let done = false;
    const catalog: Catalog = {
      ...lake.deps.catalog,
      // Just before the compaction commits.
      async commit(id, base, next) {
        if (id.name === 'orders' && !done) {
          done = true;
          await deleteByPosition(lake, 'shop_silver.orders', 'id = 2');
        }
        return lake.deps.catalog.commit(id, base, next);
      },
    };
    await compact(lake.reopen((deps) => ({ ...deps, catalog })));
    assert.ok(done);
    assert.deepEqual(await ids(lake), [3, 4]);
  });
});

async function compact(lake: TestLake): Promise<MaintenanceResult> {
  const given = await compactTables(lake.deps, { pipeline: 'shop', compact: {}, retryIntervalMs: 0 });
  assert.equal(given.kind, 'ended', JSON.stringify(given));
  assert.equal(given.result.status, 'SUCCEEDED', JSON.stringify(given.result.error));
  return given.result;
}
