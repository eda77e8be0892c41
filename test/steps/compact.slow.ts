import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { parseTableName } from '../../lib/core/tables.ts';
import { setProperties } from '../../lib/iceberg/changes.ts';
import { withQuery } from '../../lib/query/select.ts';
import { traceRows } from '../../lib/query/trace.ts';
import { expireTables, vacuumTables } from '../../lib/runtime/maintain.ts';
import { changeTable } from '../../lib/table/change.ts';
import { dying, successor } from '../support/dying.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';
import {
  answer,
  compact,
  filesOf,
  landOrders,
  rowsOf,
  runOften,
  SHOP,
  snapshotOf,
  strayFiles,
} from './compact-lake.ts';

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

/** A lake that five runs have left with small files; each test has a copy of it. */
const often = (async () => {
  const lake = await openTestLake(SHOP);
  opened.push(lake);
  await runOften(lake, 5);
  return lake;
})();

async function openLake(): Promise<TestLake> {
  const lake = await (await often).copy();
  opened.push(lake);
  return lake;
}

describe('a compaction', () => {
  test('joins the small files of each partition, in one snapshot that changes no rows', async () => {
    const lake = await openLake();
    const before = await rowsOf(lake);
    assert.equal((await filesOf(lake, 'shop_silver.orders')).length, 10);
    const result = await compact(lake, { table: 'shop_silver.orders' }, { runId: 'c1' });
    assert.deepEqual(
      result.tables.map(({ table, partitions, files, rows, files_after, reasons }) => ({
        table,
        partitions,
        files,
        rows,
        files_after,
        reasons,
      })),
      [{ table: 'shop_silver.orders', partitions: 2, files: 10, rows: 15, files_after: 2, reasons: { small: 10 } }],
    );
    assert.equal((await filesOf(lake, 'shop_silver.orders')).length, 2);
    assert.deepEqual(await rowsOf(lake), before);
    const { summary } = await snapshotOf(lake, 'shop_silver.orders');
    assert.equal(summary.operation, 'replace');
    assert.equal(summary['strata.run_id'], 'c1');
    assert.equal(summary['total-records'], '15');
    assert.equal(summary['strata.compact'], undefined);
    assert.deepEqual(await strayFiles(lake, 'shop_silver.orders'), []);
  });

  test('of a pipeline takes all its tables and its books, and says so in the table of runs', async () => {
    const lake = await openLake();
    const before = await rowsOf(lake);
    const result = await compact(lake, {}, { runId: 'c1' });
    assert.deepEqual(await rowsOf(lake), before);
    for (const table of ['shop_silver.flat', 'shop_ops.files', 'shop_ops.accounting']) {
      assert.equal((await filesOf(lake, table)).length, 1, table);
      assert.ok(
        result.tables.some((one) => one.table === table),
        table,
      );
    }
    // By name, with the whole of the first and the last: a run looks up names in the files that may have them.
    const keys = (await lake.rows('shop_ops.files', 'SELECT key FROM t')).map(({ key }) => String(key));
    assert.deepEqual(keys, keys.toSorted());
    const [ledger] = await filesOf(lake, 'shop_ops.files');
    assert.deepEqual(
      [ledger?.lowerBounds.get(2), ledger?.upperBounds.get(2)].map((bound) => Buffer.from(bound ?? []).toString()),
      [keys[0], keys.at(-1)],
    );
    const runs = await lake.rows(
      'shop_ops.runs',
      'SELECT run_id, kind, status, files, rows_added FROM t ORDER BY started_at',
    );
    assert.deepEqual(runs.slice(-2), [
      { run_id: 'run-4', kind: 'run', status: 'SUCCEEDED', files: 2, rows_added: runs.at(-2)?.['rows_added'] },
      { run_id: 'c1', kind: 'compact', status: 'SUCCEEDED', files: runs.at(-1)?.['files'], rows_added: 0 },
    ]);
  });

  test('leaves nothing to do for the next one, or for a run', async () => {
    const lake = await openLake();
    await compact(lake);
    assert.equal((await answer(lake)).kind, 'nothing');
    assert.equal((await answer(lake, { all: true })).kind, 'nothing');
    assert.equal((await lake.answer()).kind, 'nothing');
  });

  test('is followed by runs that compute gold of what is new alone', async () => {
    const lake = await openLake();
    await compact(lake);
    await landOrders(lake, 5);
    const result = await lake.run({ runId: 'after' });
    assert.equal(result.tables['shop_gold.days']?.files_added, 3);
    assert.deepEqual(await lake.rows('shop_gold.total'), [{ n: 18, amount: '45' }]);
    assert.deepEqual(
      (await lake.rows('shop_gold.days')).reduce((sum, { n }) => sum + Number(n), 0),
      18,
    );
  });

  test('looks at what was touched since the last one, and with all at everything', async () => {
    const lake = await openLake();
    await compact(lake, { table: 'shop_silver.orders' });
    const touched = async (all: boolean) => {
      const given = await answer(lake, { table: 'shop_silver.orders', min_files: 2, all }, { dryRun: true });
      return given.kind === 'planned' ? given.tables.map(({ partitions, files }) => ({ partitions, files })) : given;
    };
    await lake.land('orders', 'march.csv', 'id,day,amount\n100,2026-02-01,1\n');
    await lake.run();
    assert.deepEqual(await touched(false), [{ partitions: 1, files: 2 }]);
    await lake.land('orders', 'april.csv', 'id,day,amount\n101,2026-01-01,1\n');
    await lake.run();
    await compact(lake, { table: 'shop_silver.orders', min_files: 2, where: "day_month = '2026-02'" });
    assert.deepEqual(await touched(false), [{ partitions: 1, files: 2 }]);
    await compact(lake, { table: 'shop_silver.orders', min_files: 2 });
    assert.deepEqual(await touched(true), []);
  });

  test('with a dry run only looks', async () => {
    const lake = await openLake();
    const before = await snapshotOf(lake, 'shop_silver.orders');
    const given = await answer(
      lake,
      { where: "day_month >= '2026-02'", table: 'shop_silver.orders' },
      { dryRun: true },
    );
    assert.ok(given.kind === 'planned');
    assert.deepEqual(
      given.tables.map(({ bytes: _bytes, ...table }) => table),
      [
        {
          table: 'shop_silver.orders',
          partitions: 1,
          files: 5,
          rows: 5,
          files_after: 1,
          bytes_after: null,
          reasons: { small: 5 },
        },
      ],
    );
    assert.deepEqual(await snapshotOf(lake, 'shop_silver.orders'), before);
    assert.equal(await lake.store.head('ops/shop/maintenance-lock.json'), undefined);
  });

  test('leaves the past as it was, and each row with its file of bronze and its run', async () => {
    const lake = await openLake();
    const count = 'SELECT count(*) AS n FROM shop_silver.flat';
    const asOf = async (moment: string): Promise<unknown> =>
      withQuery(lake.deps, { sql: count, asOf: moment }, async (result) => {
        for await (const page of result.pages()) return page;
        return [];
      });
    await compact(lake, {}, { runId: 'c1' });
    assert.deepEqual([await asOf('run-1'), await asOf('run-4')], [[{ n: 6 }], [{ n: 15 }]]);
    const { rows } = await traceRows(lake.deps, { table: 'shop_silver.flat', where: 'id = 7', limit: 1 });
    assert.deepEqual(
      rows.flatMap(({ origins }) => origins.map(({ file, run_id }) => [file, run_id])),
      [['bronze/shop/orders/2.csv', 'run-2']],
    );
  });

  test('that died is needed by nothing but itself: what expire and vacuum leave is enough to finish it', async () => {
    const lake = await openLake();
    const before = await rowsOf(lake);
    const calm = await lake.copy();
    opened.push(calm);
    const counted = dying(calm, Number.POSITIVE_INFINITY);
    await compact(counted.lake, {}, { runId: 'c1' });
    // Once all files are written, and before any table has them.
    const dead = dying(lake, Math.floor(counted.changes() / 2));
    await answer(dead.lake, {}, { runId: 'c1' });
    const next = successor(lake);
    const now = { target: 'shop', olderThanMs: 0, forceRetention: true };
    await expireTables(next.deps, { ...now, keep: 1 });
    await vacuumTables(next.deps, now);
    assert.equal((await compact(next, {}, { runId: 'c1' })).run_id, 'c1');
    assert.deepEqual(await rowsOf(lake), before);
    assert.equal((await filesOf(lake, 'shop_silver.flat')).length, 1);
  });

  const REFUSED: readonly (readonly [request: object, says: RegExp])[] = [
    [{ table: 'shop_silver.nothing' }, /no table shop_silver\.nothing/],
    [{ table: 'other_silver.orders' }, /got table other_silver\.orders; expected a table of that pipeline/],
    [{ sort: ['id'] }, /--sort with a pipeline: .* expected one table/],
    [{ table: 'shop_silver.orders', where: 'id > 3' }, /--where id > 3: .*day_month \(VARCHAR\)/],
    [{ table: 'shop_silver.flat', where: 'id > 3' }, /shop_silver\.flat is not partitioned/],
    [
      { table: 'shop_silver.orders', zorder: ['nothing'] },
      /--zorder nothing: got a column that the table does not have/,
    ],
    [{ table: 'shop_gold.days', sort: ['day'] }, /--sort day: got a partition column/],
    [{ table: 'shop_ops.quarantine', sort: ['codes'] }, /--sort codes: got a nested column/],
  ];
  for (const [request, says] of REFUSED) {
    test(`refuses ${JSON.stringify(request)}, and nothing was done`, async () => {
      const lake = await openLake();
      const given = await answer(lake, request, { runId: 'c1' });
      assert.ok(given.kind === 'ended');
      assert.match(given.result.error?.message ?? '', says);
      assert.equal(await lake.store.head('ops/shop/open-maintenance.json'), undefined);
    });
  }
});

