import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { objectName } from '../../lib/core/objects.ts';
import type { ObjectInfo, ObjectStore } from '../../lib/ports.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What a store must show of objects of bronze that are known by their content, and read only as they were planned. */
export function plannedContract(store: () => ObjectStore): void {
  it('gives equal contents of bronze one etag, under any name and at any time, and others another', async () => {
    const etags = new Map<string, string>();
    for (const [name, text] of [
      ['a', 'one'],
      ['b', 'one'],
      ['c', 'two'],
      ['a', 'two'],
      ['a', 'one'],
    ] as const) {
      const etag = await write(store(), `bronze/planned/etags/${name}`, text);
      assert.equal(etag, etags.get(text) ?? etag);
      etags.set(text, etag);
      assert.equal((await store().head(`bronze/planned/etags/${name}`))?.etag, etag);
      assert.equal((await store().read(`bronze/planned/etags/${name}`)).etag, etag);
    }
    assert.equal(new Set(etags.values()).size, 2);
  });

  it('lends an object that is as it was planned', async () => {
    const planned = await landed(store(), 'same.csv', 'planned');
    await write(store(), planned.key, 'planned');
    const borrowed = await store().borrow([plain(planned), 'bronze/planned/s/same.csv']);
    assert.equal(await readFile(borrowed.paths.get(planned.key) ?? '', 'utf8'), 'planned');
    assert.equal(borrowed.changed.size, 0);
    assert.deepEqual([...(await borrowed.verify())], []);
    await borrowed[Symbol.asyncDispose]();
  });

  for (const [what, change, act] of [
    ['replaced', 'replaced', (key: string) => write(store(), key, 'changed')],
    ['removed', 'removed', (key: string) => store().remove(key)],
  ] as const) {
    it(`does not lend an object that was ${what} since, and lends the others`, async () => {
      const other = await landed(store(), 'other.csv', 'other');
      const planned = await landed(store(), 'planned.csv', 'planned');
      await act(planned.key);
      const borrowed = await store().borrow([plain(planned), plain(other)]);
      assert.deepEqual([...borrowed.changed], [[planned.key, change]]);
      assert.deepEqual([...borrowed.paths.keys()], [other.key]);
      assert.deepEqual([...(await borrowed.verify())], []);
      await borrowed[Symbol.asyncDispose]();
    });

    it(`has lent what was planned, or says so, when the object is ${what} before it was read`, async () => {
      const planned = await landed(store(), 'late.csv', 'planned');
      const borrowed = await store().borrow([plain(planned)]);
      await act(planned.key);
      const text = await readFile(borrowed.paths.get(planned.key) ?? '', 'utf8').catch(() => undefined);
      const found = await borrowed.verify();
      if (text !== 'planned') assert.deepEqual([...found], [[planned.key, change]]);
      await borrowed[Symbol.asyncDispose]();
    });
  }
}

/** As an object is planned where its store keeps no versions. */
function plain({ key, etag }: ObjectInfo): { readonly key: string; readonly etag: string } {
  assert.equal(objectName({ key }), key);
  return { key, etag };
}

async function landed(store: ObjectStore, name: string, text: string): Promise<ObjectInfo> {
  const key = `bronze/planned/s/${name}`;
  await write(store, key, text);
  for await (const info of store.list(key)) {
    const current = await store.head(key);
    if (info.etag === current?.etag) return info;
  }
  return assert.fail(`${key} is not listed`);
}

async function write(store: ObjectStore, key: string, text: string): Promise<string> {
  const outcome = await store.write(key, bytesOf(text), { kind: 'any' });
  return outcome.kind === 'written' ? outcome.etag : assert.fail('a conflict without a condition');
}
