import fc from 'fast-check';
import type { ColumnType } from '../../lib/core/types.ts';
import { quoteName } from '../../lib/sql/quote.ts';
import { duckType } from '../../lib/sql/types.ts';

/** The widest truncation; it goes below its input by less than this. */
export const WIDEST = 1000;

/** Decimals of `least` to 38 digits and any scale. */
export function decimals(least: number): fc.Arbitrary<ColumnType> {
  return fc
    .integer({ min: least, max: 38 })
    .chain((precision) =>
      fc.integer({ min: 0, max: precision }).map((scale): ColumnType => ({ kind: 'decimal', precision, scale })),
    );
}

const PRIMITIVES = 'boolean int bigint float double date timestamp timestamptz string binary'.split(' ');

/** Any type a column can have. */
export const { type: anyType } = fc.letrec<{ type: ColumnType }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...PRIMITIVES).map((kind) => ({ kind }) as ColumnType),
    decimals(1),
    tie('type').map((element): ColumnType => ({ kind: 'list', element })),
    fc
      .array(tie('type'), { minLength: 1, maxLength: 3 })
      .map((types): ColumnType => ({ kind: 'struct', fields: types.map((type, at) => ({ name: `f${at}`, type })) })),
  ),
}));

/**
 * A value as a SQL expression of exactly the type, now and then NULL. `truncated`: a number has room for WIDEST below it.
 */
export function literalOf(type: ColumnType, truncated = false): fc.Arbitrary<string> {
  const cast = (text: fc.Arbitrary<string>) => text.map((value) => `CAST(${value} AS ${duckType(type)})`);
  return fc.oneof(
    { weight: 1, arbitrary: cast(fc.constant('NULL')) },
    { weight: 5, arbitrary: cast(textOf(type, truncated)) },
  );
}

const literal = (value: unknown) => `'${value}'`;
const floating = (value: number) => literal(Object.is(value, -0) ? '-0.0' : value);
const MICROS_PER_DAY = 86_400_000_000n;
/** The first days of the years 1 and 10000: Python and SQL engines know no others. */
const [FIRST_DAY, LAST_DAY] = [-719_162, 2_932_897];

function textOf(type: ColumnType, truncated: boolean): fc.Arbitrary<string> {
  switch (type.kind) {
    case 'boolean':
      return fc.boolean().map(literal);
    case 'int':
      return fc
        .oneof(fc.integer({ min: -20, max: 20 }), fc.integer({ min: truncated ? -(2 ** 31) + WIDEST : -(2 ** 31) }))
        .map(literal);
    case 'bigint': {
      const min = truncated ? -(2n ** 63n) + BigInt(WIDEST) : -(2n ** 63n);
      return fc.oneof(fc.bigInt(-20n, 20n), fc.bigInt({ min, max: 2n ** 63n - 1n })).map(literal);
    }
    case 'float':
      return fc.float().map(floating);
    case 'double':
      return fc.double().map(floating);
    case 'decimal': {
      const most = 10n ** BigInt(truncated ? type.precision - 1 : type.precision) - 1n;
      return fc.bigInt(-most, most).map((unscaled) => literal(decimalText(unscaled, type.scale)));
    }
    case 'date':
      return fc.integer({ min: FIRST_DAY, max: LAST_DAY - 1 }).map((days) => `DATE '1970-01-01' + ${days}`);
    case 'timestamp':
    case 'timestamptz':
      return fc
        .bigInt(BigInt(FIRST_DAY) * MICROS_PER_DAY, BigInt(LAST_DAY) * MICROS_PER_DAY - 1n)
        .map((micros) => (type.kind === 'timestamp' ? `make_timestamp(${micros})` : `make_timestamptz(${micros})`));
    case 'string':
      return fc
        .oneof(
          fc.constantFrom('', 'a', 'A', 'null', '__HIVE_DEFAULT_PARTITION__'),
          fc.string({ unit: 'binary', maxLength: 40 }),
        )
        .map((text) => `decode(unhex('${Buffer.from(text).toString('hex')}'))`);
    case 'binary':
      return fc.uint8Array({ maxLength: 40 }).map((bytes) => `unhex('${Buffer.from(bytes).toString('hex')}')`);
    case 'list':
      return fc.array(literalOf(type.element), { maxLength: 3 }).map((values) => `list_value(${values.join(', ')})`);
    case 'struct':
      return fc
        .tuple(...type.fields.map((field) => literalOf(field.type)))
        .map(
          (values) => `struct_pack(${type.fields.map((f, at) => `${quoteName(f.name)} := ${values[at]}`).join(', ')})`,
        );
  }
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}
