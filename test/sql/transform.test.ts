import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Transform } from '../../lib/core/spec.ts';
import { type ColumnType, parseColumnType } from '../../lib/core/types.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { parsePartitionText } from '../../lib/iceberg/text.ts';
import { acceptsType, applyTransform } from '../../lib/iceberg/transforms.ts';
import type { IcebergValue } from '../../lib/iceberg/types.ts';
import type { Session } from '../../lib/ports.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { createHashMacros, renderTransform } from '../../lib/sql/transform.ts';
import { duckType } from '../../lib/sql/types.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

/** Iceberg type -> the contract's name for it. */
const TYPES: readonly (readonly [iceberg: string, column: string])[] = [
  ['boolean', 'boolean'],
  ['int', 'int'],
  ['long', 'bigint'],
  ['float', 'float'],
  ['double', 'double'],
  ['date', 'date'],
  ['timestamp', 'timestamp'],
  ['timestamptz', 'timestamptz'],
  ['string', 'string'],
  ['binary', 'binary'],
  ['decimal(9, 2)', 'decimal(9,2)'],
  ['decimal(4, 0)', 'decimal(4,0)'],
  ['decimal(18, 18)', 'decimal(18,18)'],
  ['decimal(38, 0)', 'decimal(38,0)'],
  ['decimal(38, 10)', 'decimal(38,10)'],
  ['decimal(38, 38)', 'decimal(38,38)'],
];

const TRANSFORMS: readonly Transform[] = [
  { kind: 'identity' },
  { kind: 'year' },
  { kind: 'month' },
  { kind: 'day' },
  { kind: 'hour' },
  { kind: 'bucket', width: 1 },
  { kind: 'bucket', width: 16 },
  { kind: 'bucket', width: 2_147_483_647 },
  { kind: 'truncate', width: 1 },
  { kind: 'truncate', width: 10 },
  { kind: 'truncate', width: 1_000_003 },
];

let session: Session;

before(async () => {
  session = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads: 1, scratch: tmpdir() });
  await session.run(createHashMacros());
});

after(() => session[Symbol.asyncDispose]());

function columnType(text: string): ColumnType {
  const type = parseColumnType(text);
  assert.ok(type, text);
  return type;
}

/** A value as a SQL expression of the type. */
function literal(iceberg: string, value: IcebergValue): string {
  if (value === null) return 'NULL';
  const decimal = /^decimal\(\d+, (\d+)\)$/.exec(iceberg);
  if (decimal) return quoteText(decimalText(BigInt(value as bigint), Number(decimal[1])));
  switch (iceberg) {
    case 'date':
      return `DATE '1970-01-01' + ${value as number}`;
    case 'timestamp':
      return `make_timestamp(${value as bigint}::BIGINT)`;
    case 'timestamptz':
      return `make_timestamptz(${value as bigint}::BIGINT)`;
    case 'binary':
      return `from_hex('${Buffer.from(value as Uint8Array).toString('hex')}')`;
    case 'string':
      return `decode(from_hex('${Buffer.from(value as string).toString('hex')}'))`;
    default:
      return quoteText(Object.is(value, -0) ? '-0' : String(value));
  }
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}`;
}

/** What SQL makes of the values, read back as a partition's value is. */
async function transformed(
  transform: Transform,
  [iceberg, column]: readonly [string, string],
  values: readonly IcebergValue[],
): Promise<readonly IcebergValue[]> {
  const type = columnType(column);
  const rows = values.map((value, i) => `(${i}, CAST(${literal(iceberg, value)} AS ${duckType(type)}))`);
  const expression = renderTransform({ column: 'the "value"', transform }, type);
  const text = `SELECT CAST(${expression} AS VARCHAR) AS found FROM (VALUES ${rows.join(', ')}) t(i, "the ""value""") ORDER BY i`;
  const found = await session.rows({ name: 'transform', text: userSql(text) });
  return found.map((row) =>
    parsePartitionText(transform, iceberg, row['found'] === null ? null : String(row['found'])),
  );
}

const EDGES: Readonly<Record<string, readonly IcebergValue[]>> = {
  int: [0, 1, -1, 34, -10, 2147483647, -2147483648 + 1_000_003],
  long: [0n, 34n, -1n, 2n ** 63n - 1n, -(2n ** 63n) + 1_000_003n],
  date: [0, -1, 17486, -719162, 2932896, -25567],
  timestamp: [0n, -1n, 1510871468000000n, 1510871468000001n, -3_600_000_001n, -3_600_000_000n],
  timestamptz: [0n, -1n, 1510871468000000n, 1510871468000001n, -3_600_000_001n],
  string: ['', 'iceberg', 'a', 'ab', 'abc', 'abcd', 'é', '😀é日本', ' ', '日本語のテキスト', "'", 'e\u0301x'],
  binary: [new Uint8Array(), Uint8Array.of(0, 1, 2, 3), Uint8Array.of(255, 0, 10, 92)],
  float: [0, 1.5, -1.5],
  double: [0, 1.5, -1e300, 0.1],
};

/** Values whose truncation to a multiple of a million still has room in the type. */
function valuesOf(iceberg: string): fc.Arbitrary<IcebergValue> {
  const precision = /^decimal\((\d+)/.exec(iceberg)?.[1];
  if (precision !== undefined) {
    const most = 10n ** BigInt(precision) - 1n;
    return fc.bigInt(-most, most);
  }
  switch (iceberg) {
    case 'boolean':
      return fc.boolean();
    case 'int':
      return fc.integer({ min: -2147483648 + 1_000_003 });
    case 'long':
      return fc.bigInt(-(2n ** 63n) + 1_000_003n, 2n ** 63n - 1n);
    case 'float':
      return fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    case 'double':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    case 'date':
      return fc.integer({ min: -700_000, max: 2_900_000 });
    case 'timestamp':
    case 'timestamptz':
      return fc.bigInt(-62_000_000_000_000_000n, 253_000_000_000_000_000n);
    case 'string':
      return fc.string({ unit: 'binary', maxLength: 30 });
    default:
      return fc.uint8Array({ maxLength: 30 });
  }
}

for (const pair of TYPES) {
  for (const transform of TRANSFORMS.filter((one) => acceptsType(one, pair[0]))) {
    const { kind } = transform;
    const name = 'width' in transform ? `${kind}[${transform.width}]` : kind;
    test(`${name} of ${pair[1]} in SQL is the format's`, async () => {
      const random = fc.sample(valuesOf(pair[0]), { numRuns: 60, seed: 20_260_101 });
      const values = fits(transform, pair[0], [null, ...(EDGES[pair[0]] ?? []), ...random]);
      const expected = values.map((value) => applyTransform(transform, pair[0], value));
      assert.deepEqual(await transformed(transform, pair, values), expected);
    });
  }
}

/** Truncation rounds down, which a decimal that is nearly the least of its type has no room for. */
function fits(transform: Transform, iceberg: string, values: readonly IcebergValue[]): readonly IcebergValue[] {
  const precision = /^decimal\((\d+)/.exec(iceberg)?.[1];
  if (precision === undefined || transform.kind !== 'truncate') return values;
  return values.filter((value) => {
    const cut = applyTransform(transform, iceberg, value);
    return cut === null || BigInt(cut as bigint) > -(10n ** BigInt(precision));
  });
}
