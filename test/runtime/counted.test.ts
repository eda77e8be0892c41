import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv } from '../../lib/define/index.ts';
import { fenced } from '../../lib/lake/run/fence.ts';
import { takeLock } from '../../lib/lake/run/lock.ts';
import { counted } from '../../lib/runtime/counted.ts';
import { openTestLake } from '../support/test-lake.ts';

test('parts of a call count what each asks for, that of the fence included, and the call what all ask for', async () => {
  const definition = {
    name: 'shop',
    sources: { o: csv({ columns: { id: 'int' } }) },
    silver: { o: { from: 'o', mode: append() } },
  };
  const lake = await openTestLake({ name: 'shop', definition });
  try {
    const run = { pipeline: 'shop', run_id: 'r', dry_run: false };
    const call = fenced(counted(lake.deps), { ...run, epoch: await takeLock(lake.deps, run) });
    const parts = [call.counting?.(), call.counting?.()];
    const of = ({ get = 0, put = 0 } = {}) => ({ get, put });
    // Each write looks first whether the lock is still the run's.
    await parts[0]?.store.write('ops/shop/a', new Uint8Array(1), { kind: 'any' });
    await parts[1]?.store.write('ops/shop/b', new Uint8Array(1), { kind: 'any' });
    await parts[1]?.store.read('ops/shop/b');
    await call.store.read('ops/shop/a');
    assert.deepEqual(
      [...parts, call].map((part) => of(part?.spent?.())),
      [
        { get: 1, put: 1 },
        { get: 2, put: 1 },
        { get: 4, put: 2 },
      ],
    );
  } finally {
    lake.close();
  }
});
