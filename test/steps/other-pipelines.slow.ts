import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import type { RunPlan } from '../../lib/core/run.ts';
import { csv, definePipeline, identity, scd2 } from '../../lib/define/index.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { currentSnapshot, RUN_ID, snapshotById } from '../../lib/iceberg/snapshot.ts';
import { readJson, runFolder } from '../../lib/lake/run/run-folder.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { stoppedStore } from '../support/stopped-store.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const HEADER = 'id,amount\n';

/** Two tables that always agree, where a run has published all of it. */
function retail(columns: Readonly<Record<string, string>> = {}, sql = 'SELECT * FROM batch.rows'): TestPipeline {
  return {
    name: 'retail',
    definition: definePipeline({
      name: 'retail',
      sources: { rows: csv({ columns: { id: 'int', amount: 'int', ...columns } as never }) },
      silver: { items: { from: 'rows', sql: 'items.sql', partitionBy: [identity('id')] } },
      gold: { sales: { sql: 'sales.sql' } },
    }),
    sql: { 'items.sql': sql, 'sales.sql': 'SELECT sum(amount) AS amount FROM silver.items' },
  };
}

const TWICE = `SELECT (SELECT sum(amount) FROM retail.silver.items) AS of_items, (SELECT amount FROM retail.gold.sales) AS of_sales,
  (SELECT count(*) FROM silver.notes) AS notes`;

function fin(sql: string = TWICE, touched = false): TestPipeline {
  const refresh = touched ? { refresh: 'touched' as const, partitionBy: [identity('id')] } : {};
  return {
    name: 'fin',
    definition: definePipeline({
      name: 'fin',
      sources: { notes: csv({ columns: { id: 'int' } }) },
      silver: { notes: { from: 'notes' } },
      gold: { margin: { sql: 'margin.sql', ...refresh } },
    }),
    sql: { 'margin.sql': sql },
  };
}

type Lakes = { readonly fin: TestLake; readonly retail: TestLake };

async function withLakes(
  pipelines: readonly [TestPipeline, TestPipeline],
  use: (lakes: Lakes) => Promise<void>,
): Promise<void> {
  const [reader, read] = pipelines;
  const lake = await openTestLake(reader, { others: [read] });
  try {
    await use({ fin: lake, retail: lake.of('retail') });
  } finally {
    lake.close();
  }
}

const margin = (lake: TestLake): Promise<readonly unknown[]> => lake.rows('fin_gold.margin');
const pinned = async (lake: TestLake, run_id: string): Promise<RunPlan['tables']> =>
  (await readJson<RunPlan>(lake.store, runFolder.plan({ pipeline: 'fin', run_id, dry_run: false }))).tables;

/** Retail with a store that stands still before the n-th file of metadata that it writes: one is a table's commit. */
function stopping(
  lake: TestLake,
  commit: number,
): Disposable & { readonly lake: TestLake; readonly reached: Promise<void>; release(): void } {
  const stopped = stoppedStore(
    lake.store,
    commit,
    'before',
    (operation, key) => operation === 'write' && /^(silver|gold)\/retail\/.*\.metadata\.json/.test(key),
  );
  const reopened = lake.reopen((deps) => ({
    ...deps,
    store: stopped.store,
    catalog: createFileCatalog(stopped.store, { parse: parseMetadata, render: renderMetadata }),
  }));
  const { reached, release } = stopped;
  return { lake: reopened, reached, release, [Symbol.dispose]: release };
}

