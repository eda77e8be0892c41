import assert from 'node:assert/strict';
import { type ColumnTypeText, csv, definePipeline, scd2 } from '../../lib/define/index.ts';
import { columnRange } from '../../lib/iceberg/scan.ts';
import { currentSchema, fieldByName } from '../../lib/iceberg/schema.ts';
import { compareValues } from '../../lib/iceberg/values.ts';
import type { RunRequest } from '../../lib/remote/run-request.ts';
import { planFiles } from '../../lib/table/read.ts';
import type { TestLake, TestPipeline } from '../support/test-lake.ts';

/** The same events into a table whose keys lie in ranges and into one in buckets: their rows are equal after every run. */
export function shop(type: ColumnTypeText, more: object = {}, settings: object = {}): TestPipeline {
  const rules = { key: 'id', sequence: 'at', deleteWhen: "op = 'D'", ...more };
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      // Small enough for files of a thousand rows.
      settings: { fileBytes: 6_000, ...settings },
      sources: {
        items: csv({
          columns: { id: type, part: 'int', at: 'int', price: 'double', op: 'string', till: 'int' },
        }),
      },
      silver: {
        ranged: { from: 'items', mode: scd2({ clusterBy: 'range', ...rules }) },
        hashed: { from: 'items', mode: scd2({ ...rules, clusterBy: 'hash', buckets: 2 }) },
      },
    } as Parameters<typeof definePipeline>[0]),
  };
}

let landed = 0;
export async function land(lake: TestLake, lines: readonly string[]): Promise<string> {
  landed += 1;
  await lake.land('items', `${landed}.csv`, `id,part,at,price,op,till\n${lines.join('\n')}\n`);
  return `${landed}.csv`;
}

export async function run(lake: TestLake, request: Partial<RunRequest> = {}): Promise<void> {
  const result = await lake.run(request);
  assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
  await assertSame(lake);
}

export async function runWith(
  lake: TestLake,
  lines: readonly string[],
  request: Partial<RunRequest> = {},
): Promise<void> {
  await land(lake, lines);
  await run(lake, request);
}

export async function assertSame(lake: TestLake): Promise<void> {
  assert.deepEqual(await lake.rows('shop_silver.ranged'), await lake.rows('shop_silver.hashed'));
}

export type Stretch = { readonly path: string; readonly low: unknown; readonly high: unknown };

/** The files of the table in ranges, in the order of their keys, which no two of them share. */
export async function stretches(lake: TestLake): Promise<readonly Stretch[]> {
  const metadata = (await lake.metadata('shop_silver.ranged')) ?? assert.fail();
  const { id, type } = fieldByName(currentSchema(metadata), 'id') ?? assert.fail();
  const files = (await planFiles(lake.store, metadata)).map((file) => {
    const { lower, upper } = columnRange(String(type), id, file);
    return { path: file.path, low: lower ?? null, high: upper ?? null };
  });
  const sorted = files.toSorted((a, b) => compareValues(a.low, b.low));
  for (const [at, { low }] of sorted.entries()) {
    const before = sorted[at - 1];
    assert.ok(before === undefined || compareValues(before.high, low) < 0, 'files are apart');
  }
  return sorted;
}

/** What of some files is not among others. */
export function without(files: readonly Stretch[], others: readonly Stretch[]): readonly Stretch[] {
  return files.filter(({ path }) => !others.some((one) => one.path === path));
}

export const random = (n: number): number => (n * 7919) % 4999;

export function line(id: string | number, at: number, price: number, op = 'U', till = ''): string {
  return `${id},${random(at)},${at},${price + random(price) / 1024},${op},${till}`;
}

/** In no order, for ranges are found, whatever comes. */
export const FIRST = Array.from({ length: 4_000 }, (_, n) => line(random(n) + 100, 1, random(n * 31)));
