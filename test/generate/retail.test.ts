import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';

let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'strata-generate-'));
});

after(() => rm(root, { recursive: true }));

const SMALL = { transactions: 3001, customers: 50, products: 20, files: 3, hotShare: 0.1, seed: 7 };

/** Generates into a folder of its own; relative path -> SHA-256 of the file. */
async function generate(name: string, changes: object, threads: number): Promise<Map<string, string>> {
  const out = join(root, name);
  const session = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads, scratch: root });
  try {
    await generateRetail(parseRetailOptions({ ...SMALL, ...changes, out }), session);
  } finally {
    await session[Symbol.asyncDispose]();
  }
  const entries = await readdir(out, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashed = paths.sort().map(async (path) => {
    const digest = createHash('sha256').update(await readFile(path));
    return [path.slice(out.length + 1), digest.digest('hex')] as const;
  });
  return new Map(await Promise.all(hashed));
}

test('equal options give equal bytes with one thread and with four', async () => {
  const one = await generate('one-thread', {}, 1);
  assert.deepEqual(await generate('four-threads', {}, 4), one);
  assert.deepEqual(
    [...one.keys()],
    [
      'customers/customers.csv',
      'products/products.csv',
      'transactions/transactions-00001.csv',
      'transactions/transactions-00002.csv',
      'transactions/transactions-00003.csv',
    ],
  );
});

test('another seed changes every file', async () => {
  const base = await generate('seed-7', {}, 2);
  const other = await generate('seed-8', { seed: 8 }, 2);
  for (const [path, digest] of other) assert.notEqual(digest, base.get(path), path);
});

test('the number of files changes how transactions are split, not the transactions', async () => {
  const rowsOf = async (name: string) => {
    const folder = join(root, name, 'transactions');
    const texts = await Promise.all((await readdir(folder)).sort().map((file) => readFile(join(folder, file), 'utf8')));
    return texts.flatMap((text) => text.trimEnd().split('\n').slice(1));
  };
  await generate('files-1', { files: 1 }, 2);
  await generate('files-7', { files: 7 }, 2);
  const rows = await rowsOf('files-1');
  assert.equal(rows.length, SMALL.transactions);
  assert.deepEqual(await rowsOf('files-7'), rows);
});

test('the answer names every file with its rows and bytes', async () => {
  const session = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads: 2, scratch: root });
  try {
    const files = await generateRetail(parseRetailOptions({ ...SMALL, out: join(root, 'answer') }), session);
    for (const file of files) {
      const text = await readFile(file.path, 'utf8');
      assert.equal(Buffer.byteLength(text), file.bytes);
      assert.equal(text.trimEnd().split('\n').length - 1, file.rows, file.path);
    }
    const rows = files.map((file) => `${file.table} ${file.rows}`);
    assert.deepEqual(rows, [
      'customers 55',
      'products 22',
      'transactions 1000',
      'transactions 1000',
      'transactions 1001',
    ]);
  } finally {
    await session[Symbol.asyncDispose]();
  }
});

test('a folder with more files of an earlier sample is refused, the same sample again is not', async () => {
  const first = await generate('again', {}, 2);
  assert.deepEqual(await generate('again', {}, 2), first);
  await assert.rejects(generate('again', { files: 2 }, 2), (error) => {
    assert.ok(error instanceof InvalidInput);
    assert.match(error.message, /transactions-00003\.csv/);
    return true;
  });
});

test('what is left out takes its default and numbers may come as text', () => {
  assert.deepEqual(parseRetailOptions({ out: 'x', transactions: '1000', hotShare: '0.5' }), {
    out: 'x',
    transactions: 1000,
    customers: 500,
    products: 100,
    files: 4,
    hotShare: 0.5,
    seed: 42,
  });
  assert.equal(parseRetailOptions({ out: 'x', transactions: 3 }).files, 3);
});

const WRONG: readonly { readonly name: string; readonly input: object; readonly places: readonly string[] }[] = [
  { name: 'no folder', input: {}, places: ['out'] },
  { name: 'no transactions', input: { out: 'x', transactions: 0 }, places: ['transactions'] },
  { name: 'text that is no number', input: { out: 'x', customers: 'many' }, places: ['customers'] },
  { name: 'empty text', input: { out: 'x', seed: '' }, places: ['seed'] },
  { name: 'half a product', input: { out: 'x', products: 1.5 }, places: ['products'] },
  { name: 'a share above 1', input: { out: 'x', hotShare: 1.01 }, places: ['hotShare'] },
  { name: 'more files than transactions', input: { out: 'x', transactions: 3, files: 4 }, places: ['files'] },
  { name: 'two mistakes', input: { out: 'x', products: -1, hotShare: 'hot' }, places: ['products', 'hotShare'] },
];

for (const { name, input, places } of WRONG) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => parseRetailOptions(input),
      (error) => {
        assert.ok(error instanceof InvalidInput);
        assert.deepEqual(
          error.problems.map((problem) => problem.place),
          places,
        );
        return true;
      },
    );
  });
}
