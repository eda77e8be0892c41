import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPostgresSink } from '../../../lib/adapters/postgres/sink.ts';
import { csv, secret } from '../../../lib/define/index.ts';
import { openTestLake } from '../../support/test-lake.ts';
import { useDatabase } from './databases.ts';

const database = useDatabase();

/** A column of gold, its type in PostgreSQL, its values as SQL of DuckDB and as text of PostgreSQL. */
const VALUES: readonly (readonly [string, string, readonly string[], readonly (string | null)[]])[] = [
  ['b', 'boolean', ['true', 'false', 'NULL'], ['true', 'false', null]],
  ['i', 'integer', ['(-2147483648)::INTEGER', '2147483647', 'NULL'], ['-2147483648', '2147483647', null]],
  [
    'l',
    'bigint',
    ['-9223372036854775808', '9223372036854775807', 'NULL'],
    ['-9223372036854775808', '9223372036854775807', null],
  ],
  ['f', 'real', ["'inf'::FLOAT", "'nan'::FLOAT", '1.5::FLOAT'], ['Infinity', 'NaN', '1.5']],
  ['d', 'double precision', ["'-inf'::DOUBLE", '1e-300::DOUBLE', '0.1::DOUBLE'], ['-Infinity', '1e-300', '0.1']],
  [
    'n',
    'numeric(38,2)',
    ['99999999999999999999999999999999999.99::DECIMAL(38,2)', '-0.01::DECIMAL(38,2)', 'NULL'],
    ['99999999999999999999999999999999999.99', '-0.01', null],
  ],
  ['day', 'date', ["DATE '0044-03-15 (BC)'", "DATE '9999-12-31'", 'NULL'], ['0044-03-15 BC', '9999-12-31', null]],
  [
    'ts',
    'timestamp without time zone',
    ["TIMESTAMP '1969-12-31 23:59:59.999999'", "TIMESTAMP '10000-01-01 00:00:00'", 'NULL'],
    ['1969-12-31 23:59:59.999999', '10000-01-01 00:00:00', null],
  ],
  [
    'tz',
    'timestamp with time zone',
    ["TIMESTAMPTZ '2026-10-25 00:30:00.5+00'", "TIMESTAMPTZ '0044-03-15 (BC) 12:00:00+00'", 'NULL'],
    ['2026-10-25 00:30:00.5+00', '0044-03-15 12:00:00+00 BC', null],
  ],
  ['s', 'text', ["''", 'NULL', `'\\.'`], ['', null, '\\.']],
  ['q', 'text', [`'a"b,c' || chr(10) || chr(13) || '\\N'`, "'ü€😀'", "' '"], ['a"b,c\n\r\\N', 'ü€😀', ' ']],
  ['by', 'bytea', ["'\\x00\\xFF'::BLOB", "''::BLOB", 'NULL'], ['\\x00ff', '\\x', null]],
  [
    'ls',
    'text[]',
    [`['a"b\\', NULL, '', 'NULL', '{x,y}']`, '[]::VARCHAR[]', 'NULL'],
    ['{"a\\"b\\\\",NULL,"","NULL","{x,y}"}', '{}', null],
  ],
  ['li', 'bigint[]', ['[1::BIGINT, NULL]', '[]::BIGINT[]', 'NULL'], ['{1,NULL}', '{}', null]],
  ['lb', 'bytea[]', ["['\\x5C\\x22'::BLOB]", '[]::BLOB[]', 'NULL'], ['{"\\\\x5c22"}', '{}', null]],
  [
    'st',
    'jsonb',
    ["{a: 'x\"\\\\u0000', b: 1.50::DECIMAL(5,2), c: 'nan'::DOUBLE}", '{a: NULL, b: NULL, c: 0.5::DOUBLE}', 'NULL'],
    ['{"a": "x\\"\\\\\\\\u0000", "b": "1.50", "c": null}', '{"a": null, "b": null, "c": 0.5}', null],
  ],
  ['ll', 'jsonb', ['[[1], [2, 3]]', '[]::INTEGER[][]', 'NULL'], ['[[1], [2, 3]]', '[]', null]],
];

test('every type comes through as it is', async () => {
  const rows = [0, 1, 2].map(
    (at) => `SELECT ${at} AS id, ${VALUES.map(([name, , sql]) => `${sql[at]} AS ${name}`).join(', ')}`,
  );
  const lake = await openTestLake({
    name: 'values',
    definition: {
      name: 'values',
      serve: { postgres: { url: secret('U'), schema: 'types', tables: { v: { from: 'gold.v', key: 'id' } } } },
      sources: { one: csv({ columns: { x: 'int' } }) },
      silver: { one: { from: 'one' } },
      gold: { v: { sql: 'v.sql' } },
    },
    sql: {
      'v.sql': `SELECT v.* FROM (${rows.join(' UNION ALL ')}) v, (SELECT count(*) AS n FROM silver.one) one WHERE one.n > 0`,
    },
  });
  try {
    const sink = createPostgresSink(database.place);
    await lake.land('one', 'a.csv', 'x\n1\n');
    const served = lake.reopen((deps) => ({ ...deps, sink: () => sink }));
    const { serve } = await served.run({ retryIntervalMs: 0 });
    assert.equal(serve?.error, null, serve?.error?.message);
    await database.query("SET TimeZone = 'UTC'");
    for (const [name, type, , texts] of VALUES) {
      const found = await database.query(
        `SELECT "${name}"::text AS text, pg_typeof("${name}")::text AS type FROM types.v ORDER BY id`,
      );
      assert.deepEqual(
        found.map((row) => row['text']),
        texts,
        name,
      );
      assert.equal(type.replace(/\(.*\)/, ''), found[0]?.['type'], name);
    }
    const [scale] = await database.query(
      "SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'types.v'::regclass AND attname = 'n'",
    );
    assert.equal(scale?.['type'], 'numeric(38,2)');
  } finally {
    lake.close();
  }
});
