import fc from 'fast-check';
import type { PartitionField, Transform } from '../../lib/core/spec.ts';
import type { Column, ColumnType } from '../../lib/core/types.ts';
import { quoteName } from '../../lib/sql/quote.ts';
import { duckType } from '../../lib/sql/types.ts';
import { anyType, decimals, literalOf, WIDEST } from './generated-values.ts';

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

function typeOf({ transform, type }: Combination): fc.Arbitrary<ColumnType> {
  // Truncation goes below its input by less than the width, which the type must have room for.
  if (type === 'decimal') return decimals(transform === 'truncate' ? 5 : 1);
  return fc.constant({ kind: type } as ColumnType);
}

function rowOf(columns: readonly Column[], truncated: ColumnType | undefined): fc.Arbitrary<readonly string[]> {
  return fc.tuple(...columns.map(({ type }) => literalOf(type, type === truncated)));
}

const ID: Column = { name: 'id', type: { kind: 'bigint' } };

function partitionOf(column: Column | undefined, kind: Transform['kind'], width: number): readonly PartitionField[] {
  if (column === undefined) return [];
  const transform: Transform = kind === 'bucket' || kind === 'truncate' ? { kind, width } : { kind };
  return [{ column: column.name, transform }];
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
