import assert from 'node:assert/strict';
import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createLocalStore } from '../../../lib/adapters/store/local.ts';
import { createLocalEtags } from '../../../lib/adapters/store/local-etags.ts';
import type { ObjectStore } from '../../../lib/ports.ts';
import { listed } from '../../ports/store-versions.ts';

const FOLDER = 'bronze/p/s';
const KEY = `${FOLDER}/a.csv`;
/** So late that no file was changed within a step of the clock before. */
const LATER = (): number => Date.now() + 3_600_000;
/** As if every file had been changed just now. */
const AT_ONCE = (): number => 0;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'strata-etags-'));
  await mkdir(join(root, FOLDER), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

const open = (now = LATER, readOnly = false): ObjectStore => createLocalStore({ root, now, readOnly, durable: false });
const etag = async (store: ObjectStore): Promise<string | undefined> => (await store.head(KEY))?.etag;
const list = async (store: ObjectStore): Promise<readonly string[]> =>
  (await listed(store, `${FOLDER}/`)).map((info) => info.etag);
const logs = async (): Promise<readonly string[]> => {
  const names = await readdir(join(root, '.strata-etags')).catch(() => []);
  return names.map((name) => join(root, '.strata-etags', name));
};

/** Puts another content under the stamp that the index has for a file, so that only reading the file tells. */
async function forge(path: string, content: string): Promise<void> {
  const [log = ''] = await logs();
  const text = await readFile(log, 'utf8');
  await writeFile(path, content);
  const stats = await stat(path, { bigint: true });
  const etags = createLocalEtags(root, { write: true, now: LATER });
  const [, , known = ''] = text.trim().split(' ');
  await etags.index.put(KEY, `${stats.size}-${stats.mtimeNs}-${stats.ctimeNs}-${stats.ino}`, known);
  await etags.index.flush();
}

describe('etags of a folder', () => {
  it('stay when a file is touched, moved away and back, copied or restored', async () => {
    const path = join(root, KEY);
    await writeFile(path, 'one');
    const first = await etag(open());
    await utimes(path, 1, 1);
    assert.equal(await etag(open()), first);
    await rename(path, join(root, 'away'));
    await cp(join(root, 'away'), path);
    assert.equal(await etag(open()), first);
  });

  it('change with the content, also when size, name and modification time stay', async () => {
    const path = join(root, KEY);
    await writeFile(path, 'one');
    await utimes(path, 1_700_000_000, 1_700_000_000);
    const [first] = await list(open());
    await writeFile(path, 'two');
    await utimes(path, 1_700_000_000, 1_700_000_000);
    const [second] = await list(open());
    assert.notEqual(second, first);
  });

  it('of a file that was read before are known without reading it', async () => {
    const path = join(root, KEY);
    await writeFile(path, 'one');
    const [first] = await list(open());
    await forge(path, 'two');
    assert.deepEqual(await list(open()), [first]);
    assert.equal(await etag(open()), first);
  });

  it('of a file that changed just before it was read are not relied on', async () => {
    await writeFile(join(root, KEY), 'one');
    await list(open(AT_ONCE));
    assert.deepEqual(await logs(), []);
    const store = open(AT_ONCE);
    const [planned] = await listed(store, KEY);
    const borrowed = await store.borrow([{ key: KEY, etag: planned?.etag ?? '' }]);
    assert.deepEqual([...(await borrowed.verify())], []);
  });

  it('are found although the index is damaged, torn or gone, or cannot be written', async () => {
    const path = join(root, KEY);
    await writeFile(path, 'one');
    const first = await list(open());
    const [log = ''] = await logs();
    const whole = await readFile(log);
    for (const damaged of [
      whole.subarray(0, whole.length / 2),
      Buffer.concat([whole.subarray(0, 20), Buffer.from([0xff, 0x00, 0x0a]), whole.subarray(20)]),
      Buffer.from(whole.toString().replaceAll(/[0-9a-f]{64}/g, '0'.repeat(64))),
      Buffer.from('no index at all\n\n{"'),
      Buffer.alloc(0),
    ]) {
      await writeFile(log, damaged);
      assert.deepEqual(await list(open()), first);
    }
    assert.deepEqual(await list(open()), first);
    await rm(join(root, '.strata-etags'), { recursive: true });
    await writeFile(join(root, '.strata-etags'), 'a file where the folder would be');
    assert.deepEqual(await list(open()), first);
  });

  it('are looked up without a trace by those who only read', async () => {
    await writeFile(join(root, KEY), 'one');
    const [first] = await list(open(LATER, true));
    assert.deepEqual(await readdir(root), ['bronze']);
    assert.deepEqual(await list(open()), [first]);
  });

  it('go with a copy of the lake, whose index is of no use to it and does no harm', async () => {
    await writeFile(join(root, KEY), 'one');
    const first = await list(open());
    const copy = `${root}-copy`;
    try {
      await cp(root, copy, { recursive: true });
      const store = createLocalStore({ root: copy, durable: false });
      assert.deepEqual(await list(store), first);
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  });

  it('of many files are kept in one log, to which is added and which does not grow without end', async () => {
    const names = Array.from({ length: 700 }, (_, at) => `${at}.csv`);
    for (let round = 0; round < 4; round += 1) {
      await Promise.all(names.map((name) => writeFile(join(root, FOLDER, name), `${round}`)));
      assert.equal(new Set(await list(open())).size, 1);
    }
    const [log = '', ...more] = await logs();
    assert.deepEqual(more, []);
    const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '');
    assert.ok(lines.length < 2 * names.length + 1_000, `${lines.length} lines`);
    await appendFile(log, 'half a li');
    await writeFile(join(root, KEY), 'new');
    await list(open());
    await forge(join(root, KEY), 'forged');
    assert.equal((await list(open())).length, names.length + 1);
  });

  it('are shared by listings side by side', async () => {
    const names = Array.from({ length: 100 }, (_, at) => `${at}.csv`);
    await Promise.all(names.map((name) => writeFile(join(root, FOLDER, name), name)));
    const all = await Promise.all(Array.from({ length: 4 }, () => list(open())));
    for (const one of all) assert.deepEqual(one, all[0]);
    assert.deepEqual(await list(open()), all[0]);
  });
});

describe('what a folder lends', () => {
  const borrow = async (store: ObjectStore) => {
    const [planned] = await listed(store, KEY);
    return store.borrow([{ key: KEY, etag: planned?.etag ?? '' }]);
  };

  for (const now of [LATER, AT_ONCE]) {
    it(`is looked at again after it was read (${now === LATER ? 'a file at rest' : 'one changed just now'})`, async () => {
      await writeFile(join(root, KEY), 'one');
      const store = open(now);
      const borrowed = await borrow(store);
      await writeFile(join(root, KEY), 'two');
      assert.deepEqual([...(await borrowed.verify())], [[KEY, 'replaced']]);
    });
  }

  it('may be named by the etag of an earlier release', async () => {
    await writeFile(join(root, KEY), 'one');
    const { size, mtimeNs, ino } = await stat(join(root, KEY), { bigint: true });
    const store = open();
    assert.equal((await store.head(KEY))?.former, `${size}-${mtimeNs}-${ino}`);
    const borrowed = await store.borrow([{ key: KEY, etag: `${size}-${mtimeNs}-${ino}` }]);
    assert.deepEqual([...borrowed.paths.keys()], [KEY]);
    assert.deepEqual([...(await borrowed.verify())], []);
  });
});
