import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { InvalidInput, LockHeld, Unavailable } from '../../lib/core/errors.ts';
import { parseTableName } from '../../lib/core/tables.ts';
import { append, csv, definePipeline, upsert } from '../../lib/define/index.ts';
import { readMarks } from '../../lib/lake/ops/marks.ts';
import { releaseLock, takeLock } from '../../lib/lake/run/lock.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { withQuery } from '../../lib/query/select.ts';
import type { RollbackRequest } from '../../lib/runtime/plan-rollback.ts';
import { rollbackTable } from '../../lib/runtime/rollback-table.ts';
import { tagTable } from '../../lib/runtime/tag-table.ts';
import { changeTable } from '../../lib/table/change.ts';
import { Crash } from '../ports/faults.ts';
import { dying, successor } from '../support/dying.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';
import { contents, expire, openShop, readAll } from './maintained-shop.ts';

let made: TestLake;
before(async () => {
  made = await openShop();
});
after(() => made.close());

const rollback = (lake: TestLake, request: Partial<RollbackRequest> = {}) =>
  rollbackTable(lake.deps, { table: 'shop_silver.items', to: 'run-3', ...request });

const ids = async (lake: TestLake, table = 'shop_silver.items') =>
  (await lake.rows(table, 'SELECT id FROM t ORDER BY ALL')).map(({ id }) => id);

test('a table is what it was, gold follows with the next run, and what is undone can be looked at', async () => {
  const lake = await made.copy();
  const dry = await rollback(lake, { dryRun: true });
  assert.deepEqual(await ids(lake), [1, 2, 3, 4, 5, 6]);
  const answer = await rollback(lake);
  assert.deepEqual({ ...answer, run_id: '', dry_run: true }, { ...dry, run_id: '' });
  assert.deepEqual(
    answer.undone.map(({ run_id }) => run_id),
    ['run-6', 'run-5', 'run-4'],
  );
  assert.deepEqual(
    answer.files.map(({ file, run_id, again }) => [file, run_id, again]),
    [4, 5, 6].map((run) => [`bronze/shop/rows/${run}.csv`, `run-${run}`, false]),
  );
  assert.deepEqual(answer.due, ['shop_gold.totals', 'shop_gold.by_id']);
  assert.deepEqual(await ids(lake), [1, 2, 3]);
  const read = (asOf: string) =>
    withQuery(lake.deps, { sql: 'SELECT count(*)::int AS n FROM shop_silver.items', asOf }, async (result) => {
      for await (const page of result.pages()) return page;
    });
  assert.deepEqual(await read('run-6'), [{ n: 6 }]);
  await lake.land('rows', '7.csv', 'id,amount\n7,70\n');
  assert.equal((await lake.run({ runId: 'next' })).status, 'SUCCEEDED');
  assert.deepEqual(await ids(lake), [1, 2, 3, 7]);
  assert.deepEqual(await lake.rows('shop_gold.totals', 'SELECT amount::int AS a FROM t'), [{ a: 130 }]);
  assert.deepEqual(await ids(lake, 'shop_gold.by_id'), [1, 2, 3, 7]);
  assert.deepEqual(await read('run-6'), [{ n: 6 }]);
  assert.deepEqual(await read(answer.run_id), [{ n: 3 }]);
  await readAll(lake);
  await expire(lake);
  await readAll(lake);
  assert.deepEqual(await ids(lake), [1, 2, 3, 7]);
});

test('files that were taken since become new again on demand', async () => {
  const lake = await made.copy();
  const answer = await rollback(lake, { reingest: true });
  assert.deepEqual(
    answer.files.map(({ again }) => again),
    [true, true, true],
  );
  assert.deepEqual(await ids(lake), [1, 2, 3]);
  // A run that events start looks at what they named, unless a mark has it compare all.
  assert.equal((await readMarks(lake.store, 'shop')).files, undefined);
  const result = await lake.run({ runId: 'again' });
  assert.equal(result.accounting['rows']?.accepted, 3);
  assert.deepEqual((await readMarks(lake.store, 'shop')).files, []);
  assert.deepEqual(await contents(lake), await contents(made));
  assert.equal((await lake.answer({ runId: 'more' })).kind, 'nothing');
  await assert.rejects(rollback(lake, { to: 'run-4', reingest: true }), /the ledger does not tell which of them/);
});

