import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { leafFields, schemaOf } from '../../lib/iceberg/schema.ts';
import { dataFileOf } from '../../lib/iceberg/stats.ts';
import type { DataFile, Schema } from '../../lib/iceberg/types.ts';
import { decodeValue } from '../../lib/iceberg/values.ts';
import type { WrittenFile } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { column } from './arbitraries.ts';

/** Writes a query's rows with DuckDB and gives what it says of the file. */
async function written(query: string, options = ''): Promise<WrittenFile> {
  const scratch = await mkdtemp(join(tmpdir(), 'strata-stats-'));
  const session = await createDuckDbEngine().open({ memoryBytes: 500e6, threads: 1, scratch });
  try {
    const path = join(scratch, 'f.parquet').replaceAll("'", "''");
    const text = `COPY (${query}) TO '${path}' (FORMAT parquet, RETURN_STATS ${options})`;
    const [file] = await session.copy({ name: 'write', text: userSql(text) });
    assert.ok(file);
    return file;
  } finally {
    await session[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true });
  }
}

const describe = (file: WrittenFile, schema: Schema): DataFile =>
  dataFileOf({ written: file, schema, spec: { 'spec-id': 0, fields: [] }, location: 'l', partition: [] });

/** Leaf path -> [values, nulls, lower, upper]. */
function statistics(file: DataFile, schema: Schema): Record<string, readonly unknown[]> {
  const bound = (type: string, bytes: Uint8Array | undefined) =>
    bytes === undefined ? undefined : decodeValue(type, bytes);
  return Object.fromEntries(
    leafFields(schema).map(({ id, path, type }) => [
      path.join('.'),
      [
        file.valueCounts.get(id),
        file.nullCounts.get(id),
        bound(type, file.lowerBounds.get(id)),
        bound(type, file.upperBounds.get(id)),
      ],
    ]),
  );
}

test('what DuckDB says of every type becomes statistics by field id', async () => {
  const { schema } = schemaOf([
    column('b', 'boolean'),
    column('i', 'int'),
    column('l', 'bigint'),
    column('f', 'float'),
    column('d', 'double'),
    column('dec', 'decimal(38,4)'),
    column('dt', 'date'),
    column('ts', 'timestamp'),
    column('tz', 'timestamptz'),
    column('s', 'string'),
    column('bin', 'binary'),
    column('we ird."n', 'int'),
    column('tags', 'list<struct<k: string>>'),
    column('st', 'struct<a: int, deep: struct<x: bigint>>'),
  ]);
  const file = await written(`
    SELECT * FROM (VALUES
      (true, 1, 9223372036854775807, 0.1::FLOAT, 'nan'::DOUBLE, -9999999999999999999999999999999999.9999::DECIMAL(38,4), DATE '1960-02-29',
       TIMESTAMP '1960-01-01 00:00:00.123456', TIMESTAMPTZ '1969-12-31 23:59:59.999999+00', 'zoé', '\\xFF'::BLOB, 5, [{'k': 'x'}, NULL], {'a': 1, 'deep': {'x': 5}}),
      (false, -5, -9223372036854775808, -1.5::FLOAT, 2.5, 0.0001, DATE '0044-03-15 (BC)',
       TIMESTAMP '10000-01-01 00:00:00', TIMESTAMPTZ '2020-06-01 12:00:00+05', repeat('ab', 20), '\\x00'::BLOB, NULL, [], {'a': NULL, 'deep': NULL}),
      (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
    ) t(b, i, l, f, d, dec, dt, ts, tz, s, bin, "we ird.""n", tags, st)`);
  const described = describe(file, schema);
  assert.equal(described.rows, 3n);
  assert.equal(described.bytes, BigInt(file.bytes));
  assert.deepEqual(statistics(described, schema), {
    b: [3n, 1n, false, true],
    i: [3n, 1n, -5, 1],
    l: [3n, 1n, -(2n ** 63n), 2n ** 63n - 1n],
    f: [3n, 1n, -1.5, Math.fround(0.1)],
    d: [3n, 1n, 2.5, 2.5],
    dec: [3n, 1n, -(10n ** 38n) + 1n, 1n],
    dt: [3n, 1n, -735160, -3594],
    ts: [3n, 1n, -315619199876544n, 253402300800000000n],
    tz: [3n, 1n, -1n, 1590994800000000n],
    s: [3n, 1n, 'abababababababab', 'zoé'],
    bin: [3n, 1n, Uint8Array.of(0), Uint8Array.of(255)],
    'we ird."n': [3n, 2n, 5, 5],
    'tags.element.k': [4n, undefined, undefined, undefined],
    'st.a': [3n, 2n, 1, 1],
    'st.deep.x': [3n, 2n, 5n, 5n],
  });
  assert.equal(described.nanCounts.size, 0);
  assert.ok([...described.columnSizes.values()].every((size) => size > 0n));
});

test('zeros of either sign, only NaN, only null, texts longer than DuckDB keeps', async () => {
  const { schema } = schemaOf([
    column('z', 'double'),
    column('nan', 'double'),
    column('n', 'string'),
    column('long', 'string'),
    column('top', 'string'),
  ]);
  const file = await written(`
    SELECT unnest([0.0::DOUBLE, -0.0]) AS z, 'nan'::DOUBLE AS nan, NULL::VARCHAR AS n, repeat('x', 5000) AS long,
      repeat(chr(1114111), 30) AS top`);
  const { z, nan, n, long, top } = statistics(describe(file, schema), schema);
  assert.deepEqual(z, [2n, 0n, -0, 0]);
  assert.deepEqual(nan, [2n, 0n, undefined, undefined]);
  assert.deepEqual(n, [2n, 2n, undefined, undefined]);
  assert.deepEqual(long, [2n, 0n, 'x'.repeat(16), `${'x'.repeat(15)}y`]);
  assert.equal(top?.[3], undefined);
});

test('bounds of a column are whole where the table says so, which keeps its files apart', async () => {
  const { schema } = schemaOf([column('key', 'string'), column('etag', 'string')]);
  const file = await written(
    "SELECT 'bronze/shop/orders/' || i AS key, 'bronze/shop/orders/' || i AS etag FROM range(9) t(i)",
  );
  const properties = {
    'write.metadata.metrics.column.key': 'full',
    'write.metadata.metrics.column.etag': 'truncate(16)',
  };
  const spec = { 'spec-id': 0, fields: [] };
  const { key, etag } = statistics(
    dataFileOf({ written: file, schema, spec, location: 'l', partition: [], properties }),
    schema,
  );
  assert.deepEqual(key, [9n, 0n, 'bronze/shop/orders/0', 'bronze/shop/orders/8']);
  assert.deepEqual(etag, [9n, 0n, 'bronze/shop/orde', 'bronze/shop/ordf']);
});

test("DuckDB's has_nan is of the last row group only: the reason why we write no NaN counts", async () => {
  const file = await written(
    "SELECT CASE WHEN range = 5 THEN 'nan'::DOUBLE ELSE range END AS d FROM range(10000)",
    ', ROW_GROUP_SIZE 2048',
  );
  assert.equal(file.columns[0]?.hasNan, false);
  assert.deepEqual([file.columns[0]?.min, file.columns[0]?.max], ['0.0', '9999.0']);
});

test('a column that the schema lacks has no statistics', async () => {
  const { schema } = schemaOf([column('a', 'int')]);
  const described = describe(await written('SELECT 1 AS a, 2 AS b'), schema);
  assert.deepEqual([...described.valueCounts.keys()], [1]);
});
