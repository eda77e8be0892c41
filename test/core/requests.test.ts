import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addRequests,
  addSpent,
  type Call,
  NOTHING_SPENT,
  PART_BYTES,
  spentBy,
  times,
} from '../../lib/core/requests.ts';

const list = (prefix: string, ...[ops = 0, gold = 0]: readonly number[]): Call => ({
  kind: 'list',
  prefix,
  seen: { ops, gold },
});

/** GET, PUT, bytes in, bytes out. */
const CALLS: readonly (readonly [string, Call, readonly [number, number, number, number]])[] = [
  ['a read is a GET', { kind: 'read' }, [1, 0, 0, 0]],
  ['a look is a HEAD', { kind: 'head' }, [1, 0, 0, 0]],
  ['a write is a PUT', { kind: 'write' }, [0, 1, 0, 0]],
  ['a removal is free', { kind: 'remove' }, [0, 0, 0, 0]],
  ['a list of nothing is a page', list('ops/p/'), [0, 1, 0, 0]],
  ['a list of 1,000 is a page', list('ops/p/', 1_000), [0, 1, 0, 0]],
  ['a list of 1,001 is two', list('ops/p/', 1_001), [0, 2, 0, 0]],
  [
    'a list of everything asks each of the four buckets, one of them twice',
    list('', 1_500, 2_500),
    [0, 1 + 1 + 1 + 2 + 3, 0, 0],
  ],
  ['names below a folder are pages', { kind: 'names', prefix: 'bronze/p/', count: 2_001 }, [0, 3, 0, 0]],
  ['the names of the zones are known', { kind: 'names', prefix: '', count: 4 }, [0, 0, 0, 0]],
  ['a file of 16 MB comes at once', { kind: 'borrow', bytes: PART_BYTES }, [1, 0, PART_BYTES, 0]],
  ['a larger one in ranges', { kind: 'borrow', bytes: PART_BYTES + 1 }, [3, 0, PART_BYTES + 1, 0]],
  ['one that has changed is asked for', { kind: 'borrow' }, [1, 0, 0, 0]],
  ['a file of 16 MB goes at once', { kind: 'publish', bytes: PART_BYTES }, [1, 1, 0, PART_BYTES]],
  ['a larger one in parts', { kind: 'publish', bytes: PART_BYTES + 1 }, [1, 4, 0, PART_BYTES + 1]],
  ['one that has gone is looked for', { kind: 'publish' }, [1, 0, 0, 0]],
  ['a table is its metadata file', { kind: 'load', found: true }, [1, 0, 0, 0]],
  ['no table is none', { kind: 'load', found: false }, [0, 0, 0, 0]],
  ['a commit writes one', { kind: 'commit' }, [0, 1, 0, 0]],
];

for (const [name, call, [get, put, bytes_in, bytes_out]] of CALLS) {
  test(name, () => assert.deepEqual(spentBy(call), { get, put, bytes_in, bytes_out }));
}

test('what was spent adds up', () => {
  const one = { get: 1, put: 2, bytes_in: 3, bytes_out: 4 };
  assert.deepEqual(addSpent(one, addSpent(one, NOTHING_SPENT)), { get: 2, put: 4, bytes_in: 6, bytes_out: 8 });
  assert.deepEqual(addRequests(times({ get: 1, put: 2 }, 3), { get: 1, put: 0 }), { get: 4, put: 6 });
});
