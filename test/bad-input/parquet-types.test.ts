import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { flag, group, i32, type SmallColumn, smallParquet, struct } from '../landing/parquet/small-file.ts';
import { type Outcome, runSources } from './bad-lake.ts';
import { openParquetMaker } from './parquet-maker.ts';

const NANOS = group({ 3: group({}) });
const MILLIS = group({ 1: group({}) });
const MICROS = group({ 2: group({}) });
const instant = (unit: typeof NANOS, utc: boolean): SmallColumn['element'] =>
  struct({ 10: group({ 8: group({ 1: flag(utc), 2: unit }) }) });

function longs(name: string, values: readonly bigint[], element: SmallColumn['element']): SmallColumn {
  return { name, physical: 2, plain: Buffer.from(BigInt64Array.from(values).buffer), ...(element && { element }) };
}

/** Nanoseconds of a day and the Julian day, as Spark, Hive and Impala wrote times. */
function int96(nanos: bigint, day: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64LE(nanos, 0);
  bytes.writeInt32LE(day, 8);
  return bytes;
}

const UNIX_DAY = 2_440_588;
const HALVES = [0x3c00, 0xbe00, 0x0001, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x8000];

const decimal = (precision: number, scale: number): SmallColumn['element'] =>
  struct({ 2: i32(24), 6: i32(5), 7: i32(scale), 8: i32(precision) });

let outcomes: Readonly<Record<string, Outcome>>;

