import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { append, csv, definePipeline, full, identity, json, replace, scd2, upsert } from '../../lib/define/index.ts';
import type { DataFile } from '../../lib/iceberg/types.ts';
import { planFiles } from '../../lib/table/read.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

/** -0.0 and 0.0 are one value to SQL and to a dictionary, and two to whoever wrote them. Files are read by hyparquet. */

type Value = null | number | readonly Value[] | { readonly [name: string]: Value };
type Stored = { readonly [column: string]: Value };

const compressors = { ZSTD: (bytes: Uint8Array): Uint8Array => zstdDecompressSync(bytes) };

async function storedRows(lake: TestLake, table: string): Promise<readonly Stored[]> {
  const rows: Stored[] = [];
  for (const file of await filesOf(lake, table)) {
    const { bytes } = await lake.store.read(lake.store.key(file.path));
    rows.push(...((await parquetReadObjects({ file: Uint8Array.from(bytes).buffer, compressors })) as Stored[]));
  }
  return rows;
}

async function filesOf(lake: TestLake, table: string): Promise<readonly DataFile[]> {
  const metadata = await lake.metadata(table);
  assert.ok(metadata, table);
  return planFiles(lake.store, metadata);
}

/** A number's text, which tells the zeros apart. */
function spell(value: Value | undefined): string {
  if (Object.is(value, -0)) return '-0';
  if (Array.isArray(value)) return `[${value.map(spell)}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.values(value).map(spell)}}`;
  return String(value);
}

const SIGNS = ['0.0', '-0.0', '1.5', '-0.0', '0.0', '-1.5'];
const ROWS = Array.from({ length: 120 }, (_, at) => ({ id: at, x: SIGNS[at % 6] ?? '' }));
const CSV = `id,half,x,y\n${ROWS.map(({ id, x }) => `${id},${Math.floor(id / 60)},${x},${x}`).join('\n')}\n`;
const EXPECTED = ROWS.map(({ id, x }) => `${id} ${spell(Number(x))}`);

const COLUMNS = { id: { type: 'bigint', required: true }, half: 'int', x: 'double', y: 'float' } as const;

const MODES: readonly (readonly [string, object])[] = [
  ['append', { mode: append() }],
  ['append, sorted and partitioned', { mode: append(), sortBy: ['x', 'y'], partitionBy: [identity('half')] }],
  ['dedupe by row', { mode: append({ dedupe: 'row' }) }],
  ['dedupe by key', { mode: append({ dedupe: { key: 'id' } }) }],
  ['full', { mode: full() }],
  ['replace', { mode: replace(), partitionBy: [identity('half')] }],
  ['upsert', { mode: upsert({ key: 'id', sequence: 'half' }) }],
  ['scd2', { mode: scd2({ key: 'id', sequence: 'half' }) }],
];

for (const [name, model] of MODES) {
  for (const unitBytes of [undefined, 1500]) {
    test(`${name}${unitBytes === undefined ? '' : ', in several units'}: each zero keeps its sign`, async () => {
      const lake = await openTestLake({
        name: 'zero',
        definition: definePipeline({
          name: 'zero',
          sources: { numbers: csv({ columns: COLUMNS }) },
          silver: { numbers: { from: 'numbers', ...model } },
          gold: { halves: { sql: 'halves.sql' } },
          ...(unitBytes === undefined ? {} : { settings: { unitBytes } }),
        } as Parameters<typeof definePipeline>[0]),
        sql: { 'halves.sql': 'SELECT id, x, y / 2 AS y FROM silver.numbers' },
      });
      try {
        const lines = CSV.split('\n');
        await lake.land('numbers', 'a.csv', `${lines.slice(0, 61).join('\n')}\n`);
        await lake.land('numbers', 'b.csv', `id,half,x,y\n${lines.slice(61).join('\n')}`);
        const result = await lake.run();
        assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
        for (const table of ['zero_silver.numbers', 'zero_gold.halves']) {
          const rows = [...(await storedRows(lake, table))].sort((a, b) => Number(a['id']) - Number(b['id']));
          assert.deepEqual(
            rows.map(({ id, x }) => `${id} ${spell(x)}`),
            EXPECTED,
            `${table}.x`,
          );
          const y = rows.map((row) => spell(row['y']));
          assert.deepEqual(
            y.map((text) => text === '-0'),
            ROWS.map(({ x }) => x === '-0.0'),
            `${table}.y`,
          );
        }
      } finally {
        lake.close();
      }
    });
  }
}

test('zeros inside lists and structs keep their signs, and those without floats take no other way', async () => {
  const lake = await openTestLake({
    name: 'zero',
    definition: definePipeline({
      name: 'zero',
      sources: {
        nested: json({
          layout: 'lines',
          columns: {
            id: 'bigint',
            l: 'list<double>',
            s: 'struct<"a b": float, deep: list<struct<z: double>>>',
            plain: 'list<struct<t: string>>',
          },
        }),
      },
      silver: { nested: { from: 'nested', mode: append() } },
    } as Parameters<typeof definePipeline>[0]),
  });
  try {
    const line = (id: number, x: string): string =>
      `{"id":${id},"l":[${x},null,${x}],"s":{"a b":${x},"deep":[{"z":${x}},{"z":null}]},"plain":[{"t":"${x}"}]}`;
    const lines = Array.from({ length: 60 }, (_, at) => line(at, at % 2 === 0 ? '0.0' : '-0.0'));
    await lake.land('nested', 'a.json', `${lines.join('\n')}\n{"id":60,"l":null,"s":null}\n`);
    const result = await lake.run();
    assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
    const rows = await storedRows(lake, 'zero_silver.nested');
    assert.equal(rows.length, 61);
    for (const row of rows.slice(0, 60)) {
      const zero = Number(row['id']) % 2 === 0 ? '0' : '-0';
      assert.equal(spell(row['l']), `[${zero},null,${zero}]`);
      assert.equal(spell(row['s']), `{${zero},[{${zero}},{null}]}`);
    }
  } finally {
    lake.close();
  }
});
