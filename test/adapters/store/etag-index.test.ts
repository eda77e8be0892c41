import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { createEtagIndex, type EtagIndex } from '../../../lib/adapters/store/etag-index.ts';
import { openSorted, writeSorted } from '../../../lib/adapters/store/etag-sorted.ts';
import { compareKeys } from '../../../lib/adapters/store/keys.ts';

const FOLDER = 'bronze/p/s';
/** So few lines in memory that a test has more. */
const HELD = 20;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'strata-index-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const keyOf = (n: number): string => `${FOLDER}/${n % 7 === 0 ? '\u{1f600}' : '\uffee'}${n}.csv`;
const inOrder = (keys: readonly string[]): readonly string[] => [...keys].sort(compareKeys);
const files = async (): Promise<readonly string[]> =>
  (await readdir(join(root, '.strata-etags'))).map((name) => name.replace(/^[0-9a-f]{32}/, 'log'));

async function put(index: EtagIndex, keys: readonly string[], version: string): Promise<void> {
  for (const key of keys) await index.put(key, `${version}-1-1-1`, `${version} of ${key}`.replaceAll(' ', '_'));
  await index.flush();
}

async function known(index: EtagIndex, keys: readonly string[], version: string): Promise<number> {
  let found = 0;
  for (const key of keys) {
    const etag = await index.find(key, `${version}-1-1-1`);
    if (etag === undefined) continue;
    assert.equal(etag, `${version} of ${key}`.replaceAll(' ', '_'));
    found += 1;
  }
  return found;
}

describe('the index of a folder with more files than memory holds', () => {
  const keys = inOrder(Array.from({ length: 500 }, (_, n) => keyOf(n)));

  test('is sorted once all were listed, and knows each file by what was seen last', async () => {
    const index = createEtagIndex(root, true, HELD);
    await put(index, keys, 'a');
    await index.compact(FOLDER, { files: keys.length, present: undefined });
    assert.deepEqual(await files(), ['log.sorted']);
    const changed = keys.filter((_, at) => at % 10 === 0);
    await put(index, changed, 'b');
    await index.compact(FOLDER, { files: keys.length, present: undefined });
    assert.deepEqual(await files(), ['log.sorted']);
    for (const one of [index, createEtagIndex(root, false, HELD)]) {
      assert.equal(await known(one, keys, 'a'), 450);
      assert.equal(await known(one, keys, 'b'), 50);
      assert.equal(await known(one, keys.toReversed(), 'a'), 450);
      assert.equal(await one.find(`${FOLDER}/0`, 'a-1-1-1'), undefined);
      assert.equal(await one.find(`${FOLDER}/\u{1f600}9z`, 'a-1-1-1'), undefined);
    }
  });

  test('is sorted by the next process where one died before, out of the log', async () => {
    await put(createEtagIndex(root, true, 10_000), keys, 'a');
    assert.deepEqual(await files(), ['log']);
    assert.equal(await known(createEtagIndex(root, true, HELD), keys, 'a'), 500);
    assert.deepEqual(await files(), ['log.sorted']);
    const more = createEtagIndex(root, true, HELD);
    await put(more, [keyOf(1_000)], 'a');
    assert.deepEqual(await files(), ['log', 'log.sorted']);
    assert.equal(await known(createEtagIndex(root, true, HELD), [...keys, keyOf(1_000)], 'a'), 501);
  });

  test('forgets files that are gone when they are most of it', async () => {
    const many = inOrder(Array.from({ length: 1_500 }, (_, n) => keyOf(n)));
    await mkdir(join(root, FOLDER), { recursive: true });
    for (const key of keys.slice(0, 30)) await writeFile(join(root, key), '');
    const index = createEtagIndex(root, true, HELD);
    await put(index, many, 'a');
    await index.compact(FOLDER, { files: 30, present: undefined });
    assert.equal(await known(createEtagIndex(root, true, HELD), many, 'a'), 30);
  });

  test('never says what it does not know, however it is damaged', async () => {
    const index = createEtagIndex(root, true, HELD);
    await put(index, keys, 'a');
    await index.compact(FOLDER, { files: keys.length, present: undefined });
    const [name = ''] = await readdir(join(root, '.strata-etags'));
    const path = join(root, '.strata-etags', name);
    const whole = await readFile(path);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length),
        fc.nat(2_000),
        fc.uint8Array({ maxLength: 50 }),
        async (at, cut, garbage) => {
          await writeFile(path, Buffer.concat([whole.subarray(0, at), garbage, whole.subarray(at + cut)]));
          await known(createEtagIndex(root, false, HELD), keys, 'a');
        },
      ),
      { numRuns: 30 },
    );
    await rm(path);
    assert.equal(await known(createEtagIndex(root, false, HELD), keys, 'a'), 0);
  });
});

test('a key is found in a sorted file that is read by parts, whichever was asked for before', async () => {
  const path = join(root, 'sorted');
  const keys = Array.from({ length: 20_000 }, (_, n) => `${FOLDER}/${String(2 * n).padStart(8, '0')}.csv`);
  await writeSorted(
    path,
    (async function* () {
      for (const key of keys) yield { key, stamp: 's', etag: key };
    })(),
  );
  assert.ok((await stat(path)).size > 4 * 256 * 1024);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(2 * keys.length + 10), { minLength: 1, maxLength: 20 }), async (asked) => {
      const sorted = openSorted(path);
      for (const n of asked) {
        const key = `${FOLDER}/${String(n).padStart(8, '0')}.csv`;
        const there = n % 2 === 0 && n < 2 * keys.length;
        assert.equal((await sorted.find(key))?.etag, there ? key : undefined, String(n));
      }
    }),
    { numRuns: 40 },
  );
});
