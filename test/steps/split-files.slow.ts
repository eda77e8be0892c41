import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import {
  append,
  csv,
  json,
  parquet as parquetSource,
  replace,
  scd2,
  truncate,
  upsert,
} from '../../lib/define/index.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { assertSameCut, pipelineOf, shop } from './split-files.ts';

const COLUMNS = { id: 'bigint', name: 'string', amount: 'decimal(12,2)' } as const;

test('a CSV file that is larger than a unit leaves what it leaves when it is read whole, in every mode', async () => {
  const models = {
    appended: { mode: append() },
    distinct: { mode: append({ dedupe: { key: 'id' } }) },
    hashed: { mode: append({ dedupe: 'row' }) },
    current: { mode: upsert({ key: 'id', sequence: 'amount' }) },
    history: { mode: scd2({ key: 'id', sequence: 'amount' }) },
    replaced: { mode: replace(), partitionBy: [truncate(1000, 'id')] },
  };
  const pipeline = pipelineOf(csv({ columns: COLUMNS }), models);
  const first = { 'a.csv': shop(9000), 'b.csv': shop(100, 50) };
  const { units, tables } = await assertSameCut(pipeline, [first, { 'c.csv': shop(6000, 5000) }], Object.keys(models));
  assert.ok(units > 6 * 8, `${units} units`);
  assert.ok((tables['quarantine'] ?? []).length > 20);
});

test('of equal broken rows in two parts of a file each table keeps as many as of the file read whole', async () => {
  const twice = (lines: readonly string[], ...more: readonly string[]): string =>
    lines.flatMap((line, at) => (at % 2000 === 20 ? [line, ...more] : [line])).join('\n');
  const models = { hashed: { mode: append({ dedupe: 'row' }) }, all: { mode: append() } };
  const cases = [
    [csv({ columns: COLUMNS }), twice(shop(6000).split('\n'), '7,no number,x', '7,too few')],
    [json({ columns: COLUMNS }), twice(ndjson(6000).split('\n'), '"no object"', '{"id":', '{"id":"x"}')],
  ] as const;
  for (const [source, text] of cases) {
    const { units, accounting } = await assertSameCut(pipelineOf(source, models), [{ a: text }], Object.keys(models));
    assert.ok(units > 4, `${units} units`);
    const { hashed, all } = Object.fromEntries(
      Object.entries(accounting['rows']?.tables ?? {}).map(([table, counts]) => [table.split('.')[1], counts]),
    );
    assert.ok(hashed && all && hashed.quarantined < all.quarantined, JSON.stringify(accounting));
  }
});

const header = (text: string): string => text.slice(text.indexOf('\n') + 1);
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const ndjson = (records: number): string =>
  Array.from({ length: records }, (_, i) =>
    i % 900 === 450 ? '{"id":' : i % 1000 === 7 ? '' : JSON.stringify({ id: i, name: `é漢 ${i}`, amount: `${i}.5` }),
  ).join('\n');

const CASES = {
  'a byte order mark, CRLF': [csv({ columns: COLUMNS }), `\uFEFF${shop(5000).replaceAll(/\r?\n/g, '\r\n')}`],
  'CR alone, and a quote that is never closed': [
    csv({ columns: COLUMNS }),
    `${shop(5000).replaceAll(/\r?\n/g, '\r')}7,"open\r8,x`,
  ],
  'no header': [csv({ columns: COLUMNS, header: false }), header(shop(5000))],
  'no header, records that look like something else': [
    csv({ columns: { id: 'string', name: 'string' }, header: false }),
    Array.from({ length: 9000 }, (_, i) => `${i % 2 === 0 ? 'BZh' : '\uFEFFx'}${i},name of ${i}`).join('\n'),
  ],
  'a header of two lines': [
    csv({ columns: { ...COLUMNS, 'a\nb': 'string' }, drift: 'ignore' }),
    `"a\nb",id,name,amount\n${header(shop(5000)).replaceAll(/^/gm, 'x,')}`,
  ],
  'latin-1, and a delimiter that is no ASCII': [
    csv({ columns: COLUMNS, encoding: 'latin-1', delimiter: '§' }),
    latin1(shop(5000).replaceAll(',', '§')),
  ],
  'one column, whose blank lines are rows': [
    csv({ columns: { id: 'string' } }),
    `id\n${Array.from({ length: 30000 }, (_, i) => (i % 700 === 9 ? '' : `row ${i}`)).join('\n')}\n\n`,
  ],
  'columns that drift brings': [csv({ columns: { id: 'bigint' }, drift: 'evolve' }), shop(5000)],
  'lines of JSON': [json({ columns: COLUMNS }), ndjson(5000)],
  'lines of JSON, whose last ones bring a column': [
    json({ columns: COLUMNS, drift: 'evolve' }),
    `${ndjson(5000)}\n{"id":1,"more":"x"}\n`,
  ],
  'a header that does not fit': [csv({ columns: { other: 'string' } }), shop(5000)],
  'a quote that is never closed, and a long rest': [
    csv({ columns: COLUMNS }),
    `${shop(5000)}1,"${'x\n'.repeat(600_000)}`,
  ],
} as const;