describe('gold over tables of another pipeline', () => {
  test('may be all that a pipeline has', async () => {
    const alone = {
      name: 'fin',
      definition: definePipeline({ name: 'fin', sources: {}, gold: { margin: { sql: 'margin.sql' } } }),
      sql: { 'margin.sql': 'SELECT amount * 2 AS twice FROM retail.gold.sales' },
    };
    await withLakes([alone, retail()], async (lakes) => {
      for (const [n, amount] of [10, 5].entries()) {
        await lakes.retail.land('rows', `${n}.csv`, `${HEADER}${n},${amount}\n`);
        await lakes.retail.run({ runId: `retail-${n}` });
        assert.equal((await planRun(lakes.fin.deps, 'fin')).status, 'WORK');
        assert.equal((await lakes.fin.run({ runId: `fin-${n}` })).status, 'SUCCEEDED');
        assert.deepEqual(await margin(lakes.fin), [{ twice: n === 0 ? '20' : '30' }]);
        assert.equal((await planRun(lakes.fin.deps, 'fin')).status, 'NOTHING_TO_DO');
      }
      assert.deepEqual((await lakes.fin.answer({ runId: 'again' })).kind, 'nothing');
    });
  });

  test('is computed when they have changed, and says so', async () => {
    await withLakes([fin(), retail()], async (lakes) => {
      await lakes.retail.land('rows', 'a.csv', `${HEADER}1,10\n`);
      await lakes.retail.run({ runId: 'retail-1' });
      await lakes.fin.land('notes', 'a.csv', 'id\n1\n');
      assert.equal((await lakes.fin.run({ runId: 'fin-1' })).status, 'SUCCEEDED');
      assert.deepEqual(await margin(lakes.fin), [{ of_items: '10', of_sales: '10', notes: 1 }]);
      const tables = await pinned(lakes.fin, 'fin-1');
      const sales = await lakes.retail.metadata('retail_gold.sales');
      assert.equal(tables['retail.gold.sales']?.snapshot_id, String(sales?.['current-snapshot-id']));
      assert.match(tables['retail.silver.items']?.metadata_location ?? '', /silver\/retail\/items\/metadata\//);
      assert.equal((await lakes.fin.answer({ runId: 'fin-2' })).kind, 'nothing');

      await lakes.retail.land('rows', 'b.csv', `${HEADER}2,5\n`);
      await lakes.retail.run({ runId: 'retail-2' });
      const [due] = (await planRun(lakes.fin.deps, 'fin')).levels.flatMap((level) => level.tables);
      assert.equal(due?.table, 'fin_gold.margin');
      assert.equal(due.reason, 'retail.silver.items, retail.gold.sales changed');
      assert.equal((await lakes.fin.run({ runId: 'fin-3' })).status, 'SUCCEEDED');
      assert.deepEqual(await margin(lakes.fin), [{ of_items: '15', of_sales: '15', notes: 1 }]);
    });
  });

  test('needs no file of its own pipeline', async () => {
    await withLakes([fin(), retail()], async (lakes) => {
      await lakes.retail.land('rows', 'a.csv', `${HEADER}1,10\n`);
      await lakes.retail.run();
      assert.equal((await lakes.fin.run()).status, 'SUCCEEDED');
      assert.deepEqual(await margin(lakes.fin), [{ of_items: '10', of_sales: '10', notes: 0 }]);
    });
  });

  test('reads what the last finished run left while another publishes, wherever that stands', async () => {
    for (const commit of [1, 2]) {
      await withLakes([fin(), retail()], async (lakes) => {
        await lakes.retail.land('rows', 'a.csv', `${HEADER}1,10\n`);
        await lakes.retail.run({ runId: 'retail-1' });
        await lakes.retail.land('rows', 'b.csv', `${HEADER}2,5\n`);
        using publisher = stopping(lakes.retail, commit);
        const second = publisher.lake.run({ runId: 'retail-2' });
        await publisher.reached;
        const items = await lakes.retail.metadata('retail_silver.items');
        assert.equal(items && currentSnapshot(items)?.summary[RUN_ID], commit === 1 ? 'retail-1' : 'retail-2');

        assert.equal((await lakes.fin.run({ runId: 'fin-1' })).status, 'SUCCEEDED');
        assert.deepEqual(await margin(lakes.fin), [{ of_items: '10', of_sales: '10', notes: 0 }]);
        const id = (await pinned(lakes.fin, 'fin-1'))['retail.silver.items']?.snapshot_id;
        assert.equal(items && snapshotById(items, BigInt(id ?? 0))?.summary[RUN_ID], 'retail-1');
        assert.equal((await lakes.fin.answer({ runId: 'fin-2' })).kind, 'nothing');

        publisher.release();
        assert.equal((await second).status, 'SUCCEEDED');
        assert.equal((await lakes.fin.run({ runId: 'fin-3' })).status, 'SUCCEEDED');
        assert.deepEqual(await margin(lakes.fin), [{ of_items: '15', of_sales: '15', notes: 0 }]);
      });
    }
  });

  test('takes tables of one run although another ends between two looks', async () => {
    await withLakes([fin(), retail()], async (lakes) => {
      await lakes.retail.land('rows', 'a.csv', `${HEADER}1,10\n`);
      await lakes.retail.run({ runId: 'retail-1' });
      await lakes.retail.land('rows', 'b.csv', `${HEADER}2,5\n`);
      let runs = 0;
      const between = lakes.fin.reopen((deps) => ({
        ...deps,
        catalog: {
          ...deps.catalog,
          load: async (id) => {
            const entry = await deps.catalog.load(id);
            if (id.pipeline === 'retail' && runs++ === 0) await lakes.retail.run({ runId: 'retail-2' });
            return entry;
          },
        },
      }));
      assert.equal((await between.run({ runId: 'fin-1' })).status, 'SUCCEEDED');
      assert.deepEqual(await margin(lakes.fin), [{ of_items: '15', of_sales: '15', notes: 0 }]);
    });
  });

  test('of a pipeline that has yet to publish is refused, and nothing is done', async () => {
    await withLakes([fin(), retail()], async (lakes) => {
      await lakes.fin.land('notes', 'a.csv', 'id\n1\n');
      const refused = async (): Promise<string> => {
        const { status, error } = await lakes.fin.run();
        assert.equal(status, 'FAILED');
        return error?.message ?? '';
      };
      const expected =
        /fin reads retail\.gold\.sales, retail\.silver\.items, which no run has published yet; nothing was done\. Run first: strata run retail; .*--exclude gold\.margin/;
      assert.match(await refused(), expected);
      await assert.rejects(planRun(lakes.fin.deps, 'fin'), expected);
      assert.equal(await lakes.fin.metadata('fin_silver.notes'), undefined);

      await lakes.retail.land('rows', 'a.csv', `${HEADER}1,10\n`);
      using publisher = stopping(lakes.retail, 2);
      const first = publisher.lake.run({ runId: 'retail-1' });
      await publisher.reached;
      assert.match(await refused(), expected);
      assert.equal((await lakes.fin.run({ exclude: ['gold.margin'] })).status, 'SUCCEEDED');
      publisher.release();
      await first;
      assert.equal((await lakes.fin.run()).status, 'SUCCEEDED');
      assert.deepEqual(await margin(lakes.fin), [{ of_items: '10', of_sales: '10', notes: 1 }]);
    });
  });

  test('of a pipeline that has changed since it ran is refused until it has run', async () => {
    await withLakes([fin(), retail()], async (lakes) => {
      await lakes.retail.land('rows', 'a.csv', `${HEADER}1,10\n`);
      await lakes.retail.run();
      const changed = retail({ note: 'string' });
      const specs = new Map(
        await Promise.all(
          [fin(), changed].map(
            async (one) => [one.name, await compileTest(one, lakes.fin.scratch, [fin(), changed])] as const,
          ),
        ),
      );
      const now = lakes.fin.reopen((deps) => ({ ...deps, specs: async (name) => specs.get(name) ?? deps.specs(name) }));
      const { error } = await now.run();
      assert.match(
        error?.message ?? '',
        /fin reads retail\.silver\.items, whose pipeline has changed .* without note string; .*strata run retail/,
      );
      await lakes.retail.land('rows', 'b.csv', 'id,amount,note\n2,5,x\n');
      await now.of('retail').run();
      assert.equal((await now.run()).status, 'SUCCEEDED');
      assert.deepEqual(await margin(lakes.fin), [{ of_items: '15', of_sales: '15', notes: 0 }]);
    });
  });

  test('computes the partitions that changed there, and all of the table where it was made anew', async () => {
    const sql = 'SELECT id, sum(amount) AS amount FROM retail.silver.items GROUP BY id';
    await withLakes([fin(sql, true), retail()], async (lakes) => {
      await lakes.retail.land('rows', 'a.csv', `${HEADER}1,10\n2,20\n`);
      await lakes.retail.run();
      await lakes.fin.run({ runId: 'fin-1' });
      await lakes.retail.land('rows', 'b.csv', `${HEADER}2,5\n`);
      await lakes.retail.run();
      const [due] = (await planRun(lakes.fin.deps, 'fin')).levels.flatMap((level) => level.tables);
      assert.deepEqual(due?.partitions?.known, ['id=2']);
      assert.equal((await lakes.fin.run({ runId: 'fin-2' })).tables['fin_gold.margin']?.rows_added, 1);
      assert.deepEqual(await margin(lakes.fin), [
        { id: 1, amount: '10' },
        { id: 2, amount: '25' },
      ]);
      await lakes.retail.run({ backfill: {} });
      assert.equal((await lakes.fin.run({ runId: 'fin-3' })).tables['fin_gold.margin']?.rows_added, 2);
      assert.deepEqual(await margin(lakes.fin), [
        { id: 1, amount: '10' },
        { id: 2, amount: '25' },
      ]);
    });
  });

  test('of a run that died is computed from what was pinned, whatever the other has published since', async () => {
    await withLakes([fin(), retail()], async (lakes) => {
      await lakes.retail.land('rows', 'a.csv', `${HEADER}1,10\n`);
      await lakes.retail.run();
      const dying = stoppedStore(
        lakes.fin.store,
        1,
        'before',
        (op, key) => op === 'write' && key.includes('/level-1/plan.json'),
      );
      const killed = lakes.fin.reopen((deps) => ({ ...deps, store: dying.store })).run({ runId: 'fin-1' });
      killed.catch(() => {});
      await dying.reached;
      await lakes.retail.land('rows', 'b.csv', `${HEADER}2,5\n`);
      await lakes.retail.run();
      const next = lakes.fin.reopen((deps) => ({ ...deps, isGone: () => true }));
      const ended = await next.run({ runId: 'fin-2' });
      assert.equal(ended.status, 'SUCCEEDED');
      const snapshots = (await lakes.fin.metadata('fin_gold.margin'))?.snapshots ?? [];
      assert.deepEqual(
        snapshots.map(({ summary }) => summary[RUN_ID]),
        ['fin-1', 'fin-2'],
      );
      const inputs = snapshots.map(({ summary }) => JSON.parse(summary['strata.inputs'] ?? '{}')['retail.gold.sales']);
      assert.equal(inputs[0], (await pinned(lakes.fin, 'fin-1'))['retail.gold.sales']?.snapshot_id);
      assert.notEqual(inputs[0], inputs[1]);
      assert.deepEqual(await margin(lakes.fin), [{ of_items: '15', of_sales: '15', notes: 0 }]);
      dying.release();
    });
  });

  test('reads a keyed table and its log, and is due once that was rebuilt', async () => {
    const keyed: TestPipeline = {
      name: 'retail',
      definition: definePipeline({
        name: 'retail',
        sources: { rows: csv({ columns: { id: 'int', amount: 'int' } }) },
        silver: { items: { from: 'rows', mode: scd2({ key: 'id', sequence: 'amount' }) } },
      }),
    };
    const sql = `SELECT (SELECT count(*) FROM retail.silver.items__log) AS events,
      (SELECT sum(amount) FROM retail.silver.items WHERE is_current) AS amount`;
    await withLakes([fin(sql), keyed], async (lakes) => {
      await lakes.retail.land('rows', 'a.csv', `${HEADER}1,10\n1,12\n`);
      await lakes.retail.run();
      await lakes.fin.run();
      assert.deepEqual(await margin(lakes.fin), [{ events: 2, amount: '12' }]);
      await lakes.retail.run({ rebuild: 'retail_silver.items' });
      const [due] = (await planRun(lakes.fin.deps, 'fin')).levels.flatMap((level) => level.tables);
      assert.match(due?.reason ?? '', /retail\.silver\.items changed/);
    });
  });

  test('is neither kept waiting by the lock of the other nor shows what that has not published', async () => {
    await withLakes([fin(), retail()], async (lakes) => {
      await lakes.retail.land('rows', 'a.csv', `${HEADER}1,10\n`);
      await lakes.retail.run({ runId: 'retail-1' });
      await lakes.retail.land('rows', 'b.csv', `${HEADER}2,5\n`);
      const staging = stoppedStore(
        lakes.retail.store,
        1,
        'before',
        (op, key) => op === 'write' && key.endsWith('/committing.json'),
      );
      const second = lakes.retail.reopen((deps) => ({ ...deps, store: staging.store })).run({ runId: 'retail-2' });
      await staging.reached;
      assert.equal((await lakes.fin.run({ runId: 'fin-1' })).status, 'SUCCEEDED');
      assert.deepEqual(await margin(lakes.fin), [{ of_items: '10', of_sales: '10', notes: 0 }]);
      staging.release();
      await second;
    });
  });
});
