import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { InvalidInput, ObjectNotFound } from '../../lib/core/errors.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { removeObjects } from '../../lib/table/remove-objects.ts';
import { BAD_KEYS, ODD_KEYS } from './keys-table.ts';
import { partsContract } from './store-parts.ts';
import { plannedContract } from './store-planned.ts';
import { type LacksVersions, listed, versionsContract } from './store-versions.ts';

/** An adapter under test: an empty store, an existing folder for finished files, and how to give both back. */
export type StoreUnderTest = { readonly store: ObjectStore; readonly scratch: string; close(): Promise<void> };

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What an adapter, or the server that it is tested against, does not do, with the reason. */
export type Lacks = LacksVersions & {
  /** Keys that a server in a test cannot hold although the store can. */
  readonly keys?: { readonly [key: string]: string };
};

/** The behaviour every ObjectStore must show; `open` gives a fresh, empty one. */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>, lacks: Lacks = {}): void {
  describe(`${name} store`, () => {
    let subject: StoreUnderTest;
    let store: ObjectStore;
    before(async () => {
      subject = await open();
      store = subject.store;
    });
    after(() => subject.close());

    readAndWrite(() => store);
    conditions(() => store);
    listing(() => store);
    keys(() => store, lacks.keys ?? {});
    files(() => subject);
    partsContract(() => store);
    plannedContract(() => store);
    versionsContract(() => store, lacks);
  });
}

function readAndWrite(store: () => ObjectStore): void {
  it('reads back the bytes and the etag that were written', async () => {
    const key = 'ops/rw/a.json';
    const outcome = await store().write(key, bytesOf('one'), { kind: 'any' });
    assert.equal(outcome.kind, 'written');
    const { bytes, etag } = await store().read(key);
    assert.equal(textOf(bytes), 'one');
    assert.equal(outcome.kind === 'written' && outcome.etag, etag);
    const info = await store().head(key);
    assert.deepEqual({ key: info?.key, size: info?.size, etag: info?.etag }, { key, size: 3, etag });
    assert.ok(Number.isFinite(info?.modified));
  });

  it('holds an empty object', async () => {
    await store().write('ops/rw/empty', new Uint8Array(), { kind: 'absent' });
    assert.equal((await store().read('ops/rw/empty')).bytes.length, 0);
    assert.equal((await store().head('ops/rw/empty'))?.size, 0);
  });

  it('keeps its own copy of what was written and of what was read', async () => {
    const bytes = bytesOf('mine');
    await store().write('ops/rw/copy', bytes, { kind: 'any' });
    bytes.fill(0);
    (await store().read('ops/rw/copy')).bytes.fill(0);
    assert.equal(textOf((await store().read('ops/rw/copy')).bytes), 'mine');
  });

  it('answers a missing key with ObjectNotFound, or undefined from head', async () => {
    await assert.rejects(store().read('ops/rw/none'), ObjectNotFound);
    await assert.rejects(store().read('ops/rw'), ObjectNotFound);
    await assert.rejects(store().read('ops/rw/a.json/below'), ObjectNotFound);
    assert.equal(await store().head('ops/rw/none'), undefined);
    assert.equal(await store().head('ops/rw'), undefined);
    assert.equal(await store().head('ops/rw/a.json/below'), undefined);
  });

  it('removes, and removes again without an error', async () => {
    await store().write('ops/rw/gone', bytesOf('x'), { kind: 'any' });
    await store().remove('ops/rw/gone');
    assert.equal(await store().head('ops/rw/gone'), undefined);
    await store().remove('ops/rw/gone');
    await store().remove('ops/never/was');
  });

  it('removes many, those that are there and those that are not, and no others', async () => {
    const names = [
      'a b',
      '<&>"',
      "it's",
      'naïve \u{1f600}',
      'back\\slash',
      ...Array.from({ length: 9 }, (_, n) => `${n}`),
    ];
    const keys = names.flatMap((name) => [`ops/many/${name}`, `bronze/many/s/${name}`]);
    for (const key of [...keys, 'ops/many/kept']) await store().write(key, bytesOf(key), { kind: 'any' });
    await removeObjects(store(), [...keys, 'ops/many/never', 'silver/many/never']);
    assert.deepEqual(await keysOf(store(), 'ops/many/'), ['ops/many/kept']);
    assert.deepEqual(await keysOf(store(), 'bronze/many/'), []);
    await removeObjects(store(), keys);
    await removeObjects(store(), []);
  });
}