test('going back twice changes nothing more, and may still ask for the files', async () => {
  const lake = await made.copy();
  await rollback(lake);
  const snapshots = (await lake.metadata('shop_silver.items'))?.snapshots.length;
  const answer = await rollback(lake, { reingest: true });
  assert.equal((await lake.metadata('shop_silver.items'))?.snapshots.length, snapshots);
  assert.deepEqual([answer.tables[0]?.files_removed, answer.files.length], [0, 3]);
  await lake.run({ runId: 'again' });
  assert.deepEqual(await contents(lake), await contents(made));
});

test('asked for again when all was done it says so, with files that become new and without, until something has come since', async () => {
  const lake = await made.copy();
  const { run_id } = await rollback(lake, { reingest: true });
  const snapshots = (await lake.metadata('shop_silver.items'))?.snapshots.length;
  for (const request of [{}, { reingest: true }, { reingest: true, dryRun: true }]) {
    const again = await rollback(lake, request);
    assert.deepEqual([again.again, again.run_id, again.undone, again.tables[0]?.files_removed], [true, run_id, [], 0]);
  }
  assert.equal((await lake.metadata('shop_silver.items'))?.snapshots.length, snapshots);
  await lake.run({ runId: 'since' });
  await assert.rejects(rollback(lake, { reingest: true }), /the ledger does not tell which of them/);
});

test('each has its row in the table of runs, one that failed too; what is refused has none', async () => {
  const lake = await made.copy();
  await rollback(lake, { dryRun: true });
  await assert.rejects(rollback(lake, { to: 'run-9' }), InvalidInput);
  const failing = lake.reopen((deps) => ({
    ...deps,
    store: {
      ...deps.store,
      write: (key, bytes, condition) =>
        key.endsWith('/rollback.json')
          ? Promise.reject(new Unavailable('not today'))
          : deps.store.write(key, bytes, condition),
    },
  }));
  await assert.rejects(rollback(failing), /^Unavailable: not today$/);
  await rollback(lake);
  assert.deepEqual(
    await lake.rows(
      'shop_ops.runs',
      "SELECT status, error, files::int AS files FROM t WHERE kind = 'rollback' ORDER BY started_at",
    ),
    [
      { status: 'FAILED', error: 'Unavailable: not today', files: 0 },
      { status: 'SUCCEEDED', error: null, files: 3 },
    ],
  );
});

test('rows that were rejected are judged anew with their files', async () => {
  const lake = await made.copy();
  await lake.land('rows', 'bad.csv', 'id,amount\nx,1\n8,80\n');
  await lake.run({ runId: 'bad' });
  await rollback(lake, { to: 'run-6', reingest: true });
  const { rows } = (await lake.run({ runId: 'again' })).accounting;
  assert.deepEqual([rows?.accepted, rows?.quarantined, rows?.condemned], [1, 1, 0]);
  assert.deepEqual(await ids(lake), [1, 2, 3, 4, 5, 6, 8]);
  assert.deepEqual(
    await lake.rows('shop_ops.quarantine', 'SELECT status, count(*)::int AS n FROM t GROUP BY ALL ORDER BY ALL'),
    [
      { status: 'quarantined', n: 1 },
      { status: 'released', n: 1 },
    ],
  );
});

test('a keyed table goes back with its log, and goes on as if the rest had not been', async () => {
  const lake = await made.copy();
  const answer = await rollback(lake, { table: 'shop_silver.latest' });
  assert.deepEqual(
    answer.tables.map(({ table }) => table),
    ['shop_silver.latest', 'shop_silver.latest__log'],
  );
  assert.equal((await lake.rows('shop_silver.latest__log')).length, 6);
  const select = 'SELECT id, amount FROM t ORDER BY id';
  assert.deepEqual(await lake.rows('shop_silver.latest', select), [
    { id: 1, amount: 3 },
    { id: 2, amount: 3 },
  ]);
  await lake.land('events', '7.csv', 'id,amount\n1,2\n2,4\n');
  await lake.run({ runId: 'next' });
  assert.deepEqual(await lake.rows('shop_silver.latest', select), [
    { id: 1, amount: 3 },
    { id: 2, amount: 4 },
  ]);
  const again = await made.copy();
  await rollback(again, { table: 'shop_silver.latest', reingest: true });
  await again.run({ runId: 'again' });
  assert.deepEqual(await contents(again), await contents(made));
});

