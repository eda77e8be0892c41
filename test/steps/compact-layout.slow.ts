import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { append, csv, definePipeline, parquet } from '../../lib/define/index.ts';
import { currentSchema, fieldByName } from '../../lib/iceberg/schema.ts';
import { decodeValue } from '../../lib/iceberg/values.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { planFiles } from '../../lib/table/read.ts';
import { readingSession } from '../support/test-engine.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';
import { compact, filesOf, snapshotOf } from './compact-lake.ts';

/** Rows of two columns that have nothing to do with each other; as many as some files have. */
const ROWS = 800_000;
const COLUMNS = { id: 'bigint', product: 'bigint', customer: 'string' } as const;

/** Values without a pattern, which compactions would pack far smaller than runs do. */
function mixed(n: number): number {
  const half = Math.imul(n ^ (n >>> 16), 0x45d9f3b);
  return (half ^ (half >>> 15)) >>> 0;
}

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

async function openLarge(more: object = {}): Promise<TestLake> {
  const lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { rows: csv({ columns: COLUMNS }) },
      silver: { items: { from: 'rows', mode: append(), ...more } },
    } as Parameters<typeof definePipeline>[0]),
  });
  opened.push(lake);
  const lines = Array.from(
    { length: ROWS },
    (_, id) => `${id},${mixed(id * 2) % 100_003},c${String(mixed(id * 2 + 1) % 90_001).padStart(6, '0')}`,
  );
  await lake.land('rows', 'a.csv', `id,product,customer\n${lines.join('\n')}\n`);
  assert.equal((await lake.run()).status, 'SUCCEEDED');
  return lake;
}

/** How much of what a column has a file has, on average: by the bounds in the manifests. */
async function widths(
  lake: TestLake,
): Promise<{ readonly files: number; readonly bytes: readonly number[]; readonly product: number }> {
  const metadata = await lake.metadata('shop_silver.items');
  assert.ok(metadata);
  const { id } = fieldByName(currentSchema(metadata), 'product') ?? assert.fail();
  const files = await planFiles(lake.store, metadata);
  const wide = files.map((file) => {
    const [low, high] = [file.lowerBounds.get(id), file.upperBounds.get(id)];
    assert.ok(low && high);
    return Number(decodeValue('long', high)) - Number(decodeValue('long', low));
  });
  const product = wide.reduce((sum, one) => sum + one, 0) / wide.length / 100_003;
  return { files: files.length, bytes: files.map(({ bytes }) => Number(bytes)), product };
}

const FINGERPRINT = 'SELECT count(*) AS n, sum(id) AS ids, sum(hash(id, product, customer)) AS hashes FROM t';

describe('a large file', () => {
  test('is split near the target, and stays split', async () => {
    const lake = await openLarge();
    const before = await lake.rows('shop_silver.items', FINGERPRINT);
    const [bytes = 0] = (await widths(lake)).bytes;
    const target_mb = bytes / 2 / 2 ** 20;
    const { tables } = await compact(lake, { target_mb });
    assert.deepEqual(
      tables.map(({ table, reasons }) => [table, reasons]),
      [['shop_silver.items', { large: 1 }]],
    );
    const after = await widths(lake);
    assert.equal(after.files, 2);
    for (const one of after.bytes) assert.ok(one > bytes * 0.3 && one < bytes * 0.7, `${after.bytes} of ${bytes}`);
    assert.deepEqual(await lake.rows('shop_silver.items', FINGERPRINT), before);
  });

  test('in a sort order or a Z-order is narrow in the columns of it, in the second as well', async () => {
    const lake = await openLarge({ zorderBy: ['customer', 'product'] });
    const before = await lake.rows('shop_silver.items', FINGERPRINT);
    const [bytes = 0] = (await widths(lake)).bytes;
    const target_mb = bytes / 5 / 2 ** 20;
    const table = 'shop_silver.items';
    await compact(lake, { table, target_mb, sort: ['customer'] });
    const sorted = await widths(lake);
    assert.ok(sorted.files > 2 && sorted.product > 0.95, JSON.stringify(sorted));
    await compact(lake, { table, target_mb, zorder: ['customer', 'product'] });
    const zordered = await widths(lake);
    // Files are boxes: none has more than half of either column.
    assert.ok(zordered.files >= 4 && zordered.product < 0.51, JSON.stringify(zordered));
    assert.deepEqual(await lake.rows('shop_silver.items', FINGERPRINT), before);
    // The model's own Z-order is that of files which are written anew for their size.
    await compact(lake, { table, target_mb: 1_000, min_files: 2, all: true });
    const { summary } = await snapshotOf(lake, table);
    const asked = { target_mb: 1_000, min_files: 2, all: true, zorder: ['customer', 'product'] };
    assert.deepEqual(JSON.parse(summary['strata.compact'] ?? ''), asked);
    const joined = await widths(lake);
    assert.equal(joined.files, 1);
    await compact(lake, { table, target_mb, all: true });
    const again = await widths(lake);
    assert.ok(again.files >= 4 && again.product < 0.51, JSON.stringify(again));
    assert.deepEqual(await lake.rows('shop_silver.items', FINGERPRINT), before);
  });
});

