import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import { columnsOf, currentSchema } from '../../lib/iceberg/schema.ts';
import type { NestedField, Schema, TableMetadata } from '../../lib/iceberg/types.ts';
import { type OpenableFile, openFiles } from '../../lib/lake/tables/foreign-files.ts';
import { scanColumns } from '../../lib/lake/tables/table-state.ts';
import type { Row, Session } from '../../lib/ports.ts';
import { quoteName, quoteText } from '../../lib/sql/quote.ts';
import { renderBucketed, renderScan } from '../../lib/sql/scan.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { createTestEngine, makeScratch, readingSession } from '../support/test-engine.ts';

/** Files of a table whose columns were renamed, dropped, added and added again, each written by the schema of its time. */

const scratch = makeScratch();
const store = createMemoryStore({ scratch });
let session: Session;
let files = 0;
before(async () => {
  session = await createTestEngine().open({ ...readingSession(), folders: undefined });
});
after(() => session[Symbol.asyncDispose]());

type Fields = readonly NestedField[];
type Step = (fields: Fields, nextId: number) => Fields;

const field = (id: number, name: string, type: NestedField['type'] = 'int'): NestedField => ({
  ...{ id, name, type },
  required: false,
});
const add =
  (name: string, type?: NestedField['type']): Step =>
  (fields, id) =>
    fields.some((one) => one.name.toLowerCase() === name.toLowerCase()) ? fields : [...fields, field(id, name, type)];
const drop =
  (name: string): Step =>
  (fields) =>
    fields.length < 2 ? fields : fields.filter((one) => one.name !== name);
const rename =
  (from: string, to: string): Step =>
  (fields) =>
    fields.some((one) => one.name.toLowerCase() === to.toLowerCase() && one.name !== from)
      ? fields
      : fields.map((one) => (one.name === from ? { ...one, name: to } : one));
const widen =
  (name: string): Step =>
  (fields) =>
    fields.map((one) => (one.name === name && one.type === 'int' ? { ...one, type: 'long' } : one));

/** All schemas that a table has had. */
function historyOf(steps: readonly Step[]): readonly Schema[] {
  const schemas: Fields[] = [[field(1, 'a'), field(2, 'b')]];
  let next = 3;
  for (const step of steps) {
    const fields = step(schemas.at(-1) ?? [], next);
    next = Math.max(next, ...fields.map(({ id }) => id + 1));
    schemas.push(fields);
  }
  return schemas.map((fields, at) => ({ type: 'struct', 'schema-id': at, fields }));
}

function tableOf(schemas: readonly Schema[], current: number): TableMetadata {
  const ids = schemas.flatMap((one) => one.fields.map(({ id }) => id));
  return {
    'format-version': 2,
    'table-uuid': '',
    location: store.location('silver/p/t'),
    'last-sequence-number': 0n,
    'last-updated-ms': 0n,
    'last-column-id': Math.max(...ids),
    schemas,
    'current-schema-id': current,
    'partition-specs': [{ 'spec-id': 0, fields: [] }],
    'default-spec-id': 0,
    'last-partition-id': 999,
    properties: {},
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
    'sort-orders': [],
    'default-sort-order-id': 0,
  };
}

const cellOf = (file: number, id: number): number => file * 100 + id;

/** A row in which each column has a value that is in no other column and no other file. */
async function write(schema: Schema, file: number): Promise<OpenableFile> {
  const path = join(scratch, `${files}.parquet`);
  const key = `silver/p/t/data/${files}.parquet`;
  files += 1;
  const types: Readonly<Record<string, string>> = { int: 'INTEGER', long: 'BIGINT' };
  const values = schema.fields.map(
    ({ id, name, type }) => `${cellOf(file, id)}::${types[String(type)]} AS ${quoteName(name)}`,
  );
  const ids = schema.fields.map(({ id, name }) => `${quoteName(name)}: ${id}`);
  const text = `COPY (SELECT ${values.join()}) TO ${quoteText(path)} (FORMAT parquet, FIELD_IDS {${ids.join()}})`;
  await session.run({ name: 'write', text: userSql(text) });
  await store.publish(path, key);
  const valueCounts = new Map(schema.fields.map(({ id }) => [id, 1n]));
  return {
    ...{ path: store.location(key), specId: 0, partition: [], foreign: false },
    sequence: 0n,
    deletes: [],
    valueCounts,
  };
}

async function read(relation: string): Promise<readonly Row[]> {
  return session.rows({ name: 'read', text: userSql(`SELECT * FROM ${relation}`) });
}

/** What a schema finds in files that were written by others: a column by its id, whatever it was called then. */
function expectedRows(schema: Schema, written: readonly Schema[]): readonly string[] {
  const rows = written.map(({ fields }, file) =>
    schema.fields.map(({ id }) => (fields.some((one) => one.id === id) ? cellOf(file, id) : null)),
  );
  return rows.map((row) => JSON.stringify(row)).sort();
}

const valuesOf = (rows: readonly Row[]): readonly string[] =>
  rows.map((row) => JSON.stringify(Object.values(row).map((value) => (value === null ? null : Number(value))))).sort();

/** `true`: all by name; `null`: some of the files. */
const CASES: readonly (readonly [what: string, steps: readonly Step[], byName: boolean | null])[] = [
  ['nothing', [], true],
  ['another column is gone', [drop('b')], true],
  ['a column is added', [add('c')], null],
  ['a column is renamed', [rename('a', 'x')], false],
  ['a column is renamed, and back', [rename('a', 'x'), rename('x', 'a')], false],
  ['a column gets the name of one that is gone', [drop('b'), add('b')], false],
  ['in another case', [drop('b'), add('B')], false],
  ['columns change names', [rename('a', 'x'), rename('b', 'a'), rename('x', 'b')], false],
  ['a column is widened', [widen('a')], false],
  ['a column has the name that DuckDB has for places', [add('file_row_number'), drop('file_row_number')], false],
];

