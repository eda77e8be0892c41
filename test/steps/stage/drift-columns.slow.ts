import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { append, csv, definePipeline, full, json, month, parquet, scd2 } from '../../../lib/define/index.ts';
import type { Row } from '../../../lib/ports.ts';
import { openParquetMaker } from '../../bad-input/parquet-maker.ts';
import { openTestLake, type TestLake } from '../../support/test-lake.ts';

/** What two runs make of a source's files, and what the second of them sets aside. */
type Case = {
  readonly source: object;
  readonly table: object;
  readonly files: readonly [Files, Files];
  readonly rows: readonly Row[];
  readonly refused?: readonly string[];
};
/** Text, or the query of a Parquet file, by name. */
type Files = Readonly<Record<string, string>>;

const id = { id: 'int' } as const;
const evolve = { columns: id, drift: 'evolve' } as const;
const typed = (one: string, other: string): Pick<Case, 'source' | 'table' | 'files'> => ({
  source: parquet(evolve),
  table: { mode: append() },
  files: [{ a: `SELECT 1::INT AS id, ${one} AS n` }, { b: `SELECT 2::INT AS id, ${other} AS n` }],
});

const CASES: Readonly<Record<string, Case>> = {
  'a name that differs from the table’s by case alone is left out': {
    source: csv(evolve),
    table: { mode: append() },
    files: [{ 'a.csv': 'id,Note\n1,x\n' }, { 'b.csv': 'id,note,NOTE,z\n2,y,y,new\n', 'c.csv': 'id,Note\n3,z\n' }],
    rows: [
      { id: 1, Note: 'x', z: null },
      { id: 2, Note: null, z: 'new' },
      { id: 3, Note: 'z', z: null },
    ],
  },
  'in either spelling where all rows are replaced': {
    source: csv(evolve),
    table: { mode: full() },
    files: [{ 'a.csv': 'id,Note\n1,x\n' }, { 'b.csv': 'id,note\n2,y\n' }],
    rows: [{ id: 2, note: 'y' }],
  },
  'a name of metadata is the metadata’s': {
    source: csv(evolve),
    table: { mode: append(), metadata: ['attempt', 'source_file'] },
    files: [{ 'a.csv': 'id,attempt,Source_File\n1,x,y\n' }, { 'b.csv': 'id,attempt\n2,z\n' }],
    rows: [
      { id: 1, attempt: 1, source_file: 'bronze/p/s/a.csv' },
      { id: 2, attempt: 1, source_file: 'bronze/p/s/b.csv' },
    ],
  },
  'a name of history is the history’s, in any case': {
    source: json({ columns: { id: 'int', q: 'int' }, drift: 'evolve' }),
    table: { mode: scd2({ key: 'id', sequence: 'q', buckets: 1 }) },
    files: [{ a: '{"id":1,"q":1,"Valid_To":"x","is_current":"y","w":"1"}' }, { b: '{"id":1,"q":2,"W":"2"}' }],
    // An added column is not tracked, and another case of it is left out: the second event changes nothing.
    rows: [{ id: 1, q: 2, w: null, valid_from: 1, valid_to: null, is_current: true }],
  },
  'a name of a partition is left out': {
    source: csv({ columns: { id: 'int', day: 'date' }, drift: 'evolve' }),
    table: { mode: append(), partitionBy: [month('day')] },
    files: [{ 'a.csv': 'id,day\n1,2026-01-05\n' }, { 'b.csv': 'id,day,day_month,z\n2,2026-01-06,x,y\n' }],
    rows: [
      { id: 1, day: '2026-01-05', z: null },
      { id: 2, day: '2026-01-06', z: 'y' },
    ],
  },
  'whole numbers widen': {
    ...typed('5::INT', '50000000000::BIGINT'),
    rows: [
      { id: 1, n: 5 },
      { id: 2, n: 50000000000 },
    ],
  },
  'a table of text takes numbers as text': {
    ...typed("'x'", '5::INT'),
    rows: [
      { id: 1, n: 'x' },
      { id: 2, n: '5' },
    ],
  },
  'a table of numbers takes text that is one, and sets the other rows aside': {
    ...typed('5::INT', "unnest(['7', 'x'])"),
    rows: [
      { id: 1, n: 5 },
      { id: 2, n: 7 },
    ],
    refused: ["n: got 'x'; expected a int or nothing"],
  },
  'no digit is rounded away': {
    ...typed('5.55::DECIMAL(10,2)', 'unnest([1.25, 1.2345])::DECIMAL(10,4)'),
    rows: [
      { id: 1, n: '5.55' },
      { id: 2, n: '1.25' },
    ],
    refused: ["n: got '1.2345'; expected a decimal(10,2) or nothing"],
  },
  'a list is no number': {
    ...typed('[1]', '5'),
    rows: [{ id: 1, n: [1] }],
    refused: ["n: got '5'; expected list<int>"],
  },
  'a name with a dot is no field of a column that is called as what stands before it': {
    source: parquet(evolve),
    table: { mode: append() },
    files: [
      { a: 'SELECT 1::INT AS id, 5::INT AS n, 7::INT AS "n.cents"' },
      { b: `SELECT 2::INT AS id, 6::INT AS n, '8' AS "n.cents"` },
    ],
    rows: [
      { id: 1, n: 5, 'n.cents': 7 },
      { id: 2, n: 6, 'n.cents': 8 },
    ],
  },
  'a struct takes the fields of all files, whichever is read first': {
    source: parquet(evolve),
    table: { mode: append() },
    files: [
      { a: "SELECT 1::INT AS id, {'x': 1} AS o", b: "SELECT 2::INT AS id, {'y': 'q', 'X': 9} AS o" },
      { c: "SELECT 3::INT AS id, {'x': 3, 'z': 1.5::DOUBLE} AS o" },
    ],
    rows: [
      { id: 1, o: { x: 1, y: null, z: null } },
      { id: 2, o: { x: null, y: 'q', z: null } },
      { id: 3, o: { x: 3, y: null, z: 1.5 } },
    ],
  },
  'a field that cannot follow its table takes no other away, in lists too': {
    source: parquet(evolve),
    table: { mode: append() },
    files: [
      { a: "SELECT 1::INT AS id, {'x': 5::INT, 'n': 1::INT} AS o, [{'x': 5::INT}] AS l" },
      {
        b: `SELECT i::INT AS id, {'x': x, 'n': 50000000000::BIGINT, 'y': 9::INT} AS o, [{'X': 6, 'y': 'q'}] AS l
        FROM (VALUES (2, 'q'), (3, '8')) AS t(i, x)`,
      },
    ],
    rows: [
      { id: 1, o: { x: 5, n: 1, y: null }, l: [{ x: 5, y: null }] },
      { id: 3, o: { x: 8, n: 50000000000, y: 9 }, l: [{ x: null, y: 'q' }] },
    ],
    refused: ["o.x: got 'q'; expected int"],
  },
  'several types of one run are held by the widest, whichever is read first': {
    source: parquet(evolve),
    table: { mode: append() },
    files: [
      {
        a: "SELECT 1::INT AS id, 5.5::DOUBLE AS n, 'x' AS t, TIME '12:00' AS later",
        b: "SELECT 2::INT AS id, 5::INT AS n, 7::INT AS t, 'noon' AS later",
      },
      { c: "SELECT 3::INT AS id, 6::INT AS n, DATE '2026-01-05' AS t, 'one' AS later" },
    ],
    rows: [
      { id: 1, n: 5.5, t: 'x', later: '12:00:00' },
      { id: 2, n: 5, t: '7', later: 'noon' },
      { id: 3, n: 6, t: '2026-01-05', later: 'one' },
    ],
  },
};

