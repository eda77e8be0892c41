import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChange } from '../../lib/iceberg/apply.ts';
import { encodeLowerBound, encodeUpperBound } from '../../lib/iceberg/bounds.ts';
import { createTable } from '../../lib/iceberg/changes.ts';
import { placesOf } from '../../lib/iceberg/layout.ts';
import type { DataFile, IcebergType, TableMetadata } from '../../lib/iceberg/types.ts';
import { planBins } from '../../lib/plan/maintenance.ts';

type Values = { readonly a: readonly bigint[]; readonly b: readonly string[] };

const table: TableMetadata = applyChange(
  createTable({
    uuid: 'u',
    location: 'l',
    columns: [
      { name: 'a', type: { kind: 'bigint' } },
      { name: 'b', type: { kind: 'string' } },
    ],
    partitionBy: [],
    sortBy: [],
    properties: {},
  }),
  undefined,
  0,
);

function fileOf({ a, b }: Values): DataFile {
  const bounds = (encode: (type: IcebergType, value: bigint | string) => Uint8Array | undefined, at: 0 | -1) =>
    new Map(
      [
        [1, encode('long', a.toSorted((x, y) => Number(x - y)).at(at) ?? 0n)] as const,
        [2, encode('string', b.toSorted().at(at) ?? '')] as const,
      ].flatMap(([id, bound]) => (bound === undefined || a.length === 0 ? [] : [[id, bound] as const])),
    );
  return {
    path: 'f',
    specId: 0,
    partition: [],
    rows: BigInt(a.length),
    bytes: 1n,
    columnSizes: new Map(),
    valueCounts: new Map(),
    nullCounts: new Map(),
    nanCounts: new Map(),
    lowerBounds: bounds(encodeLowerBound, 0),
    upperBounds: bounds(encodeUpperBound, -1),
    sortOrderId: null,
  };
}

const places = (files: readonly Values[], layout: { sort?: readonly string[]; zorder?: readonly string[] }) =>
  placesOf(table, files.map(fileOf), { sort: [], zorder: [], ...layout }).map(({ place }) => place);

test('thousands of files that are apart lie in the order of their keys', () => {
  const keys = Array.from({ length: 3_000 }, (_, n) => (n * 1_009) % 3_000);
  const files = keys.map((n): Values => ({ a: [BigInt(n * 10), BigInt(n * 10 + 5)], b: ['x'] }));
  assert.deepEqual(places(files, { sort: ['a'] }), keys);
});

test('files lie by the middle of their bounds, those without bounds first', () => {
  const files: readonly Values[] = [
    { a: [50n, 60n], b: ['x', 'y'] },
    { a: [-9_000_000_000n, 1n], b: ['a', 'c'] },
    { a: [], b: [] },
    { a: [2n, 100n], b: ['a', 'z'] },
    { a: [70n, 71n], b: ['d', 'e'] },
  ];
  assert.deepEqual(places(files, { sort: ['a'] }), [2, 1, 0, 3, 4]);
  assert.deepEqual(places(files, { sort: ['b'] }), [4, 1, 0, 2, 3]);
});

test('along a Z-order, files of one quarter of both columns are neighbours', () => {
  const quarters = [0, 1].flatMap((x) => [0, 1].map((y) => ({ x, y })));
  const files = [...quarters, ...quarters].map(({ x, y }, at): Values => {
    const [low, high] = y === 0 ? ['a', 'm'] : ['n', 'z'];
    return { a: [BigInt(100 * x + at), BigInt(100 * x + 90 + at)], b: [low, high] };
  });
  const found = places(files, { zorder: ['a', 'b'] });
  const near = quarters.map((_, quarter) => Math.abs((found[quarter] ?? 0) - (found[quarter + 4] ?? 0)));
  assert.deepEqual(near, [1, 1, 1, 1]);
});

test('along a Z-order, files know where they lie in each column', () => {
  const files = [
    { a: [0n, 49n], b: ['a', 'z'] },
    { a: [50n, 100n], b: ['a', 'm'] },
    { a: [], b: [] },
  ].map(fileOf);
  const spans = (layout: { sort: readonly string[]; zorder: readonly string[] }) =>
    placesOf(table, files, layout).map((one) => one.spans.map(({ low, high }) => [low, high]));
  const anywhere = [0, 1];
  assert.deepEqual(spans({ sort: [], zorder: ['a', 'b'] }), [
    [[0, 0.5], anywhere],
    [[0.5, 1], anywhere],
    [anywhere, anywhere],
  ]);
  assert.deepEqual(spans({ sort: ['a'], zorder: [] }), [[], [], []]);
});

test('rows that no worker takes together are in order after a few times, four files at a time', () => {
  const shuffled = Array.from({ length: 64 * 16 }, (_, i) => BigInt((i * 389) % (64 * 16)));
  let files = Array.from({ length: 64 }, (_, at) => shuffled.slice(at * 16, at * 16 + 16));
  const widths: number[] = [];
  for (let time = 0; time < 3; time += 1) {
    const found = places(
      files.map((a) => ({ a, b: a.map(String) })),
      { sort: ['a'] },
    );
    const inOrder = files.map((_, at) => files[found.indexOf(at)] ?? []);
    files = Array.from({ length: 16 }, (_, group) => {
      const rows = inOrder
        .slice(group * 4, group * 4 + 4)
        .flat()
        .sort((x, y) => Number(x - y));
      return [0, 1, 2, 3].map((slice) => rows.slice(slice * 16, slice * 16 + 16));
    }).flat();
    const wide = files.map((rows) => Number((rows.at(-1) ?? 0n) - (rows[0] ?? 0n)) + 1);
    widths.push(Math.max(...wide) / (64 * 16));
  }
  const [first = 0, second = 0, third = 1] = widths;
  assert.ok(first > 0.2 && second < 0.12 && third < 0.05, JSON.stringify(widths));
});

test('boxes that several workers have made along a Z-order are given out by quarters, though their edges differ', () => {
  const edge = (worker: number, at: number): bigint =>
    BigInt(at * 1_000 + (at === 0 || at === 4 ? 0 : ((worker * 37) % 11) - 5));
  const boxes = [0, 1, 2, 3].flatMap((worker) =>
    [0, 1, 2, 3].flatMap((x) => [0, 1, 2, 3].map((y) => ({ worker, x, y }))),
  );
  const text = (worker: number, at: number): string => String(edge(worker, at)).padStart(5, '0');
  const files = boxes.map(({ worker, x, y }) =>
    fileOf({ a: [edge(worker, x), edge(worker, x + 1) - 1n], b: [text(worker, y), `${text(worker, y + 1)} before`] }),
  );
  const found = placesOf(table, files, { sort: [], zorder: ['a', 'b'] });
  const bins = planBins(
    boxes.map(({ x, y }, at) => ({
      ...{ path: `${x >> 1} ${y >> 1}`, foreign: false, spec: 0, partition: '', rows: 100 },
      bytes: 100 + ((at * 7) % 5),
      ...found[at],
    })),
    { targetBytes: 100, minFiles: 5, unitBytes: 2_100, rearrange: true },
  );
  assert.deepEqual(
    bins.map((bin) => [bin.files.length, [...new Set(bin.files.map(({ path }) => path))]]),
    ['0 0', '0 1', '1 0', '1 1'].map((quarter) => [16, [quarter]]),
  );
});
