import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Outcome, runSources } from './bad-lake.ts';
import { openParquetMaker, type ParquetMaker } from './parquet-maker.ts';

const columns = {
  id: { type: 'bigint', required: true },
  price: 'decimal(8,2)',
  at: 'timestamp',
  name: 'string',
} as const;
const GOOD = `SELECT 901::BIGINT AS id, 1.50::DECIMAL(8,2) AS price, TIMESTAMP '2020-01-01' AS "at", 'good' AS name`;

let maker: ParquetMaker;
let outcomes: Readonly<Record<'types' | 'corrupt' | 'nested', Outcome>>;

before(async () => {
  maker = await openParquetMaker();
  const whole = Buffer.from(
    await maker.make(
      `SELECT i AS id, (i / 100)::DECIMAL(8,2) AS price, TIMESTAMP '2020-01-01' AS "at", md5(i::VARCHAR) AS name FROM range(5000) t(i)`,
      ', ROW_GROUP_SIZE 2048',
    ),
  );
  outcomes = await runSources({
    types: {
      parquet: { columns },
      files: {
        'good.parquet': await maker.make(GOOD),
        'other types.parquet': await maker.make(
          `SELECT * FROM (VALUES
            (1::INTEGER, 2.5::DOUBLE, DATE '2020-01-02', 'a'),
            (2, 2.555, DATE '2020-01-03', NULL),
            (NULL, 1e12, DATE '2020-01-04', 'c')) t(id, price, "at", name)`,
        ),
        'text.parquet': await maker.make(
          `SELECT * FROM (VALUES ('11', '2.50', '2020-01-02 03:04:05+02:00', 'a'), ('x', '2.555', '2020-02-30', 'b')) t(id, price, "at", name)`,
        ),
        'wider.parquet': await maker.make(
          `SELECT * FROM (VALUES (21::HUGEINT, 3.50::DECIMAL(20,4), TIMESTAMPTZ '2020-01-02 03:04:05+00', 'w'),
            (99999999999999999999::HUGEINT, 3.5051::DECIMAL(20,4), NULL, 'v')) t(id, price, "at", name)`,
        ),
        'strange types.parquet': await maker.make(
          `SELECT [1] AS id, 'x'::BLOB AS price, TIME '10:00:00' AS "at", {'a': 1} AS name`,
        ),
      },
    },
    corrupt: {
      parquet: { columns },
      files: {
        'good.parquet': await maker.make(GOOD),
        'page.parquet': damage(whole, 2000, 600),
        'half.parquet': whole.subarray(0, whole.length / 2),
        'footer.parquet': damage(whole, whole.length - 400, 300),
        'text.parquet': 'id,price\n1,2\n',
        'empty.parquet': '',
        'gzip.parquet': Buffer.from('1f8b0800', 'hex'),
        'no rows.parquet': await maker.make(`${GOOD} WHERE false`),
      },
    },
    nested: {
      parquet: {
        columns: { id: 'bigint', tags: 'list<string>', who: 'struct<name: string, age: int>', raw: 'binary' },
      },
      files: {
        'a.parquet': await maker.make(
          `SELECT 1::BIGINT AS id, ['a', NULL] AS tags, {'name': 'Ann', 'age': 7} AS who, '\\xFF\\x00'::BLOB AS raw`,
        ),
        'wrong.parquet': await maker.make(
          `SELECT 2::BIGINT AS id, [1, 2] AS tags, {'name': 'Ann', 'age': 99999999999} AS who, NULL::BLOB AS raw`,
        ),
      },
    },
  });
});

after(() => maker.close());

function damage(bytes: Buffer, at: number, length: number): Buffer {
  return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length, 0xa5), bytes.subarray(at + length)]);
}

test('other types than the contract are taken where no value changes', () => {
  const { types } = outcomes;
  assert.deepEqual(
    types.rows.map((row) => [row['id'], row['price'], row['at'], row['name']]),
    [
      [1, '2.50', '2020-01-02 00:00:00', 'a'],
      [11, '2.50', '2020-01-02 01:04:05', 'a'],
      [21, '3.50', '2020-01-02 03:04:05', 'w'],
      [901, '1.50', '2020-01-01 00:00:00', 'good'],
    ],
  );
  assert.deepEqual(
    types.quarantine.map((row) => [row.file, row.line, row.codes.join()]),
    [
      ['other types.parquet', 2, 'TYPE_ERROR'],
      ['other types.parquet', 3, 'NULL_VALUE_ERROR,TYPE_ERROR'],
      ['strange types.parquet', 1, 'TYPE_ERROR,TYPE_ERROR,TIMESTAMP_ERROR'],
      ['text.parquet', 2, 'TYPE_ERROR,TYPE_ERROR,TIMESTAMP_ERROR'],
      ['wider.parquet', 2, 'TYPE_ERROR,TYPE_ERROR'],
    ],
  );
});

test('damaged files are rejected with the rows of the others kept', () => {
  const { corrupt } = outcomes;
  assert.deepEqual(
    corrupt.rows.map((row) => row['id']),
    [901],
  );
  assert.deepEqual(Object.keys(corrupt.rejected).sort(), [
    'empty.parquet',
    'footer.parquet',
    'gzip.parquet',
    'half.parquet',
    'page.parquet',
    'text.parquet',
  ]);
  for (const reason of Object.values(corrupt.rejected)) assert.match(reason, /^UNREADABLE_FILE: ./);
});

test('nested values', () => {
  const { nested } = outcomes;
  assert.deepEqual(nested.rows, [{ id: 1, tags: ['a', null], who: { name: 'Ann', age: 7 }, raw: '\\xFF\\x00' }]);
  assert.deepEqual(
    nested.quarantine.map((row) => [row.file, row.codes.join()]),
    [['wrong.parquet', 'TYPE_ERROR']],
  );
});
