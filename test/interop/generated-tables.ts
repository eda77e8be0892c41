import fc from 'fast-check';
import type { PartitionField, Transform } from '../../lib/core/spec.ts';
import type { Column, ColumnType } from '../../lib/core/types.ts';
import { quoteName } from '../../lib/sql/quote.ts';
import { duckType } from '../../lib/sql/types.ts';

/** Tables of any shape with rows of any value, as SQL literals; one batch is one commit. */
export type GeneratedTable = {
  readonly columns: readonly Column[];
  readonly partitionBy: readonly PartitionField[];
  readonly sortBy: readonly string[];
  /** A SELECT for each batch. Column `id` numbers the rows of all batches. */
  readonly batches: readonly string[];
};

const DATES = ['date', 'timestamp', 'timestamptz'] as const;
const HASHED = ['int', 'bigint', 'decimal', ...DATES, 'string', 'binary'] as const;

/** The types that each transform takes, as the user's guide to partitionBy has them. */
const TAKES: Readonly<Record<Transform['kind'], readonly ColumnType['kind'][]>> = {
  identity: ['boolean', 'int', 'bigint', 'decimal', ...DATES, 'string'],
  year: DATES,
  month: DATES,
  day: DATES,
  hour: ['timestamp', 'timestamptz'],
  bucket: HASHED,
  truncate: ['int', 'bigint', 'decimal', 'string', 'binary'],
};

export type Combination = { readonly transform: Transform['kind']; readonly type: ColumnType['kind'] };

/** Every transform with every type it takes. */
export const COMBINATIONS: readonly Combination[] = (
  Object.entries(TAKES) as [Transform['kind'], readonly ColumnType['kind'][]][]
).flatMap(([transform, types]) => types.map((type) => ({ transform, type })));

const WIDEST = 1000;

/** Tables partitioned by a column of the combination, and perhaps by another one. */
export function tablesOf(combination: Combination, names: fc.Arbitrary<string>): fc.Arbitrary<GeneratedTable> {
  return fc
    .record({
      types: fc.tuple(typeOf(combination), fc.array(anyType, { maxLength: 4 })),
      names: fc.uniqueArray(names, { minLength: 5, maxLength: 5, selector: (name) => name.toLowerCase() }),
      width: fc.integer({ min: 1, max: WIDEST }),
      second: fc.boolean(),
      sorted: fc.boolean(),
    })
    .chain(({ types: [first, others], names: chosen, width, second, sorted }) => {
      const columns = [first, ...others].map((type, at) => ({ name: chosen[at] ?? `c${at}`, type }));
      const partitionBy = [
        ...partitionOf(columns[0], combination.transform, width),
        ...(second
          ? partitionOf(
              columns.find((c, at) => at > 0 && TAKES.bucket.some((k) => k === c.type.kind)),
              'bucket',
              3,
            )
          : []),
      ];
      const truncated = combination.transform === 'truncate' ? first : undefined;
      return fc
        .array(fc.array(rowOf(columns, truncated), { maxLength: 12 }), { minLength: 1, maxLength: 3 })
        .map((rows) => ({
          columns: [ID, ...columns],
          partitionBy,
          sortBy: sorted ? ['id'] : [],
          batches: renderBatches([ID, ...columns], rows),
        }));
    });
}

const ID: Column = { name: 'id', type: { kind: 'bigint' } };

function partitionOf(column: Column | undefined, kind: Transform['kind'], width: number): readonly PartitionField[] {
  if (column === undefined) return [];
  const transform: Transform = kind === 'bucket' || kind === 'truncate' ? { kind, width } : { kind };
  return [{ column: column.name, transform }];
}

function decimals(least: number): fc.Arbitrary<ColumnType> {
  return fc
    .integer({ min: least, max: 38 })
    .chain((precision) =>
      fc.integer({ min: 0, max: precision }).map((scale): ColumnType => ({ kind: 'decimal', precision, scale })),
    );
}

function typeOf({ transform, type }: Combination): fc.Arbitrary<ColumnType> {
  // Truncation goes below its input by less than the width, which the type must have room for.
  if (type === 'decimal') return decimals(transform === 'truncate' ? 5 : 1);
  return fc.constant({ kind: type } as ColumnType);
}

const PRIMITIVES = 'boolean int bigint float double date timestamp timestamptz string binary'.split(' ');

const { type: anyType } = fc.letrec<{ type: ColumnType }>((tie) => ({
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

function rowOf(columns: readonly Column[], truncated: ColumnType | undefined): fc.Arbitrary<readonly string[]> {
  return fc.tuple(...columns.map(({ type }) => literalOf(type, type === truncated)));
}

/** A value as a SQL expression of exactly the type. */
function literalOf(type: ColumnType, truncated = false): fc.Arbitrary<string> {
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

function renderBatches(
  columns: readonly Column[],
  batches: readonly (readonly (readonly string[])[])[],
): readonly string[] {
  let id = 0;
  return batches.map((rows) => {
    const selects = rows.map((values) => {
      id += 1;
      return `(${[`CAST(${id} AS BIGINT)`, ...values].join(', ')})`;
    });
    const names = columns.map((column) => quoteName(column.name)).join(', ');
    if (selects.length > 0) return `SELECT * FROM (VALUES ${selects.join(',\n')}) AS v(${names})`;
    const empty = columns.map((column) => `CAST(NULL AS ${duckType(column.type)}) AS ${quoteName(column.name)}`);
    return `SELECT ${empty.join(', ')} WHERE false`;
  });
}

/** Names that need no quotes anywhere. */
export const plainNames = fc.stringMatching(/^[a-z][a-z0-9_]{0,7}$/).filter((name) => name !== 'id');

/** Names that need them, or care, in every format they pass through. */
export const awkwardNames = fc.oneof(
  plainNames,
  fc.constantFrom('order id', 'é', '1st', 'a=b', 'x-y', 'select', '日本', '%41', 'say "hi"', "it's", 'a/b'),
);
