import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requireReading, withDatabasePrefix } from '../../lib/sql/athena.ts';

describe('the prefix of a stage', () => {
  const CASES: readonly (readonly [string, string, string])[] = [
    ['a table', 'SELECT * FROM retail_gold.t', 'SELECT * FROM dev_retail_gold.t'],
    ['every layer', 'FROM a_silver.x, a_gold.y, a_ops.z', 'FROM dev_a_silver.x, dev_a_gold.y, dev_a_ops.z'],
    ['spaces around the dot', 'FROM retail_gold . t', 'FROM dev_retail_gold . t'],
    [
      'a column by its full name',
      'SELECT retail_gold.t.a FROM retail_gold.t',
      'SELECT dev_retail_gold.t.a FROM dev_retail_gold.t',
    ],
    ['quoted', 'FROM "retail_gold"."t"', 'FROM "dev_retail_gold"."t"'],
    ['behind the catalog', 'FROM AwsDataCatalog.retail_gold.t', 'FROM AwsDataCatalog.dev_retail_gold.t'],
    ['capitals', 'FROM Retail_Gold.t', 'FROM dev_Retail_Gold.t'],
    ['a prefix that is there', 'FROM dev_retail_gold.t', 'FROM dev_retail_gold.t'],
    ['text', "SELECT 'retail_gold.t', 'it''s retail_gold.t'", "SELECT 'retail_gold.t', 'it''s retail_gold.t'"],
    ['what is behind a comment', '-- a\rSELECT 1 FROM retail_gold.t', '-- a\rSELECT 1 FROM dev_retail_gold.t'],
    ['comments', '-- retail_gold.t\n/* retail_gold.t */ SELECT 1', '-- retail_gold.t\n/* retail_gold.t */ SELECT 1'],
    ['a field of a column', 'SELECT c.retail_gold.x', 'SELECT c.retail_gold.x'],
    ['a name without a dot', 'SELECT retail_gold FROM t', 'SELECT retail_gold FROM t'],
    ['other databases', 'FROM sales.t, golden.t', 'FROM sales.t, golden.t'],
  ];
  for (const [name, sql, expected] of CASES) {
    test(name, () => assert.equal(withDatabasePrefix(sql, 'dev_'), expected));
  }

  test('no prefix changes nothing', () => {
    assert.equal(withDatabasePrefix('FROM retail_gold.t', ''), 'FROM retail_gold.t');
  });
});

describe('statements', () => {
  const READING = [
    'SELECT 1',
    '  with a as (select 1) select * from a',
    '(SELECT 1)',
    '-- why\nSHOW TABLES IN x',
    'EXPLAIN SELECT 1',
    'EXPLAIN ANALYZE SELECT 1',
    'EXPLAIN (TYPE DISTRIBUTED) SELECT 1',
    'describe t',
  ];
  for (const sql of READING) {
    test(`reads: ${JSON.stringify(sql)}`, () => assert.doesNotThrow(() => requireReading(sql)));
  }

  const WRITING: readonly (readonly [string, RegExp])[] = [
    ['DROP TABLE t', /begins with DROP; expected one SELECT/],
    ['/* SELECT */ insert into t values (1)', /begins with INSERT/],
    ['OPTIMIZE t REWRITE DATA USING BIN_PACK', /begins with OPTIMIZE/],
    ['EXPLAIN ANALYZE VERBOSE DELETE FROM t', /begins with DELETE/],
    ['explain (format json) update t set a = 1', /begins with UPDATE/],
    [' -- nothing', /got no statement/],
  ];
  for (const [sql, message] of WRITING) {
    test(`refused: ${JSON.stringify(sql)}`, () =>
      assert.throws(() => requireReading(sql), { name: 'InvalidInput', message }));
  }
});
