import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Bin, BinFile } from '../../../lib/core/maintenance.ts';
import { createDuckDbEngine } from '../../../lib/engine/duckdb.ts';
import { bytesOfSome } from '../../../lib/lake/files/stage-files.ts';
import { filesOfFirst, packingOf, type Trial } from '../../../lib/lake/maintain/choose-packing.ts';
import { userSql } from '../../../lib/sql/user-sql.ts';

const HALF = 61_440;
const MB = 1024 * 1024;

function bin(rows: number, bytes: number): Bin {
  return { spec: 0, partition: '', reason: 'small', files: [], file_bytes: 128 * MB, rows, bytes };
}

type Sizes = { readonly small: number; readonly middle: number };

/** What was tried, by the level and the rows. */
function trialOf(sizes: Sizes): { readonly trial: Trial; readonly tried: [string, number][] } {
  const tried: [string, number][] = [];
  const trial: Trial = async (packing, rows) => {
    tried.push([packing, rows]);
    return sizes[packing];
  };
  return { tried, trial };
}

describe('how the files of a unit are packed', () => {
  const large = bin(16 * HALF, 40 * MB);
  const both = (rows: number): unknown => [
    ['small', rows],
    ['middle', rows],
  ];
  const cases: readonly {
    readonly title: string;
    readonly bins: readonly Bin[];
    readonly sizes: Sizes;
    readonly packed: string;
    readonly tried: unknown;
  }[] = [
    {
      title: 'the middle level takes less room',
      bins: [large],
      sizes: { small: 1000, middle: 950 },
      packed: 'middle',
      tried: both(HALF),
    },
    {
      title: 'it takes a sixteenth more',
      bins: [large],
      sizes: { small: 1600, middle: 1700 },
      packed: 'middle',
      tried: both(HALF),
    },
    {
      title: 'it takes more than that',
      bins: [large],
      sizes: { small: 1600, middle: 1701 },
      packed: 'small',
      tried: both(HALF),
    },
    {
      title: 'the unit is too small for a trial',
      bins: [bin(16 * HALF - 1, 40 * MB)],
      sizes: { small: 2, middle: 1 },
      packed: 'small',
      tried: [],
    },
    {
      title: 'wide rows are tried by their bytes',
      bins: [bin(64_000, 256 * MB)],
      sizes: { small: 2, middle: 1 },
      packed: 'middle',
      tried: both(1000),
    },
    {
      title: 'rows are wider than what is tried',
      bins: [bin(15, 512 * MB)],
      sizes: { small: 2, middle: 1 },
      packed: 'small',
      tried: [],
    },
    {
      title: 'no bin has the rows of a trial',
      bins: Array.from({ length: 17 }, () => bin(HALF - 1, MB)),
      sizes: { small: 2, middle: 1 },
      packed: 'small',
      tried: [],
    },
    { title: 'a unit has nothing', bins: [bin(0, 0)], sizes: { small: 2, middle: 1 }, packed: 'small', tried: [] },
  ];
  for (const { title, bins, sizes, packed, tried: expected } of cases) {
    test(`${title}: ${packed}`, async () => {
      const { trial, tried } = trialOf(sizes);
      const packing = packingOf({ bins });
      for (const one of bins) assert.equal(await packing(one, trial), packed);
      assert.deepEqual(tried, expected);
    });
  }

  test('the first large bin is tried for all that follow', async () => {
    const bins = [bin(HALF - 1, 2 * MB), bin(15 * HALF, 40 * MB), bin(2 * HALF, 4 * MB), bin(5, 100)];
    const { trial, tried } = trialOf({ small: 10, middle: 10 });
    const packing = packingOf({ bins });
    const chosen: string[] = [];
    for (const one of bins) chosen.push(await packing(one, trial));
    assert.deepEqual(chosen, ['small', 'middle', 'middle', 'middle']);
    assert.deepEqual(tried, both(HALF));
  });

  test('DuckDB takes less room for numbers in order with the middle level, and more for names in order', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'packing-'));
    await using session = await createDuckDbEngine().open({ memoryBytes: 5e8, threads: 2, scratch: folder });
    const packed: Record<string, string> = {};
    const long = { kind: 'long' } as const;
    const text = { kind: 'string' } as const;
    const tables = {
      names: { type: text, value: "'bronze/orders/2025/orders-' || lpad(CAST(i AS VARCHAR), 9, '0') || '.csv'" },
      numbers: { type: long, value: '20000000 + i * 86400' },
    };
    for (const [name, { type, value }] of Object.entries(tables)) {
      const trial: Trial = (packing, rows) =>
        bytesOfSome(
          session,
          {
            from: userSql(`(SELECT ${value} AS v FROM range(${HALF}) AS r(i))`),
            table: { pipeline: 'p', layer: 'silver', name },
            schema: {
              'schema-id': 0,
              type: 'struct',
              fields: [{ id: 1, name: 'v', required: false, type: type.kind }],
            },
            withFile: false,
            sortBy: [],
            folder: join(folder, `${name}-${packing}`),
            fileBytes: 128 * MB,
            packed: packing,
          },
          rows,
        );
      packed[name] = await packingOf({ bins: [large] })(large, trial);
    }
    await rm(folder, { recursive: true });
    assert.deepEqual(packed, { names: 'small', numbers: 'middle' });
  });
});

describe('how many files a trial reads', () => {
  const file = (rows?: number): BinFile => ({ path: 'p', foreign: false, ...(rows === undefined ? {} : { rows }) });
  const deleted = { sequence: '1', by: [] };
  const cases: readonly (readonly [title: string, files: readonly BinFile[], expected: number])[] = [
    ['the first has enough', [file(100), file(100)], 1],
    ['as many as have enough together', [file(60), file(40), file(100)], 2],
    ['all together have too few', [file(60), file(39)], 2],
    ['a plan of an earlier release does not say', [file(), file(), file()], 3],
    ['a file with deleted rows may have none left', [{ ...file(100), deleted }, file(100), file(100)], 2],
  ];
  for (const [title, files, expected] of cases) {
    test(title, () => assert.equal(filesOfFirst({ files }, 100), expected));
  }
});
