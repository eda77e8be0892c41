import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { after, describe, test } from 'node:test';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { columnsOfResult, parseValue } from '../../lib/remote/athena-values.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

const session = await createDuckDbEngine().open({ memoryBytes: 300_000_000, threads: 1, scratch: tmpdir() });
after(() => session[Symbol.asyncDispose]());

describe('a value of Athena is the value that the local query gives', () => {
  /** Athena's type and text, and the same value as DuckDB writes it. */
  const CASES: readonly (readonly [string, string, string])[] = [
    ['boolean', 'true', 'true'],
    ['boolean', 'false', 'false'],
    ['tinyint', '-1', '-1::TINYINT'],
    ['smallint', '12', '12::SMALLINT'],
    ['integer', '42', '42::INTEGER'],
    ['bigint', '9007199254740991', '9007199254740991::BIGINT'],
    ['bigint', '9007199254740993', '9007199254740993::BIGINT'],
    ['bigint', '-9223372036854775808', '(-9223372036854775808)::BIGINT'],
    ['float', '0.1', '0.1::FLOAT'],
    ['double', '1.5', '1.5::DOUBLE'],
    ['double', '1.0E20', '1e20::DOUBLE'],
    ['double', 'NaN', "'nan'::DOUBLE"],
    ['double', '-Infinity', "'-inf'::DOUBLE"],
    ['decimal', '4.40', '4.40::DECIMAL(10,2)'],
    ['decimal', '12345678901234567890123456.00', '12345678901234567890123456.00::DECIMAL(38,2)'],
    ['date', '2026-01-31', "DATE '2026-01-31'"],
    ['time', '12:00:00.500', "TIME '12:00:00.5'"],
    ['timestamp', '2026-01-31 12:00:00.000', "TIMESTAMP '2026-01-31 12:00:00'"],
    ['timestamp', '2026-01-31 12:00:00.120000', "TIMESTAMP '2026-01-31 12:00:00.12'"],
    ['timestamp', '2026-01-31 12:00:00.123456', "TIMESTAMP '2026-01-31 12:00:00.123456'"],
    ['timestamp', '2026-01-31 12:00:10', "TIMESTAMP '2026-01-31 12:00:10'"],
    ['timestamp with time zone', '2026-01-31 12:00:00.000 UTC', "TIMESTAMPTZ '2026-01-31 12:00:00+00'"],
    ['timestamp with time zone', '2026-01-31 12:00:00.500000 UTC', "TIMESTAMPTZ '2026-01-31 12:00:00.5+00'"],
    ['varbinary', '00 ff 61 22', "'\\x00\\xFFa\\x22'::BLOB"],
    ['varbinary', '', "''::BLOB"],
    ['varchar', '', "''"],
    ['varchar', 'true', "'true'"],
    ['varchar', ' 12:00:00.000 UTC', "' 12:00:00.000 UTC'"],
  ];
  for (const [athena, text, sql] of CASES) {
    test(`${athena} ${JSON.stringify(text)}`, async () => {
      const [row] = await session.rows({ name: 'literal', text: userSql(`SELECT ${sql} AS value`) });
      assert.deepEqual(parseValue(text, { athena }), row?.['value']);
    });
  }

  test('no text is NULL, of every type', () => {
    for (const [athena] of CASES) assert.equal(parseValue(undefined, { athena }), null);
  });

  test('nested values stay text', () => {
    assert.equal(parseValue('[1, 2]', { athena: 'array' }), '[1, 2]');
    assert.equal(parseValue('{a=1}', { athena: 'row' }), '{a=1}');
  });

  test('a time of another zone stays as it is', () => {
    const text = '2026-01-31 12:00:00.123 Europe/Vienna';
    assert.equal(parseValue(text, { athena: 'timestamp with time zone' }), text);
  });
});

test('columns have the names and types of a local query', async () => {
  const info = (Name: string, Type: string, more = {}) => ({ Name, Type, ...more });
  const columns = columnsOfResult([
    info('a', 'bigint'),
    info('a', 'decimal', { Precision: 10, Scale: 2 }),
    info('a_1', 'timestamp with time zone'),
    info('b', 'array'),
    info('a', 'double'),
  ]);
  assert.deepEqual(
    columns.map(({ name, type }) => [name, type]),
    [
      ['a', 'BIGINT'],
      ['a_1', 'DECIMAL(10,2)'],
      ['a_1_1', 'TIMESTAMP WITH TIME ZONE'],
      ['b', 'VARCHAR'],
      ['a_2', 'DOUBLE'],
    ],
  );
  const text = 'CREATE TABLE named AS SELECT 1::BIGINT a, 1::DECIMAL(10,2) a, now() a_1, 1 b, 1::DOUBLE a';
  await session.run({ name: 'names', text: userSql(text) });
  const local = await session.describe({ name: 'names', text: sql`FROM named` });
  assert.deepEqual(
    columns.map(({ name }) => name),
    local.map(({ name }) => name),
  );
});
