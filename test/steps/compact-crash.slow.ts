import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dying, successor } from '../support/dying.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';
import { answer, compact, filesOf, rowsOf, runOften, SHOP, strayFiles, TABLES } from './compact-lake.ts';

/**
 * The crash matrix of a compaction: the process ends before any of its changes. The next one ends with the same tables, and
 * nothing that the dead one wrote is left. CRASH_POINTS=all dies before every change; otherwise before one in seven.
 */
const STRIDE = process.env['CRASH_POINTS'] === 'all' ? 1 : 7;

const DEALT_WITH = [...TABLES, 'shop_gold.days', 'shop_ops.files', 'shop_ops.accounting'];

async function sizes(lake: TestLake): Promise<unknown> {
  const all: Record<string, unknown> = {};
  for (const table of DEALT_WITH) {
    all[table] = [(await filesOf(lake, table)).length, (await strayFiles(lake, table)).length];
  }
  return { ...all, runs: await lake.rows('shop_ops.runs', "SELECT run_id, status FROM t WHERE kind = 'compact'") };
}

test('a compaction that dies before any of its changes is finished by the next', async () => {
  const made = await openTestLake(SHOP, { threads: 1, remember: true });
  await runOften(made, 5);
  const rows = await rowsOf(made);
  const calm = await made.copy();
  const counted = dying(calm, Number.POSITIVE_INFINITY);
  await compact(counted.lake, {}, { runId: 'c' });
  const expected = await sizes(calm);
  calm.close();
  assert.ok(counted.changes() > 50, `${counted.changes()} changes`);
  for (let n = 1; n <= counted.changes(); n += STRIDE) {
    const where = `crash before change ${n} of ${counted.changes()}`;
    const lake = await made.copy();
    await answer(dying(lake, n).lake, {}, { runId: 'c' });
    // A run beside it is not kept waiting, nor does it see anything else.
    const next = successor(lake, { afresh: true });
    assert.equal((await next.answer()).kind, 'nothing', where);
    await compact(next, {}, { runId: 'c' });
    assert.deepEqual(await rowsOf(lake), rows, where);
    assert.deepEqual(await sizes(lake), expected, where);
    assert.equal((await lake.store.head('ops/shop/_compactions/c/committing.json')) !== undefined, true, where);
    lake.close();
  }
  made.close();
});
