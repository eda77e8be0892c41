import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { append, csv, definePipeline, full, identity, json, replace, upsert } from '../../lib/define/index.ts';
import { planFiles } from '../../lib/table/read.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

/** Every row of a table that is not keyed says in its data file which bronze file it comes from; hyparquet reads them. */

const compressors = { ZSTD: (bytes: Uint8Array): Uint8Array => zstdDecompressSync(bytes) };

async function storedRows(lake: TestLake, table: string): Promise<readonly Record<string, unknown>[]> {
  const metadata = await lake.metadata(table);
  assert.ok(metadata, table);
  const rows: Record<string, unknown>[] = [];
  for (const { path } of await planFiles(lake.store, metadata)) {
    const { bytes } = await lake.store.read(lake.store.key(path));
    rows.push(...(await parquetReadObjects({ file: Uint8Array.from(bytes).buffer, compressors })));
  }
  return rows;
}

/** Three files in two runs, whose rows say in `f` which they are of; the second begins with a row of the first. */
const FILES = ['a', 'b', 'c'] as const;
const NUMBERS = Array.from({ length: 40 }, (_, at) => at);
const idsOf = (file: string): readonly number[] => NUMBERS.map((at) => FILES.indexOf(file as 'a') * 100 + at);

const csvOf = (file: string): string =>
  `id,half,f\n${['7,1,a', ...idsOf(file).map((id) => `${id},${id % 2},${file}`)].join('\n')}\n`;
/** Another order of columns makes another scan. */
const shapedOf = (file: string): string =>
  file === 'a'
    ? csvOf(file)
    : `f,id,half\n${idsOf(file)
        .map((id) => `${file},${id},${id % 2}`)
        .join('\n')}\n`;
const linesOf = (file: string): string =>
  idsOf(file)
    .map((id) => `{"id":${id},"half":${id % 2},"f":"${file}"}\n`)
    .join('\n');
const arrayOf = (file: string): string => `[${idsOf(file).map((id) => `{"id":${id},"half":${id % 2},"f":"${file}"}`)}]`;

const COLUMNS = { id: { type: 'bigint', required: true }, half: 'int', f: 'string' } as const;
const CSV = { source: csv({ columns: COLUMNS }), content: csvOf };
const SHAPES = { source: csv({ columns: COLUMNS }), content: shapedOf };
const LINES = { source: json({ layout: 'lines', columns: COLUMNS }), content: linesOf };
const ARRAY = { source: json({ layout: 'array', columns: COLUMNS }), content: arrayOf };

type Case = { readonly what: string; readonly model: object; readonly given?: typeof CSV | typeof LINES };
const POSITIVE = { positive: 'id >= 0' };

const CASES: readonly Case[] = [
  { what: 'rows that stream', model: { mode: append() } },
  {
    what: 'rows that stream in partitions, sorted',
    model: { mode: append(), partitionBy: [identity('half')], sortBy: ['id'] },
  },
  { what: 'files of several shapes', model: { mode: append() }, given: SHAPES },
  { what: 'JSON lines', model: { mode: append() }, given: LINES },
  { what: 'JSON arrays', model: { mode: append() }, given: ARRAY },
  { what: 'numbered rows', model: { mode: append(), expect: POSITIVE } },
  { what: 'numbered rows of several shapes', model: { mode: append(), expect: POSITIVE }, given: SHAPES },
  { what: 'columns from the run', model: { mode: append(), metadata: ['source_file', 'row_hash', 'run_id'] } },
  { what: 'rows told apart', model: { mode: append({ dedupe: 'row' }) } },
  { what: 'keys told apart', model: { mode: append({ dedupe: { key: 'id' } }) } },
  { what: 'replace', model: { mode: replace(), partitionBy: [identity('f')] } },
  { what: 'full', model: { mode: full() } },
];