describe('a compaction of manifests', () => {
  test('merges them though no file is worth rewriting, and once', async () => {
    const lake = await openLake();
    const properties = { 'commit.manifest.min-count-to-merge': '4', 'commit.manifest-merge.enabled': 'false' };
    const id = parseTableName('shop_silver.flat');
    await changeTable(lake.deps, id, async ({ metadata }) => setProperties(metadata, properties));
    const [before, rows] = [await filesOf(lake, 'shop_silver.flat'), await rowsOf(lake)];
    const planned = await answer(lake, { table: 'shop_silver.flat', min_files: 100 }, { dryRun: true });
    assert.deepEqual(planned.kind === 'planned' && planned.tables.map(({ files, manifests }) => [files, manifests]), [
      [0, { merged: 5, into: 1 }],
    ]);
    const { tables, rounds } = await compact(lake, { table: 'shop_silver.flat', min_files: 100 }, { runId: 'm' });
    assert.deepEqual(
      tables.map(({ table, files, files_after, manifests }) => ({ table, files, files_after, manifests })),
      [{ table: 'shop_silver.flat', files: 0, files_after: 0, manifests: { merged: 5, into: 1 } }],
    );
    assert.equal(rounds, 1);
    assert.deepEqual(await filesOf(lake, 'shop_silver.flat'), before);
    assert.deepEqual(await rowsOf(lake), rows);
    const { summary } = await snapshotOf(lake, 'shop_silver.flat');
    assert.deepEqual(
      ['operation', 'strata.run_id', 'manifests-created', 'manifests-kept'].map((name) => summary[name]),
      ['replace', 'm', '1', '0'],
    );
    assert.equal((await answer(lake, { table: 'shop_silver.flat', min_files: 100 })).kind, 'nothing');
    await landOrders(lake, 6);
    assert.equal(
      (await lake.run({ runId: 'after' })).tables['shop_gold.days']?.files_added,
      3,
      'gold follows rows alone',
    );
  });

  test('that dies before any of its changes is finished by the next', async () => {
    const made = await openLake();
    const id = parseTableName('shop_silver.flat');
    const properties = { 'commit.manifest.min-count-to-merge': '4', 'commit.manifest-merge.enabled': 'false' };
    await changeTable(made.deps, id, async ({ metadata }) => setProperties(metadata, properties));
    const asked = { table: 'shop_silver.flat', min_files: 100 };
    const rows = await made.rows('shop_silver.flat');
    const counted = dying(await made.copy(), Number.POSITIVE_INFINITY);
    await compact(counted.lake, asked, { runId: 'm' });
    for (let n = 1; n <= counted.changes(); n += 1) {
      const lake = await made.copy();
      await answer(dying(lake, n).lake, asked, { runId: 'm' });
      await compact(successor(lake), asked, { runId: 'm' });
      assert.deepEqual(await lake.rows('shop_silver.flat'), rows, `crash before change ${n}`);
      const { summary } = await snapshotOf(lake, 'shop_silver.flat');
      assert.deepEqual(
        [summary['manifests-created'], summary['manifests-kept']],
        ['1', '0'],
        `crash before change ${n}`,
      );
      lake.close();
    }
  });
});