describe('files are read by name where that is as good as by field id', () => {
  for (const [what, steps, byName] of CASES) {
    test(what, async () => {
      const schemas = historyOf(steps);
      const written = await Promise.all(schemas.map(write));
      const table = tableOf(schemas, schemas.length - 1);
      await using opened = await openFiles(session, store, table, written);
      const scan = renderScan(scanColumns(table, []), opened.files);
      assert.deepEqual([/\bCAST\(/.test(scan), /schema = MAP/.test(scan)], [byName !== false, byName !== true]);
      assert.deepEqual(valuesOf(await read(scan)), expectedRows(currentSchema(table), schemas));
    });
  }

  test('not other engines’ files, files of which is not known what they have, and tables that lost a schema', async () => {
    const schemas = historyOf([drop('b')]);
    const file = await write(schemas[1] ?? assert.fail(), 0);
    const table = tableOf(schemas, 1);
    const { valueCounts, ...unknown } = file;
    assert.ok(valueCounts);
    const others: readonly (readonly [TableMetadata, OpenableFile, byName: boolean])[] = [
      [table, file, true],
      [table, { ...file, foreign: true }, false],
      [table, unknown, false],
      [table, { ...file, valueCounts: new Map([[2, 1n]]) }, false],
      [tableOf(schemas.slice(1), 1), file, false],
    ];
    for (const [metadata, one, byName] of others) {
      await using opened = await openFiles(session, store, metadata, [one]);
      const scan = renderScan(scanColumns(metadata, []), opened.files);
      assert.equal(/schema = MAP/.test(scan), !byName);
      assert.deepEqual(valuesOf(await read(scan)), ['[1]']);
    }
  });

  test('nested values, where the values of all their leaves are counted', async () => {
    const pair: NestedField['type'] = { type: 'struct', fields: [field(2, 'x'), field(3, 'y', 'string')] };
    const schemas: readonly Schema[] = [{ type: 'struct', 'schema-id': 0, fields: [field(1, 'pair', pair)] }];
    const table = tableOf(schemas, 0);
    const path = join(scratch, 'nested.parquet');
    const text = `COPY (SELECT {'x': 7, 'y': 'b'} AS pair) TO ${quoteText(path)} (FORMAT parquet, FIELD_IDS {pair: {__duckdb_field_id: 1, x: 2, y: 3}})`;
    await session.run({ name: 'write', text: userSql(text) });
    await store.publish(path, 'silver/p/t/data/nested.parquet');
    const file = {
      ...(await write(historyOf([])[0] ?? assert.fail(), 0)),
      path: store.location('silver/p/t/data/nested.parquet'),
    };
    for (const [counted, byName] of [
      [[2, 3], true],
      [[1, 2], false],
    ] as const) {
      const valueCounts = new Map(counted.map((id) => [id, 1n]));
      await using opened = await openFiles(session, store, table, [{ ...file, valueCounts }]);
      const scan = renderScan(scanColumns(table, []), opened.files);
      assert.equal(/schema = MAP/.test(scan), !byName);
      assert.deepEqual(await read(scan), [{ pair: { x: 7, y: 'b' } }]);
    }
  });

  test('a column that is yet to come is NULL', async () => {
    const schemas = historyOf([]);
    const table = tableOf(schemas, 0);
    const columns = scanColumns(table, [{ name: 'new', type: { kind: 'date' } }]);
    await using opened = await openFiles(session, store, table, await Promise.all(schemas.map(write)));
    const scan = renderScan(columns, opened.files);
    assert.deepEqual(valuesOf(await read(scan)), ['[1,2,null]']);
  });
});

test('whatever becomes of columns, each schema reads its own in all files', async () => {
  const names = fc.constantFrom('a', 'b', 'c', 'A');
  const step = fc.oneof(
    names.map((name) => add(name)),
    names.map(drop),
    names.map(widen),
    fc.tuple(names, names).map(([from, to]) => rename(from, to)),
  );
  const seen = { name: 0, id: 0 };
  const property = fc.asyncProperty(fc.array(step, { maxLength: 4 }), async (steps) => {
    const schemas = historyOf(steps);
    const written = await Promise.all(schemas.map(write));
    for (const schema of schemas) {
      const table = tableOf(schemas, schema['schema-id']);
      const columns = scanColumns(table, columnsOf(schema));
      await using opened = await openFiles(session, store, table, written);
      const expected = expectedRows(schema, schemas);
      const scan = renderScan(columns, opened.files);
      assert.deepEqual(valuesOf(await read(scan)), expected);
      const numbered = renderBucketed(
        columns,
        opened.files.map((file, bucket) => ({ file, bucket })),
      );
      const rows = await read(`(SELECT * EXCLUDE (__bucket) FROM ${numbered})`);
      assert.deepEqual(valuesOf(rows), expected);
      seen[/schema = MAP/.test(scan) ? 'id' : 'name'] += 1;
    }
  });
  await fc.assert(property, { numRuns: Number(process.env['NAMES_RUNS'] ?? 25), seed: 20_261_130 });
  assert.ok(seen.name > 0 && seen.id > 0, JSON.stringify(seen));
});
