import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { createLocalStore } from '../../lib/adapters/store/local.ts';
import { InvalidInput } from '../../lib/core/errors.ts';
import { checkLanding, landFiles } from '../../lib/runtime/land-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'strata-land-'));
after(() => rmSync(folder, { recursive: true }));

let root: string;
let scratch: string;
let count = 0;

beforeEach(() => {
  count += 1;
  root = join(folder, `lake-${count}`);
  scratch = join(root, '.strata-scratch');
  mkdirSync(scratch, { recursive: true });
});

const landing = (files: readonly string[], source = 'orders') => ({ pipeline: 'shop', source, files });

function deps() {
  let next = 0;
  const unique = () => String(++next);
  return {
    store: createLocalStore({ root, durable: false }),
    ids: { unique, uuid: unique, snapshot: () => 1n },
    settings: { memoryBytes: 1e8, threads: 1, scratch, holder: () => 'test', leaseMs: 60_000 },
  };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

test('files arrive under their names, and what they came from stays', async () => {
  const odd = file('it\'s; a "name" é.csv', 'x');
  const landed = await landFiles(deps(), landing([file('a.csv', 'one'), odd]));
  assert.deepEqual(
    landed.map(({ key, bytes, status }) => ({ key, bytes, status })),
    [
      { key: 'bronze/shop/orders/a.csv', bytes: 3, status: 'landed' },
      { key: `bronze/shop/orders/it's; a "name" é.csv`, bytes: 1, status: 'landed' },
    ],
  );
  assert.equal(readFileSync(join(root, 'bronze/shop/orders/a.csv'), 'utf8'), 'one');
  assert.equal(readFileSync(odd, 'utf8'), 'x');
  assert.deepEqual(readdirSync(scratch), []);
});

test('the same name again replaces, and is no new file with the same bytes', async () => {
  const given = deps();
  const path = file('again.csv', 'same');
  await landFiles(given, landing([path]));
  const before = await given.store.head('bronze/shop/orders/again.csv');
  const [landed] = await landFiles(given, landing([path]));
  const after = await given.store.head('bronze/shop/orders/again.csv');
  assert.equal(landed?.status, 'unchanged');
  assert.equal(after?.etag, before?.etag);
  const [replaced] = await landFiles(given, landing([file('again.csv', 'diff')]));
  assert.equal(replaced?.status, 'replaced');
});

test('skipEqual leaves equal bytes alone, and nothing else', async () => {
  const given = deps();
  await landFiles(given, landing([file('x/s.csv', 'same'), file('x/t.csv', 'old')]));
  const before = await given.store.head('bronze/shop/orders/s.csv');
  const landed = await landFiles(given, landing([file('y/s.csv', 'same'), file('y/t.csv', 'new')]), {
    skipEqual: true,
  });
  assert.deepEqual(
    landed.map((one) => one.status),
    ['unchanged', 'replaced'],
  );
  assert.deepEqual(await given.store.head('bronze/shop/orders/s.csv'), before);
  assert.equal(readFileSync(join(root, 'bronze/shop/orders/t.csv'), 'utf8'), 'new');
});

test('a folder stands for all files below it, with its name before theirs', async () => {
  const days = ['day=1', 'day=2'].map((day) => join(folder, 'days', day));
  file('days/day=1/part.csv', 'one');
  file('days/day=2/deep/part.csv', 'two');
  file('days/day=2/part.csv', 'three');
  assert.equal(await checkLanding(specs, landing(days)), 3);
  const landed = await landFiles(deps(), landing([`${days[0]}/`, days[1] ?? '']));
  assert.deepEqual(
    landed.map(({ key }) => key),
    ['day=1/part.csv', 'day=2/deep/part.csv', 'day=2/part.csv'].map((name) => `bronze/shop/orders/${name}`),
  );
  assert.equal(readFileSync(join(root, 'bronze/shop/orders/day=2/deep/part.csv'), 'utf8'), 'two');
  const twin = file('other/day=1/part.csv', 'x');
  await assert.rejects(
    checkLanding(specs, landing([...days, join(twin, '..')])),
    /the name of .*days\/day=1\/part\.csv too/,
  );
});

const specs = async () => ({ sources: [{ name: 'orders' }] });

test('every file that cannot land is named at once', async () => {
  const good = file('good.csv', 'x');
  const twin = file('other/good.csv', 'y');
  const linked = join(folder, 'linked.csv');
  symlinkSync(good, linked);
  const empty = join(folder, 'empty', 'of files');
  mkdirSync(empty, { recursive: true });
  const broken = join(folder, 'broken.csv');
  symlinkSync(join(folder, 'gone'), broken);
  await assert.rejects(checkLanding(specs, landing([good, 'nowhere.csv', empty, twin, linked, broken])), (error) => {
    assert.ok(error instanceof InvalidInput);
    assert.deepEqual(
      error.problems.map((problem) => [problem.file, problem.got]),
      [
        ['nowhere.csv', 'nothing at that path'],
        [empty, 'a folder without a file'],
        [twin, `the name of ${good} too`],
        [broken, 'nothing at that path'],
      ],
    );
    return true;
  });
});

test('an unknown source is refused with the one that is meant', async () => {
  await assert.rejects(
    checkLanding(specs, landing([], 'order')),
    /no source "order": expected orders; did you mean "orders"\?/,
  );
});