test('killed before any change, no run begins, and the same request finishes', async () => {
  const request = { table: 'shop_silver.latest', reingest: true };
  const whole = await made.copy();
  await rollback(whole, request);
  const [rolled, ledger] = [await contents(whole), await whole.rows('shop_ops.files')];
  const counted = dying(await made.copy(), Number.POSITIVE_INFINITY);
  await rollback(counted.lake, request);
  assert.ok(counted.changes() > 20, String(counted.changes()));
  let refused = 0;
  for (let at = 1; at <= counted.changes(); at += process.env['CRASH_POINTS'] === 'all' ? 1 : 5) {
    const lake = await made.copy();
    await assert.rejects(rollback(dying(lake, at).lake, request), Crash);
    const next = successor(lake);
    const answer = await next.answer({ runId: 'next' });
    const message = answer.kind === 'ended' ? (answer.result.error?.message ?? '') : '';
    if (message.includes('a rollback of shop_silver.latest is unfinished')) {
      refused += 1;
      await assert.rejects(expire(next), /a rollback of shop_silver\.latest is unfinished/);
    }
    const done = answer.kind === 'ended' && answer.result.status === 'SUCCEEDED';
    if (!done) {
      await rollback(next, request);
      assert.deepEqual(await contents(next), rolled, `died before change ${at}`);
      assert.deepEqual(await next.rows('shop_ops.files'), ledger);
      const rows = await next.rows('shop_ops.runs', "SELECT status FROM t WHERE kind = 'rollback'");
      assert.deepEqual(rows, [{ status: 'SUCCEEDED' }], `died before change ${at}`);
    }
    await next.answer({ runId: 'after' });
    assert.deepEqual(await contents(next), await contents(made), `died before change ${at}`);
    await readAll(next);
  }
  assert.ok(refused > 1, String(refused));
});

const TWO: TestPipeline = {
  name: 'two',
  definition: definePipeline({
    name: 'two',
    sources: { rows: csv({ columns: { id: 'int', amount: 'int' } }) },
    silver: {
      items: { from: 'rows', mode: append() },
      latest: { from: 'rows', mode: upsert({ key: 'id', sequence: 'amount' }) },
    },
  }),
};

test('where two tables read a source, files become new again for one of them alone', async () => {
  const lake = await openTestLake(TWO);
  for (const run of [1, 2, 3]) {
    await lake.land('rows', `${run}.csv`, `id,amount\n${run},${run}0\nx,${run}\n`);
    await lake.run({ runId: `run-${run}` });
  }
  await rollback(lake, { table: 'two_silver.items', to: 'run-1', reingest: true });
  assert.deepEqual([await ids(lake, 'two_silver.items'), await ids(lake, 'two_silver.latest')], [[1], [1, 2, 3]]);
  const before = (await lake.metadata('two_silver.latest'))?.['current-snapshot-id'];
  await lake.run({ runId: 'again' });
  assert.deepEqual(await ids(lake, 'two_silver.items'), [1, 2, 3]);
  assert.equal((await lake.metadata('two_silver.latest'))?.['current-snapshot-id'], before, 'the other took nothing');
  assert.equal((await lake.answer({ runId: 'more' })).kind, 'nothing');
  lake.close();
});

test('columns that came since go, and come again', async () => {
  const lake = await made.copy();
  await lake.land('rows', 'wide.csv', 'id,amount,note\n7,70,new\n');
  await lake.run({ runId: 'wide' });
  const names = async () => Object.keys((await lake.rows('shop_silver.items'))[0] ?? {});
  assert.deepEqual(await names(), ['id', 'amount', 'note']);
  await rollback(lake, { to: 'run-6' });
  assert.deepEqual(await names(), ['id', 'amount']);
  await lake.land('rows', 'wider.csv', 'id,amount,note\n8,80,newer\n');
  assert.equal((await lake.run({ runId: 'wider' })).status, 'SUCCEEDED');
  assert.deepEqual(await lake.rows('shop_silver.items', "SELECT id FROM t WHERE note = 'newer'"), [{ id: 8 }]);
  await readAll(lake);
});

