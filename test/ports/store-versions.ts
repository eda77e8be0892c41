import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { objectName } from '../../lib/core/objects.ts';
import type { ObjectInfo, ObjectStore } from '../../lib/ports.ts';

/** What of the contract about versions an adapter, or its server, does not keep, with the reason. */
export type LacksVersions = {
  /** Overwritten objects are not kept. */
  readonly versions?: string;
  /** What is removed and lands again at once cannot be told from what was overwritten. */
  readonly order?: string;
};

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What a store that keeps overwritten objects must show of them in bronze. */
export function versionsContract(store: () => ObjectStore, { versions, order }: LacksVersions): void {
  const skip = versions ?? false;

  it('lists every content of an overwritten file of bronze, the oldest first, and lends each', { skip }, async () => {
    const key = 'bronze/versions/s/day 1+ä.csv';
    const etags: string[] = [];
    for (const text of ['first', 'second', 'third']) etags.push(await land(store(), key, text));
    const uploads = await listed(store(), 'bronze/versions/s/day');
    assert.deepEqual(
      uploads.map((upload) => [upload.key, upload.etag]),
      etags.map((etag) => [key, etag]),
    );
    assert.equal(new Set(uploads.map(objectName)).size, 3);
    assert.deepEqual(await textsOf(store(), uploads), ['first', 'second', 'third']);
    for (const upload of uploads) assert.deepEqual(await store().head(key, upload.version), upload);
    assert.deepEqual(await store().head(key), uploads[2]);
    assert.equal(new TextDecoder().decode((await store().read(key)).bytes), 'third');
    const borrowed = await store().borrow([key, ...uploads]);
    assert.equal(await readFile(borrowed.paths.get(key) ?? '', 'utf8'), 'third');
    await borrowed[Symbol.asyncDispose]();
  });

  it('lists equal contents of a file once, the newest', { skip }, async () => {
    const key = 'bronze/versions/s/equal.csv';
    for (const text of ['same', 'other', 'same', 'same']) await land(store(), key, text);
    const uploads = await listed(store(), key);
    assert.deepEqual(await textsOf(store(), uploads), ['other', 'same']);
    assert.deepEqual(uploads[1], await store().head(key));
  });

  it('lends what was listed although it has been overwritten or removed since', { skip }, async () => {
    const key = 'bronze/versions/s/replaced.csv';
    await land(store(), key, 'planned');
    const planned = await listed(store(), key);
    await land(store(), key, 'replacement');
    assert.deepEqual(await textsOf(store(), planned), ['planned']);
    assert.equal((await store().head(key, planned[0]?.version))?.etag, planned[0]?.etag);
    await store().remove(key);
    assert.deepEqual(await textsOf(store(), planned), ['planned']);
  });

  it('lists nothing of a file that was removed', { skip }, async () => {
    const key = 'bronze/versions/s/removed.csv';
    for (const text of ['withdrawn', 'withdrawn too']) await land(store(), key, text);
    await store().remove(key);
    assert.deepEqual(await listed(store(), key), []);
    assert.equal(await store().head(key), undefined);
  });

  it('lists what has landed since a file was removed, and only that', {
    skip: versions ?? order ?? false,
  }, async () => {
    const key = 'bronze/versions/s/again.csv';
    await land(store(), key, 'withdrawn');
    await store().remove(key);
    const etag = await land(store(), key, 'again');
    assert.deepEqual(
      (await listed(store(), key)).map((upload) => upload.etag),
      [etag],
    );
  });

  it('lists overwritten objects of the other zones once', { skip }, async () => {
    for (const zone of ['silver', 'gold', 'ops']) {
      const key = `${zone}/versions/overwritten`;
      await land(store(), key, 'first');
      const etag = await land(store(), key, 'second');
      const [only, ...more] = await listed(store(), key);
      assert.deepEqual([only?.etag, only?.version], [etag, undefined]);
      assert.deepEqual(more, []);
    }
  });
}

/** All objects under a prefix in the order in which the store lists them. */
export async function listed(store: ObjectStore, prefix: string): Promise<readonly ObjectInfo[]> {
  const infos: ObjectInfo[] = [];
  for await (const info of store.list(prefix)) infos.push(info);
  return infos;
}

async function land(store: ObjectStore, key: string, text: string): Promise<string> {
  const outcome = await store.write(key, bytesOf(text), { kind: 'any' });
  assert.ok(outcome.kind === 'written');
  return outcome.etag;
}

/** In the order of the objects; all of them are lent at once. */
async function textsOf(store: ObjectStore, objects: readonly ObjectInfo[]): Promise<readonly string[]> {
  const borrowed = await store.borrow(objects);
  const texts = objects.map((object) => readFile(borrowed.paths.get(objectName(object)) ?? '', 'utf8'));
  return Promise.all(texts).finally(() => borrowed[Symbol.asyncDispose]());
}
