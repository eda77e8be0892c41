import { resolveSpec } from '../../iceberg/partition.ts';
import { decimalOf, leafFields } from '../../iceberg/schema.ts';
import { applyTransform } from '../../iceberg/transforms.ts';
import type { DataFile, IcebergType, IcebergValue } from '../../iceberg/types.ts';
import { compareValues, decodeUnscaled, decodeValue } from '../../iceberg/values.ts';
import type { ColumnChunk, Footer, SchemaLeaf, SchemaNode } from '../../landing/parquet/footer.ts';
import { chunkStatistics } from '../../landing/parquet/parts.ts';
import { intAt, structAt, type ThriftStruct } from '../../landing/parquet/thrift.ts';
import type { Target } from '../tables/target.ts';

type Partitioned = Pick<Target, 'schema' | 'spec'>;

/**
 * What of a file is not as its manifest and its table say, if anything: rows, field ids, types, counts of nulls, bounds that do not
 * hold all of its values, or a partition that they are not of, by which readers would leave out rows that are there.
 */
export function wrongFile(file: DataFile, footer: Footer, { schema, spec }: Partitioned): string | undefined {
  if (BigInt(footer.rows) !== file.rows) return `it has ${footer.rows} rows, the manifest says ${file.rows}`;
  const expected = new Map(leafFields(schema).map((leaf) => [leaf.id, leaf]));
  for (const leaf of footer.leaves) {
    const name = leaf.path.join('.');
    const field = expected.get(idOf(leaf.node) ?? -1);
    if (field === undefined) return `its column ${name} has no field id of the model's table`;
    const got = storedType(leaf);
    if (!mayStore(field.type, got)) return `its column ${name} is written as ${got}; expected ${field.type}`;
    expected.delete(field.id);
  }
  const [missing] = expected.values();
  if (missing !== undefined) return `it lacks the column ${missing.path.join('.')}, or its field id`;
  return wrongStatistics(file, footer, schema) ?? wrongPartition(file, footer, { schema, spec });
}

/**
 * The leaves, by field id, that a file has under the names of its table. Other engines spell names otherwise where a name of Avro
 * allows fewer characters.
 */
export function leavesByName({ leaves }: Pick<Footer, 'leaves'>, schema: Target['schema']): ReadonlySet<number> {
  const found = new Map(leaves.map(({ node, path }) => [idOf(node), JSON.stringify(path)]));
  const expected = schema.fields.flatMap((field) => pathsOf(field.id, field.type, [field.name]));
  return new Set(expected.flatMap(([id, path]) => (found.get(id) === JSON.stringify(path) ? [id] : [])));
}

type LeafPath = readonly [id: number, path: readonly string[]];

function pathsOf(id: number, type: IcebergType, path: readonly string[]): readonly LeafPath[] {
  if (typeof type === 'string') return [[id, path]];
  if (type.type === 'list') return pathsOf(type['element-id'], type.element, [...path, 'list', 'element']);
  return type.fields.flatMap((field) => pathsOf(field.id, field.type, [...path, field.name]));
}

function idOf(node: SchemaNode): number | undefined {
  const id = intAt(node.element, 9);
  return id === undefined ? undefined : Number(id);
}

const PHYSICAL = ['boolean', 'int', 'long', 'int96', 'float', 'double', 'bytes', 'fixed'] as const;
/** Of `ConvertedType` and of the union `LogicalType`. Source: the same file as the footer's. */
const CONVERTED = { decimal: 5n, date: 6n, micros: 10n };
const LOGICAL = { decimal: 5, date: 6, timestamp: 8 };

/** How a column is stored: `long`, `decimal(9, 2)`, `timestamptz`. */
function storedType({ node: { element } }: SchemaLeaf): string {
  const physical = PHYSICAL[Number(intAt(element, 1) ?? -1)] ?? 'nothing';
  const converted = intAt(element, 6);
  const logical = structAt(element, 10) ?? new Map();
  if (converted === CONVERTED.decimal || logical.has(LOGICAL.decimal))
    return `decimal(${intAt(element, 8) ?? 0}, ${intAt(element, 7) ?? 0})`;
  if (converted === CONVERTED.date || logical.has(LOGICAL.date)) return 'date';
  const time = structAt(logical, LOGICAL.timestamp);
  if (time !== undefined) return timestampType(time);
  if (converted === CONVERTED.micros) return 'timestamptz';
  return physical;
}

function timestampType(time: ThriftStruct): string {
  const unit = structAt(time, 2) ?? new Map();
  if (!unit.has(2)) return unit.has(1) ? 'timestamp of milliseconds' : 'timestamp of nanoseconds';
  return time.get(1)?.value === true ? 'timestamptz' : 'timestamp';
}

function mayStore(type: string, stored: string): boolean {
  const decimal = decimalOf(type);
  if (decimal !== undefined) return stored === `decimal(${decimal.precision}, ${decimal.scale})`;
  if (type === 'string' || type === 'binary') return stored === 'bytes';
  return stored === type;
}

