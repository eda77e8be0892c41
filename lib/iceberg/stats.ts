import { encodeLowerBound, encodeUpperBound } from './bounds.ts';
import { type LeafField, leafFields } from './schema.ts';
import { parseStatText } from './text.ts';
import type { DataFile, IcebergValue, PartitionSpec, StructType } from './types.ts';

/** One column of a Parquet file as COPY ... RETURN_STATS reports it; bounds are text as DuckDB prints them. */
export type StatedColumn = {
  readonly path: readonly string[];
  readonly bytes: number;
  readonly values: number;
  readonly nulls: number;
  readonly min: string | null;
  readonly max: string | null;
};

export type StatedFile = { readonly rows: number; readonly bytes: number; readonly columns: readonly StatedColumn[] };

/** The value of `boundsProperty` that asks for bounds as they are. */
export const WHOLE = 'full';

/** The table property by which writers know how much of a column's bounds to keep; as Iceberg has it, 16 characters without one. */
export function boundsProperty(column: string): string {
  return `write.metadata.metrics.column.${column}`;
}

/**
 * The manifest's view of a data file. Columns inside lists get sizes and value counts only: a bound of elements bounds
 * no row, and DuckDB counts a null struct in a list twice. NaN counts are left out: DuckDB's `has_nan` speaks of a
 * file's last row group alone, so "no NaN" is never known.
 * Its bounds leave NaN out, as Iceberg's do, and are absent where a row group has none.
 * Source: https://iceberg.apache.org/spec/#manifests (data_file), duckdb.org/docs COPY, RETURN_STATS.
 */
export function dataFileOf(input: {
  readonly written: StatedFile;
  readonly schema: StructType;
  readonly spec: PartitionSpec;
  /** Absolute location of the file. */
  readonly location: string;
  /** In the order of the spec's fields. */
  readonly partition: readonly IcebergValue[];
  readonly sortOrderId?: number;
  /** Of the table, which may ask for the whole bounds of a column. */
  readonly properties?: Readonly<Record<string, string>>;
}): DataFile {
  const { written, schema, spec, location, partition, properties = {} } = input;
  const whole = new Set(
    schema.fields.filter(({ name }) => properties[boundsProperty(name)] === WHOLE).map(({ id }) => id),
  );
  const columns = joinLeaves(written.columns, schema);
  return {
    path: location,
    specId: spec['spec-id'],
    partition,
    rows: BigInt(written.rows),
    bytes: BigInt(written.bytes),
    columnSizes: countsOf(columns, (column) => column.bytes),
    valueCounts: countsOf(columns, (column) => column.values),
    nullCounts: countsOf(
      columns.filter(({ leaf }) => !leaf.insideList),
      (column) => column.nulls,
    ),
    nanCounts: new Map(),
    lowerBounds: boundsOf(columns, whole, (column) => column.min, encodeLowerBound),
    upperBounds: boundsOf(columns, whole, (column) => column.max, encodeUpperBound),
    sortOrderId: input.sortOrderId ?? null,
  };
}

type JoinedColumn = { readonly leaf: LeafField; readonly column: StatedColumn };

/** Columns that the schema lacks have no field id, hence no place in a manifest. */
function joinLeaves(columns: readonly StatedColumn[], schema: StructType): readonly JoinedColumn[] {
  const leaves = new Map(leafFields(schema).map((leaf) => [JSON.stringify(leaf.path), leaf]));
  return columns
    .flatMap((column) => {
      const leaf = leaves.get(JSON.stringify(column.path));
      return leaf === undefined ? [] : [{ leaf, column }];
    })
    .sort((a, b) => a.leaf.id - b.leaf.id);
}

function countsOf(columns: readonly JoinedColumn[], of: (column: StatedColumn) => number): ReadonlyMap<number, bigint> {
  return new Map(columns.map(({ leaf, column }) => [leaf.id, BigInt(of(column))]));
}

function boundsOf(
  columns: readonly JoinedColumn[],
  whole: ReadonlySet<number>,
  textOf: (column: StatedColumn) => string | null,
  encode: (type: string, value: IcebergValue, kept?: number) => Uint8Array | undefined,
): ReadonlyMap<number, Uint8Array> {
  const bounds = new Map<number, Uint8Array>();
  for (const { leaf, column } of columns) {
    const text = textOf(column);
    if (text === null || leaf.insideList) continue;
    const value = parseStatText(leaf.type, text);
    const kept = whole.has(leaf.id) ? Number.POSITIVE_INFINITY : undefined;
    const bound = value === undefined ? undefined : encode(leaf.type, value, kept);
    if (bound !== undefined) bounds.set(leaf.id, bound);
  }
  return bounds;
}
