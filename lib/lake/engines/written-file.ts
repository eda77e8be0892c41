import { decimalOf, leafFields } from '../../iceberg/schema.ts';
import type { DataFile, IcebergType } from '../../iceberg/types.ts';
import { compareValues, decodeValue } from '../../iceberg/values.ts';
import type { Footer, SchemaLeaf, SchemaNode } from '../../landing/parquet/footer.ts';
import { columnIds } from '../../landing/parquet/parts.ts';
import { intAt, structAt, type ThriftStruct } from '../../landing/parquet/thrift.ts';
import { rowGroupAsFile } from '../files/row-groups.ts';
import type { Target } from '../tables/target.ts';

/**
 * What of a file is not as its manifest and its table say, if anything: rows, field ids, types, counts of nulls, or bounds that do not
 * hold all of its values, by which readers would leave out rows that are there.
 */
export function wrongFile(file: DataFile, footer: Footer, { schema }: Pick<Target, 'schema'>): string | undefined {
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
  return wrongStatistics(file, footer, schema);
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

function wrongStatistics(file: DataFile, footer: Footer, schema: Target['schema']): string | undefined {
  const ids = columnIds(footer);
  if (ids === undefined) return undefined;
  const groups = footer.rowGroups.map((group) => rowGroupAsFile(file, footer, ids, group));
  for (const { id, path, type } of leafFields(schema)) {
    if (path.length > 1) continue;
    const name = path.join('.');
    const nulls = groups.map((group) => group.nullCounts.get(id));
    const sum = nulls.reduce((all, some) => (all === undefined || some === undefined ? undefined : all + some), 0n);
    const said = file.nullCounts.get(id);
    if (sum !== undefined && said !== undefined && sum !== said)
      return `its column ${name} has ${sum} nulls, the manifest says ${said}`;
    for (const group of groups) {
      const low = isBefore(type, group.lowerBounds.get(id), file.lowerBounds.get(id));
      const high = isBefore(type, file.upperBounds.get(id), group.upperBounds.get(id));
      if (low || high) return `its column ${name} has values beyond the bounds of the manifest`;
    }
  }
  return undefined;
}

function isBefore(type: string, a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined || decimalOf(type) !== undefined) return false;
  return compareValues(decodeValue(type, a), decodeValue(type, b)) < 0;
}
