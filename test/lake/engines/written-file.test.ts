import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { PartitionField } from '../../../lib/core/spec.ts';
import { type Column, parseColumnType } from '../../../lib/core/types.ts';
import { partitionSpecOf, partitionTuple } from '../../../lib/iceberg/partition.ts';
import { leafFields, schemaOf } from '../../../lib/iceberg/schema.ts';
import { dataFileOf } from '../../../lib/iceberg/stats.ts';
import type { DataFile, PartitionSpec, Schema } from '../../../lib/iceberg/types.ts';
import { encodeUnscaled } from '../../../lib/iceberg/values.ts';
import { adoptedFile } from '../../../lib/lake/engines/adopted-file.ts';
import { leavesByName, wrongFile } from '../../../lib/lake/engines/written-file.ts';
import { fieldIdsOf } from '../../../lib/lake/tables/field-ids.ts';
import type { Target } from '../../../lib/lake/tables/target.ts';
import { type Footer, type RowGroup, readFooter } from '../../../lib/landing/parquet/footer.ts';
import { userTerm } from '../../../lib/sql/user-sql.ts';
import { writeTable } from '../../../lib/sql/write.ts';
import { createTestEngine, makeScratch, readingSession } from '../../support/test-engine.ts';

function columnsOf(types: Readonly<Record<string, string>>): readonly Column[] {
  return Object.entries(types).map(([name, text]) => {
    const type = parseColumnType(text);
    assert.ok(type);
    return { name, type };
  });
}

const TYPES = {
  id: 'bigint',
  n: 'int',
  on: 'boolean',
  f: 'float',
  d: 'double',
  price: 'decimal(9,2)',
  wide: 'decimal(30,4)',
  day: 'date',
  at: 'timestamp',
  zoned: 'timestamptz',
  name: 'string',
  raw: 'binary',
  tags: 'list<string>',
  pair: 'struct<a: int, b: string>',
};
const { schema } = schemaOf(columnsOf(TYPES));
const spec: PartitionSpec = { 'spec-id': 0, fields: [] };

const ROWS = `SELECT i AS id, i::INT AS n, true AS "on", 1.5::FLOAT AS f, 1e9 AS d, 1.25::DECIMAL(9,2) AS price, 2::DECIMAL(30,4) AS wide, DATE '2026-01-01' + i::INT AS day,
TIMESTAMP '2026-01-01 00:00:00' AS at, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS zoned, 'a' || i AS name, 'x'::BLOB AS raw, ['t'] AS tags, {a: 1, b: nullif(i, 2)::VARCHAR} AS pair FROM range(3) r(i)`;

const scratch = makeScratch();
let file: DataFile;
let footer: Footer;
before(async () => {
  [file, footer] = await written(TYPES, schema, ROWS, 'own');
});
after(() => rmSync(scratch, { recursive: true }));

async function written(
  types: Readonly<Record<string, string>>,
  own: Schema,
  rows: string,
  name: string,
): Promise<[DataFile, Footer]> {
  const folder = join(scratch, name);
  await using session = await createTestEngine().open(readingSession());
  const columns = columnsOf(types);
  const [one] = await session.copy(
    writeTable({
      name,
      from: userTerm(rows),
      columns,
      fieldIds: fieldIdsOf(own),
      partitionBy: [],
      sortBy: [],
      folder,
      fileBytes: 1e8,
    }),
  );
  assert.ok(one);
  const handle = await open(one.path);
  const footer = await readFooter(handle, one.bytes);
  await handle.close();
  return [dataFileOf({ written: one, schema: own, spec, location: 'x', partition: [] }), footer];
}

