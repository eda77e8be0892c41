import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv } from '../../lib/define/index.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';
import { assertSameCut, PIECE, pipelineOf, shop } from './split-files.ts';

test('a CSV file that is larger than a unit is cut, and leaves what it leaves when it is read whole', async () => {
  const columns = { id: 'bigint', name: 'string', amount: 'decimal(12,2)' } as const;
  const pipeline = pipelineOf(csv({ columns }), { orders: { mode: append({ dedupe: { key: 'id' } }) } });
  const { units, tables, accounting } = await assertSameCut(pipeline, [{ 'a.csv': shop(4800) }], ['orders']);
  assert.equal(units, 3);
  // Three lines are blank; every 997th record, from the one with number 13 on, stands on three lines.
  assert.deepEqual(accounting['rows'], { read: 4797, accepted: 3992, quarantined: 10, condemned: 0, duplicates: 795 });
  const lineOf = (nth: number): number => 2 + nth + 2 * Math.ceil((nth - 13) / 997);
  const broken = [600, 700, 800, 1900, 2200, 2500, 3200, 3700, 4200, 4500];
  assert.deepEqual(
    tables['quarantine']?.map(({ line }) => line),
    broken.map(lineOf),
  );
});

test('equal broken rows in two parts of a file are one row and duplicates, as they are in the file read whole', async () => {
  const lines = shop(4800).split('\n');
  // Records with too few fields are no rows that could be equal.
  for (const at of [9, 2000, 3500, 4700]) lines.splice(at, 0, '7,no number,x', '7,too few');
  const columns = { id: 'bigint', name: 'string', amount: 'decimal(12,2)' } as const;
  const pipeline = pipelineOf(csv({ columns }), { hashed: { mode: append({ dedupe: 'row' }) } });
  const { accounting } = await assertSameCut(pipeline, [{ 'a.csv': lines.join('\n') }], ['hashed']);
  const { read, quarantined, duplicates } = accounting['rows'] ?? {};
  assert.deepEqual([read, quarantined, duplicates], [4805, 15, 3]);
});

test('a file that nobody can take is rejected, with the limit and the remedy, and the run goes on', async () => {
  const columns = { id: 'bigint', name: 'string', amount: 'decimal(12,2)' } as const;
  const condemned = { metadata: ['row_hash'], mode: append({ dedupe: { key: 'id' }, onDuplicate: 'condemn' }) };
  const pipeline = pipelineOf(csv({ columns, drift: 'evolve' }), { orders: condemned, kept: {} });
  const opened = await openTestLake(pipeline);
  const lake = opened.reopen((deps) => ({
    ...deps,
    store: { ...deps.store, room: PIECE },
    settings: { ...deps.settings, unitBytes: PIECE },
  }));
  try {
    await lake.land('rows', 'large.csv', shop(4800));
    await lake.land('rows', 'small.csv', 'id,name,amount\n1,a,1\n');
    const result = await lake.run();
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    const select = 'SELECT table_name, status, records, code, reason FROM t WHERE key LIKE $$%large%$$ ORDER BY ALL';
    const [cut, whole] = await lake.rows('shop_ops.files', select);
    assert.deepEqual([cut?.['status'], cut?.['records']], ['ingested', 4797]);
    assert.deepEqual([whole?.['status'], whole?.['code']], ['rejected', 'FILE_TOO_LARGE']);
    assert.match(String(whole?.['reason']), /bytes, and cannot be cut; .* room for 65536 .* Land it in parts/);
    assert.equal((await lake.rows('shop_silver.orders')).length, 1);
    assert.equal((await lake.rows('shop_silver.kept')).length, 4788);
  } finally {
    opened.close();
  }
});

for (const [what, versions, expected] of [
  ['is left to the next run', false, ['left', 0, 2]],
  ['is read as it was where overwritten uploads are kept', true, ['taken', 4787, 4789]],
] as const) {
  test(`a cut file that is replaced while its parts are staged ${what}`, async () => {
    const columns = { id: 'bigint', name: 'string', amount: 'decimal(12,2)' } as const;
    const opened = await openTestLake(pipelineOf(csv({ columns }), { orders: {} }), { versions });
    let replaced = false;
    const lake = opened.reopen((deps) => ({
      ...deps,
      settings: { ...deps.settings, unitBytes: PIECE },
      store: {
        ...deps.store,
        async readRange(object, start, end, etag) {
          // The second part.
          if (!replaced && start > PIECE && start < 2 * PIECE && end > 2 * PIECE) {
            replaced = true;
            await opened.land('rows', 'a.csv', 'id,name,amount\n1,a,1\n2,b,1\n');
          }
          return deps.store.readRange(object, start, end, etag);
        },
      },
    }));
    try {
      await lake.land('rows', 'a.csv', shop(4800));
      const first = await lake.run({ runId: 'first' });
      assert.ok(replaced);
      assert.equal(first.left_files.length > 0 ? 'left' : 'taken', expected[0]);
      assert.equal((await rowsOf(lake)).length, expected[1]);
      await lake.run({ runId: 'second' });
      assert.equal((await rowsOf(lake)).length, expected[2]);
    } finally {
      opened.close();
    }
  });
}

async function rowsOf(lake: TestLake): Promise<readonly unknown[]> {
  const made = (await lake.metadata('shop_silver.orders')) !== undefined;
  return made ? lake.rows('shop_silver.orders') : [];
}