before(async () => {
  const maker = await openParquetMaker();
  const make = (sql: string): Promise<Uint8Array> => maker.make(sql);
  const nanos = [0n, 1_000n, -1_000n, 1n, -1n, 999n, 1_700_000_000_000_000_800n, -(2n ** 63n), 2n ** 63n - 1n];
  outcomes = await runSources({
    nanos: {
      parquet: { columns: { at: 'timestamptz' } },
      files: { 'a.parquet': smallParquet([longs('at', nanos, instant(NANOS, true))], nanos.length) },
    },
    local_nanos: {
      parquet: { columns: { at: 'timestamp' } },
      files: { 'a.parquet': smallParquet([longs('at', nanos.slice(0, 7), instant(NANOS, false))], 7) },
    },
    int96: {
      parquet: { columns: { at: 'timestamp' } },
      files: {
        'a.parquet': smallParquet(
          [
            {
              name: 'at',
              physical: 3,
              plain: Buffer.concat([
                int96(0n, UNIX_DAY),
                int96(86_399_999_999_000n, UNIX_DAY - 1),
                int96(1_000n, 2_816_788),
                int96(1n, UNIX_DAY),
                int96(0n, 2_147_483_647),
                int96(0n, -2_147_483_648),
                int96(86_400_000_000_000n, UNIX_DAY),
              ]),
            },
          ],
          7,
        ),
      },
    },
    times: {
      parquet: { columns: { t: 'string' } },
      files: {
        'a.parquet': smallParquet(
          [
            longs(
              't',
              [0n, 1n, 3_600_000_000_000n, 86_399_999_999_999n],
              struct({ 10: group({ 7: group({ 1: flag(false), 2: NANOS }) }) }),
            ),
          ],
          4,
        ),
      },
    },
    halves: {
      parquet: { columns: { h: 'float' } },
      files: {
        'a.parquet': smallParquet(
          [
            {
              name: 'h',
              physical: 7,
              plain: Buffer.from(Uint16Array.from(HALVES).buffer),
              element: struct({ 2: i32(2), 10: group({ 15: group({}) }) }),
            },
          ],
          HALVES.length,
        ),
      },
    },
    digits: {
      parquet: { columns: { d: 'decimal(38,2)' } },
      files: {
        'a.parquet': smallParquet([{ name: 'd', physical: 7, plain: Buffer.alloc(24, 1), element: decimal(50, 2) }], 1),
      },
    },
    digits_ignored: {
      parquet: { columns: { id: 'bigint' }, drift: 'ignore' },
      files: {
        'a.parquet': smallParquet(
          [
            longs('id', [7n], undefined),
            { name: 'd', physical: 7, plain: Buffer.alloc(24, 1), element: decimal(50, 2) },
          ],
          1,
        ),
      },
    },
    days: {
      parquet: { columns: { d: 'date' } },
      files: {
        'a.parquet': smallParquet(
          [
            {
              name: 'd',
              physical: 1,
              plain: Buffer.from(
                Int32Array.of(0, 2_932_896, -719_162, 2_932_897, -719_163, 2_147_483_647, -2_147_483_647).buffer,
              ),
              element: struct({ 6: i32(6) }),
            },
          ],
          7,
        ),
      },
    },
    wide: {
      parquet: { columns: { a: 'bigint', b: 'int', c: 'decimal(3,1)', d: 'float', e: 'double' } },
      files: {
        'a.parquet': await make(`SELECT * FROM (VALUES
          (1::UBIGINT, 1::UINTEGER, 1.5::DOUBLE, 0.5::DOUBLE, 1::BIGINT),
          (18446744073709551615, 4294967295, 1.25, 0.1, 9007199254740993),
          (9223372036854775808, 2147483648, 100, 1e300, 9223372036854775807),
          (3, 3, 'nan'::DOUBLE, 'nan'::DOUBLE, 3)) t(a, b, c, d, e)`),
      },
    },
    texts: {
      parquet: { columns: { s: 'string', u: 'string', v: 'string', m: 'list<struct<key: string, value: int>>' } },
      files: {
        'a.parquet': await make(
          `SELECT * FROM (VALUES
          (encode('é'), uuid_pad, INTERVAL 1 MONTH, MAP {'k': 1}),
          ('\\xFF\\xFE'::BLOB, uuid_pad, INTERVAL 2 DAYS, MAP {'k': 99999999999})) t(s, u, v, m)`.replaceAll(
            'uuid_pad',
            "'00000000-0000-0000-0000-00000000000a'::UUID",
          ),
        ),
      },
    },
    deep: {
      parquet: {
        columns: {
          id: 'int',
          s: 'struct<n: int, at: timestamp, more: string, in: struct<ok: boolean>>',
          l: 'list<struct<d: decimal(4,2)>>',
          ll: 'list<list<int>>',
        },
        drift: 'ignore',
      },
      files: {
        'a.parquet': await make(`SELECT * FROM (VALUES
          (1, {'in': {'ok': true, 'x': 1}, 'at': TIMESTAMP_NS '2020-01-01 00:00:00.000001', 'n': 1::BIGINT, 'extra': 1}, [{'d': 1.5::DOUBLE}, NULL], [[1::BIGINT], NULL]),
          (2, {'in': NULL, 'at': NULL, 'n': 5000000000, 'extra': 1}, [], []),
          (3, {'in': NULL, 'at': TIMESTAMP_NS '2020-01-01 00:00:00.000001001', 'n': 1, 'extra': 1}, NULL, NULL),
          (4, NULL, [{'d': 1.5}, {'d': 1.555}], NULL),
          (5, NULL, NULL, [[1], [2, 5000000000]])) t(id, s, l, ll)`),
      },
    },
    deep_fail: {
      parquet: { columns: { id: 'int', s: 'list<struct<a: int>>' } },
      files: {
        'more.parquet': await make(`SELECT 1 AS id, [{'a': 1, 'b': 2}] AS s`),
        'good.parquet': await make(`SELECT 2 AS id, [{'a': 1}] AS s`),
      },
    },
    far: {
      parquet: { columns: { ms: 'timestamp', us: 'timestamptz' } },
      files: {
        'a.parquet': smallParquet(
          [longs('ms', [0n, 86_400_000n], instant(MILLIS, false)), longs('us', [0n, -1n], instant(MICROS, true))],
          2,
        ),
        'over.parquet': smallParquet(
          [
            longs('ms', [0n, 253_402_300_800_000n], instant(MILLIS, false)),
            longs('us', [-62_135_596_800_000_001n, 0n], instant(MICROS, true)),
          ],
          2,
        ),
      },
    },
    narrow: {
      parquet: { columns: { d: 'decimal(3,1)' } },
      files: {
        'a.parquet': smallParquet(
          [
            {
              name: 'd',
              physical: 1,
              plain: Buffer.from(Int32Array.of(999, -999, 1000).buffer),
              element: decimal(3, 1),
            },
          ],
          3,
        ),
      },
    },
  });
  await maker.close();
});

const values = (name: string, column: string): readonly unknown[] =>
  outcomes[name]?.rows.map((row) => row[column]) ?? [];
const details = (name: string): readonly string[] =>
  outcomes[name]?.quarantine.map((row) => row.details.join('; ')) ?? [];

test('nanoseconds that a timestamp cannot hold are no value, with a zone or without, before 1970 too', () => {
  assert.deepEqual(values('nanos', 'at'), [
    '1969-12-31 23:59:59.999999+00',
    '1970-01-01 00:00:00+00',
    '1970-01-01 00:00:00.000001+00',
  ]);
  const got = details('nanos').map((detail) => /got '([^']*)'/.exec(detail)?.[1]);
  assert.deepEqual(got, [
    '1970-01-01 00:00:00.000000001+00',
    '1969-12-31 23:59:59.999999999+00',
    '1970-01-01 00:00:00.000000999+00',
    '2023-11-14 22:13:20.000000800+00',
    '1677-09-21 00:12:43.145224192+00',
    '2262-04-11 23:47:16.854775807+00',
  ]);
  assert.equal(values('local_nanos', 'at').length, 3);
});