async function parquet(rows: number): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-split-'));
  const path = join(folder, 'a.parquet');
  const session = await createDuckDbEngine().open({ memoryBytes: 5e8, threads: 1, scratch: folder });
  try {
    await session.run({
      name: 'make',
      text: userSql(`COPY (SELECT CASE WHEN i % 1700 <> 3 THEN i END AS id, 'name of ' || md5(i::VARCHAR) AS name, (i % 997)::DECIMAL(12,2) AS amount,
        {'a': i, 'b': [i, 2]} AS extra FROM range(${rows}) t(i)) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`),
    });
    return await readFile(path);
  } finally {
    await session[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
}

const array = (records: number): string =>
  `[${Array.from({ length: records }, (_, i) => (i % 900 === 450 ? `${i}` : `{"id":${i},\n"name":"é漢 ${i}","amount":"${i}.5"${i > records - 9 ? ',"more":1' : ''}}`)).join(',\n')}]`;

const IN_TURN = {
  gzip: ['a.gz', csv({ columns: COLUMNS }), gzipSync(shop(9000))],
  'gzip that is cut short': ['a.gz', csv({ columns: COLUMNS }), gzipSync(shop(20000)).subarray(0, -9)],
  'gzip, whose header does not fit': [
    'a.gz',
    csv({ columns: { ...COLUMNS, other: { type: 'string', required: true } } }),
    gzipSync(shop(9000)),
  ],
  'zstd, lines of JSON, with a column that drift brings': [
    'a.zst',
    json({ columns: COLUMNS, drift: 'evolve' }),
    zstdCompressSync(`${ndjson(9000)}\n{"id":1,"more":"x"}\n{"id":2,"also":"x"}\n`),
  ],
  'UTF-16': ['a.csv', csv({ columns: COLUMNS, encoding: 'utf-16' }), Buffer.from(`\uFEFF${shop(5000)}`, 'utf16le')],
  escapes: [
    'a.csv',
    csv({ columns: COLUMNS, quote: '', escape: '\\', drift: 'evolve' }),
    shop(5000).replaceAll(/"([^"]*)"/g, (quoted) => quoted.replaceAll('"', '').replaceAll(/[,\r\n]/g, '\\$&')),
  ],
  'an array': ['a.json', json({ columns: COLUMNS, layout: 'array' }), array(5000)],
  'an array, with a column that drift brings': [
    'a.json',
    json({ columns: COLUMNS, layout: 'array', drift: 'evolve' }),
    array(5000),
  ],
} as const;

for (const source of [
  csv({ columns: COLUMNS, key: ['id'] }),
  parquetSource({ columns: { ...COLUMNS, id: { type: 'bigint', required: true } }, key: ['amount'], drift: 'ignore' }),
]) {
  test(`${source.format}: rejections of a key are counted through all parts of a file`, async () => {
    const models = { taken: {}, distinct: { mode: append({ dedupe: { key: 'name' } }) } };
    const records = Array.from(
      { length: 9000 },
      (_, i) => `${i % 1000},name ${i},${i % 1000 < 20 && i % 3 > 0 ? 'x' : i}`,
    );
    const content = source.format === 'csv' ? `id,name,amount\n${records.join('\n')}\n` : await parquet(20_000);
    const batches = [{ 'a.data': content }, { 'b.csv.data': content }];
    const { inTurn, tables } = await assertSameCut(pipelineOf(source, models), batches, Object.keys(models));
    assert.equal(inTurn, 4);
    const condemned = tables['quarantine']?.filter(({ status }) => status === 'condemned') ?? [];
    assert.ok(condemned.length > 5, `${condemned.length} condemned`);
  });
}

for (const [what, [name, source, content]] of Object.entries(IN_TURN)) {
  test(`${what}: nothing differs when a file is read in turn`, async () => {
    const models = {
      taken: {},
      distinct: { mode: append({ dedupe: { key: 'id' } }) },
      current: { mode: upsert({ key: 'id', sequence: 'amount' }) },
    };
    const batches = [{ '0.csv': '', [name]: content, 'z.txt': '' }];
    const { inTurn } = await assertSameCut(pipelineOf(source, models), batches, Object.keys(models));
    assert.equal(inTurn, 3);
  });
}

for (const drift of ['ignore', 'evolve'] as const) {
  test(`Parquet, drift '${drift}': nothing differs when a file is cut between row groups`, async () => {
    const columns = { id: { type: 'bigint', required: true }, name: 'string', amount: 'decimal(12,2)' } as const;
    const models = { taken: {}, distinct: { mode: append({ dedupe: { key: 'amount' } }) } };
    const pipeline = pipelineOf(parquetSource({ columns, drift }), models);
    const { units, tables } = await assertSameCut(
      pipeline,
      [{ 'a.parquet': await parquet(20_000) }],
      Object.keys(models),
    );
    assert.ok(units > 4, `${units} units`);
    assert.deepEqual(
      tables['quarantine']?.map(({ line }) => line),
      Array.from({ length: 12 }, (_, i) => 4 + i * 1700),
    );
  });
}

for (const [what, [source, content]] of Object.entries(CASES)) {
  test(`${what}: nothing differs when a file is cut`, async () => {
    const pipeline = pipelineOf(source, { taken: {} });
    const { units, rejected } = await assertSameCut(pipeline, [{ 'a.txt': content }], ['taken']);
    assert.ok(units > 1 || rejected.length === 1, `${units} units`);
  });
}
