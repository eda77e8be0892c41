import assert from 'node:assert/strict';
import { test } from 'node:test';
import { executionName, readUpload, type Upload, uploadId } from '../../lib/core/trigger.ts';

const OBJECTS: readonly (readonly [string, string, number, boolean])[] = [
  ['a file of a source', 'bronze/shop/orders/day-1.csv', 10, true],
  ['a file in a folder below', 'bronze/shop/orders/2026/01/day-1.csv', 10, true],
  ['an empty file', 'bronze/shop/orders/empty.csv', 0, true],
  ['a name that looks encoded', 'bronze/shop/orders/a+b%20c.csv', 10, true],
  ['a folder that a console made', 'bronze/shop/orders/2026/', 0, false],
  ['the folder of a source', 'bronze/shop/orders/', 0, false],
  ['a file beside the sources', 'bronze/shop/readme.md', 10, false],
  ['a file of a pipeline whose name begins alike', 'bronze/shop2/orders/day-1.csv', 10, false],
  ['a file in another zone', 'silver/shop/orders/day-1.csv', 10, false],
  ['a file without a source', 'bronze/shop//day-1.csv', 10, false],
  ['a seed, which a run lands itself', 'bronze/shop/_seeds/currencies/currencies-1.csv', 10, false],
  ['a key that only ends alike', 'x/bronze/shop/orders/day-1.csv', 10, false],
];

for (const [what, key, size, isUpload] of OBJECTS) {
  test(`${what} is ${isUpload ? 'an' : 'no'} upload`, () => {
    const outcome = readUpload('shop', { key, etag: 'e', version: 'v', size });
    if (isUpload) assert.deepEqual(outcome, { kind: 'upload', upload: { key, etag: 'e', version: 'v' } });
    else assert.equal(outcome.kind, 'ignored');
  });
}

const a: Upload = { key: 'bronze/shop/orders/a', etag: '1', version: 'v1' };
const b: Upload = { key: 'bronze/shop/orders/b', etag: '2', version: 'v2' };

test('uploads differ by key, content and version, and by nothing else', () => {
  const ids = [a, { ...a, key: b.key }, { ...a, etag: '2' }, { ...a, version: 'v2' }, { key: a.key, etag: '1' }];
  assert.equal(new Set(ids.map(uploadId)).size, ids.length);
  assert.equal(uploadId(a), uploadId({ ...a }));
});

test('an execution has one name for a set of uploads, in whatever order', () => {
  assert.equal(executionName([a, b]), executionName([b, a]));
  assert.notEqual(executionName([a]), executionName([a, b]));
});

test('the name is one that Step Functions and a run take', () => {
  assert.match(executionName([a, b]), /^upload-[0-9a-f]{40}$/);
});
