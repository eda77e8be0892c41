import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createLocalStore } from '../../../lib/adapters/store/local.ts';
import { InvalidInput, ObjectNotFound } from '../../../lib/core/errors.ts';
import { bytesOf, keysOf, type StoreUnderTest, storeContract, textOf } from '../../ports/store-contract.ts';

const PROCESS = fileURLToPath(new URL('store-process.ts', import.meta.url));

async function openLocal(): Promise<StoreUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-local-'));
  const scratch = join(folder, 'scratch');
  await mkdir(scratch);
  return {
    store: createLocalStore({ root: join(folder, 'lake') }),
    scratch,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

storeContract('local', openLocal, { versions: 'a folder holds one content of a name' });

describe('local store and its folder', () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'strata-folder-'));
  });
  after(() => rm(root, { recursive: true, force: true }));

  it('sees files that others put there, and a changed file under a new etag', async () => {
    const store = createLocalStore({ root });
    await mkdir(join(root, 'bronze/p/s'), { recursive: true });
    await writeFile(join(root, 'bronze/p/s/a b.csv'), 'x');
    const first = await store.head('bronze/p/s/a b.csv');
    await writeFile(join(root, 'bronze/p/s/a b.csv'), 'y');
    assert.notEqual((await store.head('bronze/p/s/a b.csv'))?.etag, first?.etag);
  });

  it('walks into a folder named like a file, which is no object itself', async () => {
    const store = createLocalStore({ root });
    await mkdir(join(root, 'bronze/p/dir/x.csv'), { recursive: true });
    await mkdir(join(root, 'bronze/p/dir/empty.csv'), { recursive: true });
    await writeFile(join(root, 'bronze/p/dir/x.csv/part'), '1');
    assert.deepEqual(await keysOf(createLocalStore({ root }), 'bronze/p/dir/'), ['bronze/p/dir/x.csv/part']);
    assert.equal(await store.head('bronze/p/dir/x.csv'), undefined);
    await assert.rejects(store.borrow(['bronze/p/dir/x.csv']), ObjectNotFound);
  });

  it('says what stands in the way of a write', async () => {
    const store = createLocalStore({ root });
    await mkdir(join(root, 'ops/way/dir'), { recursive: true });
    await writeFile(join(root, 'ops/way/file'), '');
    await assert.rejects(store.write('ops/way/dir', bytesOf(''), { kind: 'any' }), InvalidInput);
    await assert.rejects(store.write('ops/way/file/below', bytesOf(''), { kind: 'any' }), InvalidInput);
    await assert.rejects(store.write(`ops/${'x'.repeat(300)}`, bytesOf(''), { kind: 'any' }), /too long/);
    assert.equal(await store.head(`ops/${'x'.repeat(300)}`), undefined);
  });

  it('follows links to files and folders, but not in circles, and skips dangling ones', async () => {
    await mkdir(join(root, 'outside'));
    await writeFile(join(root, 'outside/f.csv'), '1');
    await mkdir(join(root, 'bronze/p/links'), { recursive: true });
    await symlink(join(root, 'outside'), join(root, 'bronze/p/links/in'));
    await symlink(join(root, 'outside/f.csv'), join(root, 'bronze/p/links/one.csv'));
    await symlink(join(root, 'bronze/p/links'), join(root, 'bronze/p/links/circle'));
    await symlink(join(root, 'nowhere'), join(root, 'bronze/p/links/dangling'));
    assert.deepEqual(await keysOf(createLocalStore({ root }), 'bronze/p/links/'), [
      'bronze/p/links/in/f.csv',
      'bronze/p/links/one.csv',
    ]);
  });

  it('leaves no temporary file or lock behind, and lists none', async () => {
    const store = createLocalStore({ root });
    await store.write('ops/clean/a', bytesOf('1'), { kind: 'any' });
    await store.write('ops/clean/a', bytesOf('2'), { kind: 'absent' });
    await store.write('ops/clean/a', bytesOf('3'), { kind: 'match', etag: 'wrong' });
    assert.deepEqual(await readdir(join(root, 'ops/clean')), ['a']);
    await writeFile(join(root, 'ops/clean/.strata-crashed.tmp'), 'half');
    assert.deepEqual(await keysOf(createLocalStore({ root }), 'ops/clean/'), ['ops/clean/a']);
  });

  it('refuses a file name that is not UTF-8 instead of losing the file', async () => {
    await mkdir(join(root, 'bronze/p/latin1'), { recursive: true });
    const name = Buffer.concat([Buffer.from(join(root, 'bronze/p/latin1/caf')), Buffer.from([0xe9])]);
    await writeFile(name, '1');
    await assert.rejects(keysOf(createLocalStore({ root }), 'bronze/p/latin1/'), /not UTF-8.*rename/);
  });

  it('makes a file younger than the one it replaces, so that an etag never comes back', async () => {
    const store = createLocalStore({ root });
    await store.write('ops/age', bytesOf('old'), { kind: 'any' });
    await utimes(join(root, 'ops/age'), 2_000_000_000, 2_000_000_000);
    const before = await store.head('ops/age');
    await store.write('ops/age', bytesOf('new'), { kind: 'any' });
    const [, mtimeNs = ''] = (await store.head('ops/age'))?.etag.split('-') ?? [];
    assert.equal(before?.modified, 2_000_000_000_000);
    assert.ok(BigInt(mtimeNs) > 2_000_000_000_000_000_000n);
  });

  it('takes locations from a base of the caller', () => {
    const store = createLocalStore({ root, locationBase: 'http://127.0.0.1:8080/lake' });
    assert.equal(store.location('silver/p/t'), 'http://127.0.0.1:8080/lake/silver/p/t');
    assert.equal(store.key('http://127.0.0.1:8080/lake/silver/p/t'), 'silver/p/t');
    assert.equal(createLocalStore({ root }).location('silver/p/t'), `file://${root}/silver/p/t`);
  });

  it('lists 2,000 files of one folder in key order', async () => {
    const folder = join(root, 'bronze/p/many');
    await mkdir(folder, { recursive: true });
    const names = Array.from({ length: 2_000 }, (_, n) => `part-${n}.csv`);
    for (let at = 0; at < names.length; at += 500) {
      await Promise.all(names.slice(at, at + 500).map((name) => writeFile(join(folder, name), '')));
    }
    assert.deepEqual(
      await keysOf(createLocalStore({ root }), 'bronze/p/many/'),
      names.map((name) => `bronze/p/many/${name}`).sort(),
    );
  });
});

describe('local store between processes', () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'strata-processes-'));
    await mkdir(join(root, 'ops'));
  });
  after(() => rm(root, { recursive: true, force: true }));

  it('gives each absent write to one of 8 processes and loses no match write', async () => {
    const store = createLocalStore({ root });
    await store.write('ops/counter', bytesOf('0'), { kind: 'absent' });
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, n) => promisify(execFile)(process.execPath, [PROCESS, 'race', root, String(n)])),
    );
    const won = results.flatMap(({ stdout }, n) => (JSON.parse(stdout) as string[]).map((key) => ({ key, n })));
    assert.equal(won.length, 40);
    assert.equal(new Set(won.map(({ key }) => key)).size, 40);
    for (const { key, n } of won) assert.equal(textOf((await store.read(key)).bytes), String(n));
    assert.equal(textOf((await store.read('ops/counter')).bytes), '200');
    assert.deepEqual((await readdir(join(root, 'ops'))).sort(), ['counter', 'race']);
  });
});
