import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Column, type ColumnType, parseColumnType } from '../../lib/core/types.ts';
import type { IcebergValue } from '../../lib/iceberg/types.ts';

/** Values with their types, for property tests. */

/** Truncation goes below its input, and there is no int or long below the least one. */
const longs = fc.bigInt(-(2n ** 63n) + 1000n, 2n ** 63n - 1n);
const ints = fc.integer({ min: -(2 ** 31) + 1000, max: 2 ** 31 - 1 });
/** Some 240,000 years around 1970: the hours of more are no int. */
const micros = fc.bigInt(-(2n ** 62n), 2n ** 62n);

/** A column of a type by its text. */
export function column(name: string, type: string): Column {
  const parsed = parseColumnType(type);
  assert.ok(parsed, type);
  return { name, type: parsed };
}

/** Values of a primitive Iceberg type. */
export function valuesOf(type: string): fc.Arbitrary<IcebergValue> {
  const [, precision] = /^decimal\((\d+)/.exec(type) ?? [];
  if (precision !== undefined) {
    const most = 10n ** BigInt(precision) - 1n;
    return fc.bigInt(-most, most);
  }
  switch (type) {
    case 'boolean':
      return fc.boolean();
    case 'int':
    case 'date':
      return ints;
    case 'float':
      return fc.float({ noNaN: true });
    case 'double':
      return fc.double();
    case 'string':
      return fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.constantFrom('a', 'b', '', 'null'));
    case 'binary':
      return fc.uint8Array({ maxLength: 30 });
    case 'timestamp':
    case 'timestamptz':
      return micros;
    default:
      return longs;
  }
}

export const primitiveTypes: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('boolean', 'int', 'long', 'float', 'double', 'date', 'timestamp', 'timestamptz', 'string', 'binary'),
  fc.integer({ min: 1, max: 38 }).chain((p) => fc.integer({ min: 0, max: p }).map((s) => `decimal(${p}, ${s})`)),
);

export function anyValue(): fc.Arbitrary<{ type: string; value: IcebergValue }> {
  return primitiveTypes.chain((type) => valuesOf(type).map((value) => ({ type, value })));
}

const { columnType } = fc.letrec<{ columnType: ColumnType; column: Column }>((tie) => ({
  columnType: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<ColumnType>(
      { kind: 'boolean' },
      { kind: 'int' },
      { kind: 'bigint' },
      { kind: 'float' },
      { kind: 'double' },
      { kind: 'date' },
      { kind: 'timestamp' },
      { kind: 'timestamptz' },
      { kind: 'string' },
      { kind: 'binary' },
      { kind: 'decimal', precision: 38, scale: 10 },
      { kind: 'decimal', precision: 5, scale: 0 },
    ),
    tie('columnType').map((element): ColumnType => ({ kind: 'list', element })),
    fc
      .uniqueArray(tie('column'), { minLength: 1, maxLength: 4, selector: (one) => one.name.toLowerCase() })
      .map((fields): ColumnType => ({ kind: 'struct', fields })),
  ),
  column: fc.record(
    {
      name: fc.oneof(
        fc.constantFrom('a', 'B', 'order id', 'é', 'x.y', '1st', '"q"'),
        fc.string({ minLength: 1, maxLength: 6 }),
      ),
      type: tie('columnType'),
    },
    { noNullPrototype: true },
  ),
}));

export const columns: fc.Arbitrary<readonly Column[]> = fc.uniqueArray(
  fc.record({ name: fc.string({ minLength: 1, maxLength: 8 }), type: columnType }, { noNullPrototype: true }),
  { minLength: 1, maxLength: 6, selector: (one) => one.name.toLowerCase() },
);
