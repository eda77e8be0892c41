import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { withFreshScratch } from '../../../lib/runtime/lambda/scratch.ts';

let tmp = '';
beforeEach(async () => {
  tmp = await mkdtemp(join(tmpdir(), 'strata-scratch-'));
});
afterEach(() => rm(tmp, { recursive: true, force: true }));

const fill = async (folder: string): Promise<void> => {
  await mkdir(join(folder, 'deep', 'er'), { recursive: true });
  await writeFile(join(folder, 'deep', 'er', 'spilled.tmp'), 'x');
};

test('a call has a folder of its own, of which nothing is left', async () => {
  const answer = await withFreshScratch(tmp, async (folder) => {
    assert.ok((await stat(folder)).isDirectory());
    assert.ok(folder.startsWith(`${tmp}/`));
    await fill(folder);
    return 7;
  });
  assert.equal(answer, 7);
  assert.deepEqual(await readdir(tmp), []);
});

test('an error goes on as it is, and nothing is left either', async () => {
  const error = new Error('no');
  const call = withFreshScratch(tmp, async (folder) => {
    await fill(folder);
    throw error;
  });
  await assert.rejects(call, (thrown) => thrown === error);
  assert.deepEqual(await readdir(tmp), []);
});

test('what a call that was killed has left is removed before the next one begins', async () => {
  // Where calls work is theirs to choose: the leftovers lie where one has been.
  const root = await withFreshScratch(tmp, async (folder) => dirname(folder));
  await fill(join(root, 'call-killed'));
  await withFreshScratch(tmp, async (folder) => {
    assert.deepEqual(await readdir(dirname(folder)), [folder.slice(dirname(folder).length + 1)]);
    assert.deepEqual(await readdir(folder), []);
  });
});

test('other files of /tmp stay', async () => {
  await writeFile(join(tmp, 'cache.json'), '{}');
  await withFreshScratch(tmp, fill);
  assert.deepEqual(await readdir(tmp), ['cache.json']);
});

test('two calls, one after the other, have different folders', async () => {
  const folderOf = (): Promise<string> => withFreshScratch(tmp, async (folder) => folder);
  assert.notEqual(await folderOf(), await folderOf());
});