describe('a file that an engine wrote', () => {
  test('is as its manifest and its table say, whatever the types', () => {
    assert.equal(wrongFile(file, footer, { schema, spec }), undefined);
  });

  test('has other rows, nulls or bounds than its manifest says', () => {
    const id = 1;
    assert.equal(wrongFile({ ...file, rows: 4n }, footer, { schema, spec }), 'it has 3 rows, the manifest says 4');
    const nulls = new Map([...file.nullCounts, [id, 1n] as const]);
    assert.equal(
      wrongFile({ ...file, nullCounts: nulls }, footer, { schema, spec }),
      'its column id has 0 nulls, the manifest says 1',
    );
    const bound = (value: number): Uint8Array => new Uint8Array(new BigInt64Array([BigInt(value)]).buffer);
    const beyond = 'its column id has values beyond the bounds of the manifest';
    const lower = { ...file, lowerBounds: new Map([...file.lowerBounds, [id, bound(1)] as const]) };
    const upper = { ...file, upperBounds: new Map([...file.upperBounds, [id, bound(1)] as const]) };
    assert.equal(wrongFile(lower, footer, { schema, spec }), beyond);
    assert.equal(wrongFile(upper, footer, { schema, spec }), beyond);
    assert.equal(
      wrongFile({ ...file, lowerBounds: new Map(), upperBounds: new Map(), nullCounts: new Map() }, footer, {
        schema,
        spec,
      }),
      undefined,
    );
  });

  test('has other columns than its table', () => {
    const without = { ...schema, fields: schema.fields.slice(1) };
    assert.equal(
      wrongFile(file, footer, { schema: without, spec }),
      "its column id has no field id of the model's table",
    );
    const more = { ...schema, fields: [...schema.fields, { id: 99, name: 'more', required: false, type: 'int' }] };
    assert.equal(wrongFile(file, footer, { schema: more, spec }), 'it lacks the column more, or its field id');
    const other = {
      n: 'long',
      price: 'decimal(9, 3)',
      day: 'int',
      at: 'timestamptz',
      zoned: 'timestamp',
      name: 'long',
    };
    const stored = {
      n: 'int',
      price: 'decimal(9, 2)',
      day: 'date',
      at: 'timestamp',
      zoned: 'timestamptz',
      name: 'bytes',
    };
    for (const [name, type] of Object.entries(other)) {
      const fields = schema.fields.map((field) => (field.name === name ? { ...field, type } : field));
      const got = stored[name as keyof typeof stored];
      assert.equal(
        wrongFile(file, footer, { schema: { ...schema, fields }, spec }),
        `its column ${name} is written as ${got}; expected ${type}`,
      );
    }
  });

  test('has columns under the names of its table, or under others', () => {
    const all = leafFields(schema).map(({ id }) => id);
    assert.deepEqual([...leavesByName(footer, schema)].sort(), all.sort());
    const renamed = schema.fields.map((field) =>
      ['id', 'tags', 'pair'].includes(field.name) ? { ...field, name: `${field.name} x` } : field,
    );
    const others = leafFields({ ...schema, fields: renamed }).filter(({ path }) => path[0]?.endsWith(' x'));
    const left = all.filter((id) => !others.some((one) => one.id === id));
    assert.equal(others.length, 4);
    assert.deepEqual([...leavesByName(footer, { ...schema, fields: renamed })].sort(), left);
  });

  test('has decimals beyond the bounds of its manifest, however they are stored', () => {
    // 1.25 and 2.0000, without the point.
    for (const [name, exact] of [
      ['price', 125n],
      ['wide', 20_000n],
    ] as const) {
      const id = schema.fields.find((field) => field.name === name)?.id ?? 0;
      const lower = (value: bigint) => new Map([...file.lowerBounds, [id, encodeUnscaled(value)] as const]);
      const upper = (value: bigint) => new Map([...file.upperBounds, [id, encodeUnscaled(value)] as const]);
      const place = { schema, spec };
      const beyond = `its column ${name} has values beyond the bounds of the manifest`;
      assert.equal(wrongFile({ ...file, lowerBounds: lower(exact) }, footer, place), undefined);
      assert.equal(wrongFile({ ...file, lowerBounds: lower(exact + 1n) }, footer, place), beyond);
      assert.equal(wrongFile({ ...file, upperBounds: upper(exact) }, footer, place), undefined);
      assert.equal(wrongFile({ ...file, upperBounds: upper(exact - 1n) }, footer, place), beyond);
    }
  });

  test('has rows of other partitions than its manifest says', () => {
    type Case = readonly [
      transform: PartitionField['transform'],
      column: string,
      right: string | null,
      wrong: string | null,
    ];
    const cases: readonly Case[] = [
      [{ kind: 'year' }, 'day', '56', '55'],
      [{ kind: 'month' }, 'day', '672', null],
      [{ kind: 'hour' }, 'zoned', '490896', '490895'],
      [{ kind: 'identity' }, 'name', null, null],
      [{ kind: 'bucket', width: 4 }, 'id', '3', null],
    ];
    for (const [transform, column, right, wrong] of cases) {
      const by = partitionSpecOf([{ column, transform }], schema).spec;
      const place = { schema, spec: by };
      const within = (text: string | null): DataFile => ({ ...file, partition: partitionTuple(by, schema, [text]) });
      const other = `it has rows of other partitions than its manifest says, by ${by.fields[0]?.name}`;
      if (right !== null) assert.equal(wrongFile(within(right), footer, place), undefined, transform.kind);
      assert.equal(wrongFile(within(wrong), footer, place), other, transform.kind);
    }
  });

  test('has the counts of its footer, and its partition as a table has it, whatever its manifest leaves out', async () => {
    const rows = ROWS.replace("'a' || i AS name", "nullif('a' || i, 'a1') AS name");
    const [own, end] = await written(TYPES, schema, rows, 'nulls');
    const partitionBy = [{ column: 'day', transform: { kind: 'month' } }] as const;
    const by = partitionSpecOf(partitionBy, schema).spec;
    const table = { pipeline: 'p', layer: 'gold', name: 'x' } as const;
    const none = { create: undefined, alter: undefined };
    const target: Target = {
      id: 'gold.x',
      table,
      columns: columnsOf(TYPES),
      partitionBy,
      sortBy: [],
      ...none,
      schema,
      spec: by,
    };
    const bare = { ...own, nullCounts: new Map(), valueCounts: new Map(), partition: [672] };
    const adopted = adoptedFile(bare, end, target);
    assert.deepEqual(adopted.partition, [{ column: 'day', value: '672' }]);
    const partition = partitionTuple(
      by,
      schema,
      adopted.partition.map(({ value }) => value),
    );
    const made = dataFileOf({ written: adopted, schema, spec: by, location: 'x', partition });
    assert.deepEqual(made, { ...own, partition: [672] });
    const name = schema.fields.find((field) => field.name === 'name')?.id ?? 0;
    assert.deepEqual([made.nullCounts.get(name), made.valueCounts.get(name)], [1n, 3n]);
    // Whose nulls nobody has counted, of that nothing is said.
    const silent = { ...end, rowGroups: end.rowGroups.map(withoutStatistics) };
    const known = adoptedFile(bare, silent, target).columns.map(({ path }) => path.join('.'));
    assert.deepEqual(known, ['tags.element']);
    const nulls = new Map([[name, 1n]]);
    const told = adoptedFile({ ...bare, nullCounts: nulls }, silent, target).columns;
    assert.deepEqual(
      told.map(({ path, nulls: n }) => [path.join('.'), n]),
      [
        ['name', 1],
        ['tags.element', 0],
      ],
    );
  });
});

function withoutStatistics(group: RowGroup): RowGroup {
  const chunks = group.chunks.map((chunk) => ({
    ...chunk,
    meta: new Map([...chunk.meta].filter(([id]) => id !== 12)),
  }));
  return { ...group, chunks };
}