test('INT96 keeps every digit, and is in range or no value', () => {
  assert.deepEqual(values('int96', 'at'), [
    '1969-12-31 23:59:59.999999',
    '1970-01-01 00:00:00',
    '3000-01-01 00:00:00.000001',
  ]);
  assert.equal(outcomes['int96']?.quarantine.length, 4);
  for (const row of outcomes['int96']?.quarantine ?? []) assert.deepEqual(row.codes, ['TIMESTAMP_ERROR']);
});

test('a time of day in nanoseconds is text with all digits', () => {
  assert.deepEqual(values('times', 't'), ['00:00:00', '00:00:00.000000001', '01:00:00', '23:59:59.999999999']);
});

test('numbers of 16 bits keep what is no number', () => {
  const got = values('halves', 'h').map(String).sort();
  assert.deepEqual(got, ['-1.5', '-Infinity', '0', '1', '5.960464477539063e-8', '65504', 'Infinity', 'NaN'].sort());
});

test('decimals of more digits than 38 reject the file, unless nobody asks for them', () => {
  assert.match(outcomes['digits']?.rejected['a.parquet'] ?? '', /^SCHEMA_ERROR: column "d" has decimals of 50 digits/);
  assert.deepEqual(values('digits_ignored', 'id'), [7]);
});

test('days are of the years 1 to 9999, as those of text', () => {
  assert.deepEqual(values('days', 'd'), ['0001-01-01', '1970-01-01', '9999-12-31']);
  assert.equal(outcomes['days']?.quarantine.length, 4);
});

test('numbers that another type does not hold are no value', () => {
  assert.deepEqual(values('wide', 'a'), [1]);
  assert.deepEqual(
    outcomes['wide']?.quarantine.map((row) => row.codes.length),
    [5, 5, 1],
  );
});

test('bytes are text where they are UTF-8; other types have a text', () => {
  assert.deepEqual(outcomes['texts']?.rows, [
    { s: 'é', u: '00000000-0000-0000-0000-00000000000a', v: '1 month', m: [{ key: 'k', value: 1 }] },
  ]);
  assert.deepEqual(details('texts'), [
    "s: got '\\xFF\\xFE'; expected a string or nothing; m[1].value: got '99999999999'; expected int",
  ]);
});

test('the same holds inside structs and lists, whose fields are found by name and are null where they lack', () => {
  assert.deepEqual(outcomes['deep']?.rows, [
    {
      id: 1,
      s: { n: 1, at: '2020-01-01 00:00:00.000001', more: null, in: { ok: true } },
      l: [{ d: '1.50' }, null],
      ll: [[1], null],
    },
  ]);
  assert.deepEqual(details('deep'), [
    "s.n: got '5000000000'; expected int",
    "s.at: got '2020-01-01 00:00:00.000001001'; expected timestamp",
    "l[2].d: got '1.555'; expected decimal(4,2)",
    "ll[2][2]: got '5000000000'; expected int",
  ]);
});

test("with drift 'fail', a field that the contract does not name rejects the file", () => {
  const { rejected = {}, rows } = outcomes['deep_fail'] ?? {};
  assert.deepEqual(Object.keys(rejected), ['more.parquet']);
  assert.match(
    rejected['more.parquet'] ?? '',
    /^SCHEMA_ERROR: field s\[\]\.b is not in the contract and drift is 'fail'/,
  );
  assert.deepEqual(rows, [{ id: 2, s: [{ a: 1 }] }]);
});

test('a decimal has no more digits than it says', () => {
  assert.deepEqual(values('narrow', 'd'), ['-99.9', '99.9']);
  assert.deepEqual(details('narrow'), ["d: got '100.0'; expected a decimal(3,1) or nothing"]);
});

test('usual units are read as ever, within the years 1 to 9999', () => {
  assert.deepEqual(
    outcomes['far']?.quarantine.map((row) => row.codes.join()),
    ['TIMESTAMP_ERROR', 'TIMESTAMP_ERROR'],
  );
  assert.deepEqual(values('far', 'ms'), ['1970-01-01 00:00:00', '1970-01-02 00:00:00']);
  assert.deepEqual(values('far', 'us'), ['1970-01-01 00:00:00+00', '1969-12-31 23:59:59.999999+00']);
});