for (const { what, model, given = CSV } of CASES) {
  for (const unitBytes of [undefined, 300]) {
    test(`${what}${unitBytes === undefined ? '' : ', in several units'}: a row knows its bronze file`, async () => {
      const lake = await openTestLake({
        name: 'known',
        definition: definePipeline({
          name: 'known',
          sources: { numbers: given.source },
          silver: { numbers: { from: 'numbers', ...model } },
          gold: { halves: { sql: 'halves.sql' } },
          ...(unitBytes === undefined ? {} : { settings: { unitBytes } }),
        } as Parameters<typeof definePipeline>[0]),
        sql: { 'halves.sql': 'SELECT half, count(*) AS n FROM silver.numbers GROUP BY half' },
      });
      try {
        for (const files of [['a', 'b'], ['c']]) {
          for (const file of files) await lake.land('numbers', `2026/${file}.data`, given.content(file));
          const result = await lake.run();
          assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
        }
        const rows = await storedRows(lake, 'known_silver.numbers');
        const seen = rows.map((row) => [Number(row['id']), row['f'], row['__bronze_file']]);
        // The row with id 7 that begins every file of CSV says of itself that it is of the first.
        const own = seen.filter(([id]) => id !== 7);
        const shown = own.map(([, f, file]) => `${f} ${file}`);
        const known = [...new Set(own.map(([, f]) => `${f} bronze/known/numbers/2026/${f}.data`))];
        assert.deepEqual([...new Set(shown)].sort(), known.sort());
        const { kind } = (model as { mode: { kind: string } }).mode;
        // The row that is of the first file replaces its partition.
        const left = kind === 'full' ? ['c'] : kind === 'replace' && given === CSV ? ['b', 'c'] : ['a', 'b', 'c'];
        assert.deepEqual([...new Set(own.map(([, f]) => f))].sort(), left);
        const counts = await lake.rows('known_silver.numbers', 'SELECT count(*)::INT AS n FROM t');
        assert.deepEqual(counts, [{ n: rows.length }]);
        const columns = Object.keys((await lake.rows('known_silver.numbers'))[0] ?? {});
        assert.equal(columns.includes('__bronze_file'), false, 'the table has no such column');
        const gold = await storedRows(lake, 'known_gold.halves');
        assert.deepEqual(Object.keys(gold[0] ?? {}), ['half', 'n']);
      } finally {
        lake.close();
      }
    });
  }
}

test('of rows told apart the file is that of the row that was kept', async () => {
  for (const unitBytes of [undefined, 300]) {
    const lake = await openTestLake({
      name: 'known',
      definition: definePipeline({
        name: 'known',
        sources: { numbers: csv({ columns: COLUMNS }) },
        silver: { numbers: { from: 'numbers', mode: append({ dedupe: 'row' }) } },
        ...(unitBytes === undefined ? {} : { settings: { unitBytes } }),
      }),
    });
    try {
      for (const file of FILES) await lake.land('numbers', `${file}.csv`, csvOf(file));
      await lake.run();
      const rows = await storedRows(lake, 'known_silver.numbers');
      const seven = rows.filter((row) => Number(row['id']) === 7);
      assert.deepEqual(
        seven.map((row) => row['__bronze_file']),
        ['bronze/known/numbers/a.csv'],
      );
    } finally {
      lake.close();
    }
  }
});

test('a keyed table has it in its log alone', async () => {
  const lake = await openTestLake({
    name: 'known',
    definition: definePipeline({
      name: 'known',
      sources: { numbers: csv({ columns: COLUMNS }) },
      silver: { numbers: { from: 'numbers', mode: upsert({ key: 'id', sequence: 'half' }) } },
    }),
  });
  try {
    await lake.land('numbers', 'a.csv', csvOf('a'));
    await lake.run();
    assert.deepEqual(Object.keys((await storedRows(lake, 'known_silver.numbers'))[0] ?? {}), ['id', 'half', 'f']);
  } finally {
    lake.close();
  }
});