function conditions(store: () => ObjectStore): void {
  it('writes `absent` once and answers conflict afterwards, leaving the object alone', async () => {
    const key = 'ops/cond/once';
    assert.equal((await store().write(key, bytesOf('first'), { kind: 'absent' })).kind, 'written');
    assert.deepEqual(await store().write(key, bytesOf('second'), { kind: 'absent' }), { kind: 'conflict' });
    assert.equal(textOf((await store().read(key)).bytes), 'first');
    await store().remove(key);
    assert.equal((await store().write(key, bytesOf('third'), { kind: 'absent' })).kind, 'written');
  });

  it('writes `match` only over the very object', async () => {
    const key = 'ops/cond/match';
    assert.deepEqual(await store().write(key, bytesOf('x'), { kind: 'match', etag: 'none' }), { kind: 'conflict' });
    const first = await written(store(), key, 'aaa', { kind: 'any' });
    const second = await written(store(), key, 'bbb', { kind: 'match', etag: first });
    assert.notEqual(second, first);
    assert.deepEqual(await store().write(key, bytesOf('ccc'), { kind: 'match', etag: first }), { kind: 'conflict' });
    await store().remove(key);
    assert.deepEqual(await store().write(key, bytesOf('ddd'), { kind: 'match', etag: second }), { kind: 'conflict' });
    assert.equal(await store().head(key), undefined);
  });

  it('gives every replaced content of one size an etag of its own', async () => {
    const seen = new Set<string>();
    for (let n = 0; n < 50; n += 1) seen.add(await written(store(), 'ops/cond/etags', `${100 + n}`, { kind: 'any' }));
    assert.equal(seen.size, 50);
  });

  it('lets exactly one of 8 parallel `absent` writers win', async () => {
    for (let round = 0; round < 10; round += 1) {
      const key = `ops/cond/race/${round}`;
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, n) => store().write(key, bytesOf(`writer ${n}`), { kind: 'absent' })),
      );
      const winners = outcomes.flatMap((outcome, n) => (outcome.kind === 'written' ? [n] : []));
      assert.equal(winners.length, 1);
      assert.equal(textOf((await store().read(key)).bytes), `writer ${winners[0]}`);
    }
  });

  it('lets exactly one of 8 parallel `match` writers win', async () => {
    const key = 'ops/cond/match-race';
    let etag = await written(store(), key, 'start', { kind: 'absent' });
    for (let round = 0; round < 10; round += 1) {
      const condition = { kind: 'match', etag } as const;
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, n) => store().write(key, bytesOf(`${round} ${n}`), condition)),
      );
      const winners = outcomes.flatMap((outcome) => (outcome.kind === 'written' ? [outcome.etag] : []));
      assert.equal(winners.length, 1);
      etag = winners[0] ?? '';
      assert.equal((await store().read(key)).etag, etag);
    }
  });

  it('never loses an increment of 8 parallel counters', async () => {
    const key = 'ops/cond/counter';
    await store().write(key, bytesOf('0'), { kind: 'absent' });
    await Promise.all(Array.from({ length: 8 }, () => increment(store(), key, 5)));
    assert.equal(textOf((await store().read(key)).bytes), '40');
  });
}

function listing(store: () => ObjectStore): void {
  it('lists by prefix, also an unfinished name, in the byte order of keys', async () => {
    const names = ['b', 'a/x', 'a.txt', 'a-1', 'a/y/z', 'aa', 'A', '\u{1f600}', '\ufb01', 'é', 'a b'];
    for (const name of names) await store().write(`ops/list/${name}`, bytesOf(name), { kind: 'any' });
    const expected = names.map((name) => `ops/list/${name}`).sort((x, y) => Buffer.compare(bytes(x), bytes(y)));
    assert.deepEqual(await keysOf(store(), 'ops/list/'), expected);
    assert.deepEqual(
      await keysOf(store(), 'ops/list/a'),
      expected.filter((key) => key.startsWith('ops/list/a')),
    );
    assert.deepEqual(await keysOf(store(), 'ops/list/a/'), ['ops/list/a/x', 'ops/list/a/y/z']);
    assert.deepEqual(await keysOf(store(), 'ops/nothing/'), []);
    assert.deepEqual(await keysOf(store(), 'ops/list/b/'), []);
    const everything = await keysOf(store(), '');
    assert.ok(expected.every((key) => everything.includes(key)));
  });

  it('describes listed objects as head does', async () => {
    for (const info of await listed(store(), 'ops/list/')) assert.deepEqual(info, await store().head(info.key));
  });

  it('names the folders one level down', async () => {
    for (const key of ['ops/tree/r2/plan.json', 'ops/tree/r10/a/b', 'ops/tree/file', 'ops/tree/r1/x']) {
      await store().write(key, bytesOf(''), { kind: 'any' });
    }
    assert.deepEqual(await store().folders('ops/tree/'), ['r1', 'r10', 'r2']);
    assert.deepEqual(await store().folders('ops/none/'), []);
    assert.ok((await store().folders('')).includes('ops'));
    assert.deepEqual(await store().names('ops/tree/'), ['file', 'r1/', 'r10/', 'r2/']);
    assert.deepEqual(await store().names('ops/none/'), []);
    await assert.rejects(store().names('ops/tree'), InvalidInput);
    await assert.rejects(store().folders('ops/tree'), InvalidInput);
  });

  it('leaves out what is ignored', async () => {
    const found: string[] = [];
    const ignore = (key: string): boolean => key.startsWith('ops/list/a');
    for await (const info of store().list('ops/list/', { ignore })) found.push(info.key);
    assert.deepEqual(
      found,
      (await keysOf(store(), 'ops/list/')).filter((key) => !ignore(key)),
    );
  });

  it('refuses a prefix that leaves the store', async () => {
    for (const prefix of ['../', 'ops/../../', '/', '/etc/']) {
      await assert.rejects(keysOf(store(), prefix), InvalidInput, prefix);
    }
  });
}