/** Of each leaf, by field id: its values with nulls, and these where each row group has counted them. */
export function countsIn({ leaves, rowGroups }: Footer): ReadonlyMap<number, Counts> {
  return new Map(
    leaves.flatMap((leaf, at) => {
      const id = idOf(leaf.node);
      const chunks = rowGroups.flatMap(({ chunks }) => chunks[at] ?? []);
      const nulls = chunks.map((chunk) => chunkStatistics(chunk, leaf).nulls);
      const sum = nulls.reduce((all, some) => (all === undefined || some === undefined ? undefined : all + some), 0n);
      const values = chunks.reduce((all, chunk) => all + chunk.values, 0);
      return id === undefined ? [] : [[id, { values, nulls: sum }] as const];
    }),
  );
}

type Counts = { readonly values: number; readonly nulls: bigint | undefined };

function wrongStatistics(file: DataFile, footer: Footer, schema: Target['schema']): string | undefined {
  const counts = countsIn(footer);
  const bounds = boundsIn(footer, schema);
  for (const { id, path, type } of leafFields(schema)) {
    if (path.length > 1) continue;
    const name = path.join('.');
    const nulls = counts.get(id)?.nulls;
    const said = file.nullCounts.get(id);
    if (nulls !== undefined && said !== undefined && nulls !== said)
      return `its column ${name} has ${nulls} nulls, the manifest says ${said}`;
    const [lower, upper] = [file.lowerBounds.get(id), file.upperBounds.get(id)];
    for (const { min, max } of bounds.get(id) ?? []) {
      const low = min !== undefined && lower !== undefined && compareValues(min, decodeValue(type, lower)) < 0;
      const high = max !== undefined && upper !== undefined && compareValues(decodeValue(type, upper), max) < 0;
      if (low || high) return `its column ${name} has values beyond the bounds of the manifest`;
    }
  }
  return undefined;
}

/** The least and the greatest value of a column in a row group, as far as its footer says it. */
type Bounds = { readonly min: IcebergValue | undefined; readonly max: IcebergValue | undefined };

function boundsIn({ leaves, rowGroups }: Footer, schema: Target['schema']): ReadonlyMap<number, readonly Bounds[]> {
  const types = new Map(leafFields(schema).map(({ id, type }) => [id, type]));
  return new Map(
    leaves.flatMap((leaf, at) => {
      const id = idOf(leaf.node);
      const type = id === undefined ? undefined : types.get(id);
      if (id === undefined || type === undefined || leaf.path.length > 1) return [];
      const bounds = rowGroups.map(({ chunks }) => chunkBounds(chunks[at], leaf, type));
      return [[id, bounds] as const];
    }),
  );
}

function chunkBounds(chunk: ColumnChunk | undefined, leaf: SchemaLeaf, type: string): Bounds {
  if (chunk === undefined) return { min: undefined, max: undefined };
  if (decimalOf(type) !== undefined) return decimalBounds(chunk);
  const { min, max } = chunkStatistics(chunk, leaf);
  return { min: min && numberOf(decodeValue(type, min)), max: max && numberOf(decodeValue(type, max)) };
}

/** A bound that is NaN says nothing. Source: github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift (ColumnOrder) */
function numberOf(bound: IcebergValue): IcebergValue | undefined {
  return Number.isNaN(bound) ? undefined : bound;
}

/** Decimals are little-endian where they are stored as numbers, and big-endian else. */
function decimalBounds({ meta }: ColumnChunk): Bounds {
  const statistics = structAt(meta, 12) ?? new Map();
  const turned = ['int', 'long'].includes(PHYSICAL[Number(intAt(meta, 1) ?? -1)] ?? '');
  const bound = (field: number): bigint | undefined => {
    const value = statistics.get(field)?.value;
    return Buffer.isBuffer(value) ? decodeUnscaled(turned ? Buffer.from(value).reverse() : value) : undefined;
  };
  return { min: bound(6), max: bound(5) };
}

/** Whether a file has rows of other partitions than its manifest says, which readers of these would not find. */
function wrongPartition(file: DataFile, footer: Footer, { schema, spec }: Partitioned): string | undefined {
  const bounds = boundsIn(footer, schema);
  const counts = countsIn(footer);
  for (const [at, { name, sourceId, source, transform }] of resolveSpec(spec, schema).entries()) {
    const value = file.partition[at] ?? null;
    const ends = (bounds.get(sourceId) ?? []).flatMap(({ min, max }) => [min, max].filter((end) => end !== undefined));
    const nulls = counts.get(sourceId)?.nulls ?? 0n;
    // Between two values of one bucket lie values of others.
    const steady = !('width' in transform);
    const isOther = (end: IcebergValue): boolean =>
      value === null || (steady && compareValues(applyTransform(transform, source, end), value) !== 0);
    if ((value !== null && nulls > 0n) || ends.some(isOther))
      return `it has rows of other partitions than its manifest says, by ${name}`;
  }
  return undefined;
}
