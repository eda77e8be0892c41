import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { countingStore } from '../../../lib/adapters/store/counting.ts';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import type { Call } from '../../../lib/core/requests.ts';
import type { ObjectStore } from '../../../lib/ports.ts';
import { bytesOf, storeContract } from '../../ports/store-contract.ts';

const scratch = await mkdtemp(join(tmpdir(), 'strata-counting-'));
after(() => rm(scratch, { recursive: true, force: true }));

storeContract('one that counts', async () => {
  const own = await mkdtemp(join(scratch, 'contract-'));
  const store = countingStore(createMemoryStore({ scratch: own, versions: true }), () => {});
  return { store, scratch: own, close: () => rm(own, { recursive: true, force: true }) };
});

const KEYS = ['ops/p/a', 'ops/p/b', 'ops/p/f/c', 'bronze/p/s/1.csv'];

async function publishTwice(store: ObjectStore): Promise<void> {
  const path = join(scratch, 'x');
  await writeFile(path, 'four');
  await store.publish(path, 'ops/p/x');
  await store.publish(path, 'ops/p/x');
}

async function listUntil(store: ObjectStore, prefix: string, last: string): Promise<void> {
  for await (const { key } of store.list(prefix, { ignore: (name) => name.endsWith('/a') })) if (key === last) return;
}

const CASES: readonly (readonly [string, (store: ObjectStore) => Promise<unknown>, readonly Call[]])[] = [
  ['a read', (store) => store.read('ops/p/a'), [{ kind: 'read' }]],
  ['a read of what is not there', (store) => store.read('ops/p/z').catch(() => {}), [{ kind: 'read' }]],
  ['a look', (store) => store.head('ops/p/z'), [{ kind: 'head' }]],
  ['a write', (store) => store.write('ops/p/n', bytesOf('n'), { kind: 'any' }), [{ kind: 'write' }]],
  ['a write in vain', (store) => store.write('ops/p/a', bytesOf('n'), { kind: 'absent' }), [{ kind: 'write' }]],
  ['a removal', (store) => store.remove('ops/p/a'), [{ kind: 'remove' }]],
  [
    'a list, with what is ignored',
    (store) => listUntil(store, 'ops/p/', ''),
    [{ kind: 'list', prefix: 'ops/p/', seen: { ops: 3 } }],
  ],
  [
    'a list as far as it was looked at',
    (store) => listUntil(store, 'ops/p/', 'ops/p/b'),
    [{ kind: 'list', prefix: 'ops/p/', seen: { ops: 2 } }],
  ],
  ['names', (store) => store.names('ops/p/'), [{ kind: 'names', prefix: 'ops/p/', count: 3 }]],
  [
    'folders, with the files beside them',
    (store) => store.folders('ops/p/'),
    [{ kind: 'names', prefix: 'ops/p/', count: 3 }],
  ],
  [
    'what is borrowed, each object once, and what has changed',
    async (store) => {
      const changed = { key: 'ops/p/b', etag: 'other' };
      await using _ = await store.borrow(['ops/p/a', 'ops/p/a', 'bronze/p/s/1.csv', changed]);
    },
    [{ kind: 'borrow', bytes: 7 }, { kind: 'borrow', bytes: 16 }, { kind: 'borrow' }],
  ],
  [
    'a range, as far as the object has it',
    (store) => store.readRange('bronze/p/s/1.csv', 10, 100),
    [{ kind: 'range', bytes: 6 }],
  ],
  [
    'the ranges of parts, and not what ends them',
    async (store) => {
      const end = { start: 4, bytes: bytesOf('/a') };
      await using _ = await store.borrowParts([
        {
          key: 'ops/p/a',
          ranges: [
            { start: 0, end: 1 },
            { start: 2, end: 4 },
          ],
          end,
        },
      ]);
    },
    [
      { kind: 'range', bytes: 1 },
      { kind: 'range', bytes: 2 },
    ],
  ],
  ['what is published, and published again', publishTwice, [{ kind: 'publish', bytes: 4 }, { kind: 'publish' }]],
];

for (const [name, act, expected] of CASES) {
  test(`notes ${name}`, async () => {
    const inner = createMemoryStore({ scratch });
    for (const key of KEYS) await inner.write(key, bytesOf(key), { kind: 'any' });
    const calls: Call[] = [];
    await act(countingStore(inner, (call) => calls.push(call)));
    assert.deepEqual(calls, expected);
  });
}