test('files of many rows are packed by the level that a trial chose; rows that are ordered, small', async () => {
  const copied: string[] = [];
  const lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { rows: parquet({ columns: { id: 'bigint' } }) },
      silver: { items: { from: 'rows', mode: append() } },
    }),
  });
  opened.push(lake);
  for (const name of ['a', 'b']) {
    await lake.land('rows', `${name}.parquet`, await numbers(lake, 500_000));
    assert.equal((await lake.run()).status, 'SUCCEEDED');
  }
  const noting = lake.reopen((deps) => ({
    ...deps,
    engine: {
      open: async (options) => {
        const session = await deps.engine.open(options);
        const copy: typeof session.copy = async (statement) => {
          if (statement.name === 'rewrite shop_silver.items') copied.push(statement.text);
          return session.copy(statement);
        };
        return { ...session, copy };
      },
    },
  }));
  const levels = (): unknown =>
    copied.splice(0).map((text) => [text.includes('LIMIT 61440'), /COMPRESSION_LEVEL \d/.exec(text)?.[0]]);
  const sum = 'SELECT count(*)::INT AS n, sum(id)::BIGINT AS ids FROM t';
  const before = await lake.rows('shop_silver.items', sum);
  await compact(noting, { table: 'shop_silver.items', min_files: 2 });
  assert.deepEqual(levels(), [
    [true, undefined],
    [true, 'COMPRESSION_LEVEL 2'],
    [false, 'COMPRESSION_LEVEL 2'],
  ]);
  assert.equal((await filesOf(lake, 'shop_silver.items')).length, 1);
  assert.equal((await snapshotOf(lake, 'shop_silver.items')).summary['strata.compact'], '{"min_files":2}');
  assert.deepEqual(await lake.rows('shop_silver.items', sum), before);
  await compact(noting, { table: 'shop_silver.items', sort: ['id'] });
  assert.equal((await snapshotOf(lake, 'shop_silver.items')).summary['strata.compact'], '{"sort":["id"]}');
  await compact(noting, { table: 'shop_silver.items', zorder: ['id'] });
  assert.deepEqual(levels(), [
    [false, undefined],
    [false, undefined],
  ]);
  assert.deepEqual(await lake.rows('shop_silver.items', sum), before);
});

/** A Parquet file of numbers in order, which the middle level packs well. */
async function numbers({ deps, scratch }: TestLake, rows: number): Promise<Uint8Array> {
  const path = join(scratch, 'numbers.parquet');
  await using session = await deps.engine.open(readingSession());
  await session.run({
    name: 'numbers',
    text: userSql(`COPY (SELECT i AS id FROM range(${rows}) AS r(i)) TO '${path}'`),
  });
  return readFile(path);
}
