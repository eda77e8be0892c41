import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { InvalidInput, Unavailable } from '../../lib/core/errors.ts';
import { findTable } from '../../lib/query/find-table.ts';
import { historyOf } from '../../lib/query/history.ts';
import { withQuery } from '../../lib/query/select.ts';
import { type TagRequest, tagTable } from '../../lib/runtime/tag-table.ts';
import type { TestLake } from '../support/test-lake.ts';
import { expire, openShop, RUNS, readAll, runIds } from './maintained-shop.ts';

let made: TestLake;
before(async () => {
  made = await openShop();
});
after(() => made.close());

const tag = (lake: TestLake, request: Partial<TagRequest> = {}) =>
  tagTable(lake.deps, { table: 'shop_silver.items', name: 'june', ...request });

async function count(lake: TestLake, table: string, asOf: string): Promise<unknown> {
  const sql = `SELECT count(*)::int AS n FROM ${table}`;
  return withQuery(lake.deps, { sql, asOf }, async (result) => {
    for await (const [row] of result.pages()) return row?.['n'];
  });
}

test('a tag keeps its snapshot, which is read by it, and goes', async () => {
  const lake = await made.copy();
  const given = await tag(lake, { runId: 'run-2' });
  assert.deepEqual(await tag(lake, { runId: 'run-2' }), given, 'again does nothing');
  const table = await findTable(lake.deps.catalog, 'shop_silver.items');
  assert.deepEqual(
    historyOf(table).map(({ run_id, tags }) => [run_id, tags]),
    [6, 5, 4, 3, 2, 1].map((run) => [`run-${run}`, run === 2 ? ['june'] : []]),
  );
  assert.deepEqual(
    historyOf(table, 2).map(({ run_id, parameters }) => [run_id, parameters]),
    [
      ['run-6', {}],
      ['run-5', {}],
    ],
  );
  await expire(lake);
  assert.deepEqual(await runIds(lake, 'shop_silver.items'), ['run-2', 'run-6']);
  assert.equal(await count(lake, 'shop_silver.items', 'june'), 2);
  await assert.rejects(count(lake, 'shop_gold.by_id', 'june'), /a tag or a snapshot id of shop_gold\.by_id/);
  assert.equal((await tag(lake, { remove: true })).removed, true);
  await assert.rejects(tag(lake, { remove: true }), /has no tag "june": expected one of \(it has none\)/);
  await expire(lake);
  assert.deepEqual(await runIds(lake, 'shop_silver.items'), ['run-6']);
  await readAll(lake);
});

test('a tag stands for its run where other tables are read with it', async () => {
  const lake = await made.copy();
  await tag(lake, { runId: 'run-2' });
  const sql =
    'SELECT (SELECT count(*)::int FROM shop_silver.items) AS items, (SELECT amount::int FROM shop_gold.totals) AS total';
  const rows = await withQuery(lake.deps, { sql, asOf: 'june' }, async (result) => {
    for await (const page of result.pages()) return page;
  });
  assert.deepEqual(rows, [{ items: 2, total: 30 }]);
});

test('a keyed table and its log have a tag together', async () => {
  const lake = await made.copy();
  const { tables } = await tag(lake, { table: 'shop_silver.latest', runId: 'run-3' });
  assert.deepEqual(
    tables.map(({ table }) => table),
    ['shop_silver.latest', 'shop_silver.latest__log'],
  );
  await expire(lake);
  for (const table of ['shop_silver.latest', 'shop_silver.latest__log'])
    assert.deepEqual(await runIds(lake, table), ['run-3', 'run-6']);
  assert.equal(await count(lake, 'shop_silver.latest__log', 'june'), 6);
  await tag(lake, { table: 'shop_silver.latest', remove: true });
  await expire(lake);
  assert.deepEqual(await runIds(lake, 'shop_silver.latest__log'), [`run-${RUNS}`]);
});

describe('a tag is refused', () => {
  const CASES: readonly (readonly [string, Partial<TagRequest>, RegExp])[] = [
    ['of an unknown table', { table: 'shop_silver.itms' }, /did you mean shop_silver\.items/],
    ['of an unknown snapshot', { snapshot: '99' }, /has no snapshot 99; strata history/],
    ['of what is no snapshot', { snapshot: 'x' }, /has no snapshot x/],
    ['of an unknown run', { runId: 'run-9' }, /has no snapshot of run run-9/],
    ['of two at once', { runId: 'run-1', snapshot: '1' }, /got --snapshot and --run/],
    ['with the name of the branch', { name: 'main' }, /main is a branch/],
    ['with the name of a run', { name: 'run-1' }, /run-1 is the id of a run/],
    ['with a number', { name: '12' }, /not a tag: got "12"/],
    ['with a time', { name: '2026-01-31' }, /not a tag: got "2026-01-31"/],
    [
      'with a name of another snapshot',
      { name: 'taken', runId: 'run-2' },
      /tag taken names snapshot \d+; got snapshot \d+/,
    ],
  ];
  for (const [what, request, words] of CASES) {
    test(what, async () => {
      const lake = await made.copy();
      await tag(lake, { name: 'taken' });
      await assert.rejects(tag(lake, request), (cause: unknown) => {
        assert.ok(cause instanceof InvalidInput);
        assert.match(cause.message, words);
        return true;
      });
    });
  }
});

test('each tag has its row in the table of runs, one that failed too; what is refused has none', async () => {
  const lake = await made.copy();
  await tag(lake);
  await assert.rejects(tag(lake, { runId: 'run-2' }), /tag june names snapshot/);
  const failing = lake.reopen((deps) => ({
    ...deps,
    catalog: {
      ...deps.catalog,
      commit: (id, base, next) =>
        id.name === 'items' ? Promise.reject(new Unavailable('not today')) : deps.catalog.commit(id, base, next),
    },
  }));
  await assert.rejects(tag(failing, { name: 'july' }), /^Unavailable: not today$/);
  await tag(lake, { remove: true });
  assert.deepEqual(
    await lake.rows('shop_ops.runs', "SELECT status, error FROM t WHERE kind = 'tag' ORDER BY started_at"),
    [
      { status: 'SUCCEEDED', error: null },
      { status: 'FAILED', error: 'Unavailable: not today' },
      { status: 'SUCCEEDED', error: null },
    ],
  );
  assert.equal((await lake.answer()).kind, 'nothing', 'runs go on as before');
});