const NAMES = Object.keys(CASES);
const nameOf = (name: string): string => `s${NAMES.indexOf(name)}`;
let lake: TestLake;

before(async () => {
  const maker = await openParquetMaker();
  const own = (kind: 'source' | 'table') =>
    Object.fromEntries(
      NAMES.map((name) => [
        nameOf(name),
        kind === 'source' ? CASES[name]?.source : { from: nameOf(name), ...CASES[name]?.table },
      ]),
    );
  const definition = { name: 'p', sources: own('source'), silver: own('table') };
  lake = await openTestLake({
    name: 'p',
    definition: definePipeline(definition as Parameters<typeof definePipeline>[0]),
  });
  for (const run of [0, 1] as const) {
    for (const [name, { files }] of Object.entries(CASES)) {
      for (const [file, text] of Object.entries(files[run])) {
        await lake.land(nameOf(name), file, text.startsWith('SELECT') ? await maker.make(text) : text);
      }
    }
    const { status, error } = await lake.run();
    assert.equal(status, 'SUCCEEDED', error?.message);
  }
  await maker.close();
});

after(() => lake.close());

for (const [name, { rows, refused = [] }] of Object.entries(CASES)) {
  test(name, async () => {
    const expected = rows.map((row) =>
      'source_file' in row
        ? { ...row, source_file: String(row['source_file']).replace('/s/', `/${nameOf(name)}/`) }
        : row,
    );
    assert.deepEqual(await lake.rows(`p_silver.${nameOf(name)}`), expected);
    const aside = await lake.rows(
      'p_ops.quarantine',
      `SELECT unnest(details) AS detail FROM t WHERE source = '${nameOf(name)}' ORDER BY ALL`,
    );
    assert.deepEqual(
      aside.map(({ detail }) => detail),
      refused,
    );
  });
}