test('a change of the pipeline that the rows of then have not seen is told of again', async () => {
  const changed = {
    ...TWO,
    definition: definePipeline({
      name: 'two',
      sources: { rows: csv({ columns: { id: 'int', amount: 'int' } }) },
      silver: {
        items: { from: 'rows', mode: append(), sql: 'items.sql' },
        latest: { from: 'rows', mode: upsert({ key: 'id', sequence: 'amount' }) },
      },
    }),
    sql: { 'items.sql': 'SELECT id, amount * 2 AS amount FROM batch.rows' },
  };
  const first = await openTestLake(TWO);
  await first.land('rows', '1.csv', 'id,amount\n1,10\n');
  await first.run({ runId: 'run-1' });
  const spec = await compileTest(changed, first.scratch);
  const lake = first.reopen((deps) => ({ ...deps, specs: async () => spec }));
  await lake.land('rows', '2.csv', 'id,amount\n2,20\n');
  assert.equal((await lake.run({ runId: 'run-2', backfill: {} })).status, 'SUCCEEDED');
  const kinds = async () => (await planRun(lake.deps, 'two')).changes.map(({ table, kind }) => [table, kind]);
  assert.deepEqual(await kinds(), []);
  await rollback(lake, { table: 'two_silver.items', to: 'run-1' });
  assert.deepEqual(await lake.rows('two_silver.items', 'SELECT amount FROM t'), [{ amount: 10 }]);
  assert.deepEqual(await kinds(), [['two_silver.items', 'backfill']]);
  lake.close();
});

describe('a rollback is refused', () => {
  const CASES: readonly (readonly [string, Partial<RollbackRequest>, RegExp])[] = [
    ['of an unknown table', { table: 'shop_silver.itms' }, /did you mean shop_silver\.items/],
    ['of gold', { table: 'shop_gold.totals' }, /gold, which the next run would compute from its inputs/],
    ['of a log', { table: 'shop_silver.latest__log' }, /expected the table itself, shop_silver\.latest,/],
    ['of the books', { table: 'shop_ops.files' }, /the books of shop/],
    ['to an unknown moment', { to: 'run-9' }, /--to: got "run-9"; expected the id of a run/],
    ['to what it is', { to: 'run-6' }, /is what it was at run-6/],
    ['to before it was', { to: '2020-01-01' }, /had no snapshot as of 2020-01-01/],
  ];
  for (const [what, request, words] of CASES) {
    test(what, async () => {
      await assert.rejects(rollback(made, request), (cause: unknown) => {
        assert.ok(cause instanceof InvalidInput, String(cause));
        assert.match(cause.message, words);
        return true;
      });
    });
  }

  test('while a run works, and while one is unfinished', async () => {
    const lake = await made.copy();
    const other = { ...lake.deps, settings: { ...lake.deps.settings, holder: () => 'another' } };
    const epoch = await takeLock(other, { pipeline: 'shop', run_id: 'at-work' });
    await assert.rejects(rollback(lake), LockHeld);
    await releaseLock(other, { pipeline: 'shop', run_id: 'at-work', epoch });
    await lake.land('rows', '7.csv', 'id,amount\n7,70\n');
    await dying(lake, 40)
      .lake.answer({ runId: 'dies' })
      .catch(() => undefined);
    await assert.rejects(rollback(successor(lake)), /run dies of shop is unfinished[\s\S]*strata run shop/);
  });

  test('to what has expired, unless a tag has kept it', async () => {
    const lake = await made.copy();
    await tagTable(lake.deps, { table: 'shop_silver.items', name: 'june', runId: 'run-2' });
    await expire(lake);
    await assert.rejects(rollback(lake), /expired/);
    await rollback(lake, { to: 'june' });
    assert.deepEqual(await ids(lake), [1, 2]);
  });

  test('where the table is laid out by a column that it did not have', async () => {
    const lake = await made.copy();
    await lake.land('rows', 'wide.csv', 'id,amount,note\n7,70,new\n');
    await lake.run({ runId: 'wide' });
    await changeTable(lake.deps, parseTableName('shop_silver.items'), () => ({
      requirements: [],
      updates: [
        {
          action: 'add-spec',
          spec: { 'spec-id': 7, fields: [{ 'source-id': 3, 'field-id': 1009, name: 'note', transform: 'identity' }] },
        },
        { action: 'set-default-spec', 'spec-id': 7 },
      ],
    }));
    await assert.rejects(
      rollback(lake),
      /partitioned or ordered by a column that it did not have[\s\S]*strata backfill shop/,
    );
  });
});