function keys(store: () => ObjectStore, skipped: { readonly [key: string]: string }): void {
  for (const key of ODD_KEYS) {
    const skip = skipped[key] ?? false;
    it(`holds the key ${JSON.stringify(key)}`, { skip }, async () => {
      await store().write(key, bytesOf(key), { kind: 'absent' });
      assert.equal(textOf((await store().read(key)).bytes), key);
      assert.ok((await keysOf(store(), 'bronze/p/s/')).includes(key));
      assert.equal(store().key(store().location(key)), key);
      const borrowed = await store().borrow([key]);
      assert.equal(await readFile(borrowed.paths.get(key) ?? '', 'utf8'), key);
      await borrowed[Symbol.asyncDispose]();
    });
  }

  for (const key of BAD_KEYS) {
    it(`refuses the key ${JSON.stringify(key)}`, async () => {
      await assert.rejects(store().write(key, bytesOf('x'), { kind: 'any' }), InvalidInput);
      await assert.rejects(store().read(key), InvalidInput);
      await assert.rejects(store().head(key), InvalidInput);
      await assert.rejects(store().remove(key), InvalidInput);
      assert.throws(() => store().location(key), InvalidInput);
    });
  }

  it('gives back the key of any location, and refuses locations of others', () => {
    const segment = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter((text) => {
      return (
        !/[/\0]/.test(text) && text !== '.' && text !== '..' && text.isWellFormed() && !text.startsWith('.strata-')
      );
    });
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (segments) => {
        const key = ['ops', ...segments].join('/');
        assert.equal(store().key(store().location(key)), key);
      }),
    );
    const inside = store().location('silver/p/t/data/x.parquet');
    assert.ok(inside.endsWith('/silver/p/t/data/x.parquet'));
    for (const location of ['', 'nowhere', `x${inside}`, store().location('ops/a').slice(0, -6), `${inside}/../../y`]) {
      assert.throws(() => store().key(location), InvalidInput, location);
    }
  });
}

function files(subject: () => StoreUnderTest): void {
  it('publishes a finished file, repeats it without harm, and lends it', async () => {
    const { store, scratch } = subject();
    const path = join(scratch, 'part-0.parquet');
    const key = 'silver/p/t/data/part-0.parquet';
    await writeFile(path, 'rows');
    const info = await store.publish(path, key);
    assert.deepEqual(info, await store.head(key));
    await assert.rejects(readFile(path), { code: 'ENOENT' });
    assert.equal((await store.publish(path, key)).size, 4);
    await writeFile(path, 'rows');
    assert.equal((await store.publish(path, key)).size, 4);
    const borrowed = await store.borrow([key, key]);
    assert.deepEqual([...borrowed.paths.keys()], [key]);
    assert.equal(await readFile(borrowed.paths.get(key) ?? '', 'utf8'), 'rows');
    await borrowed[Symbol.asyncDispose]();
    await borrowed[Symbol.asyncDispose]();
    assert.equal(textOf((await store.read(key)).bytes), 'rows');
  });

  it('changes the etag when a published file replaces another of its size', async () => {
    const { store, scratch } = subject();
    const path = join(scratch, 'again');
    await writeFile(path, 'aaaa');
    const first = await store.publish(path, 'silver/p/t/data/again');
    await writeFile(path, 'bbbb');
    assert.notEqual((await store.publish(path, 'silver/p/t/data/again')).etag, first.etag);
  });

  it('refuses to publish a file that is not there and to lend a missing object', async () => {
    const { store, scratch } = subject();
    await assert.rejects(store.publish(join(scratch, 'none'), 'silver/p/t/data/none'), ObjectNotFound);
    await assert.rejects(store.borrow(['silver/p/t/data/none']), ObjectNotFound);
    await assert.rejects(store.borrow(['../x']), InvalidInput);
    assert.equal((await store.borrow([])).paths.size, 0);
  });
}

/** Adds 1 to a decimal counter `times` times by `match` writes, trying again after each conflict. */
export async function increment(store: ObjectStore, key: string, times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const { bytes: held, etag } = await store.read(key);
    const next = bytesOf(String(Number(textOf(held)) + 1));
    if ((await store.write(key, next, { kind: 'match', etag })).kind === 'written') done += 1;
  }
}

async function written(
  store: ObjectStore,
  key: string,
  text: string,
  condition: Parameters<ObjectStore['write']>[2],
): Promise<string> {
  const outcome = await store.write(key, bytesOf(text), condition);
  assert.equal(outcome.kind, 'written');
  return outcome.kind === 'written' ? outcome.etag : '';
}

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

/** The keys under a prefix in the order in which the store lists them. */
export async function keysOf(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  return (await listed(store, prefix)).map((info) => info.key);
}
