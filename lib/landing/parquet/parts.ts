import type { ByteRange } from '../../core/objects.ts';
import type { ColumnChunk, Footer, RowGroup, SchemaLeaf } from './footer.ts';
import { encodeStruct, intAt, structAt, type ThriftField, type ThriftStruct, TYPE } from './thrift.ts';

/** The field id of each leaf's top-level column; undefined where one has none. */
export function columnIds({ columns, leaves }: Footer): readonly number[] | undefined {
  const ids = new Map(columns.map(({ name, element }) => [name, intAt(element, 9)]));
  const found = leaves.map(({ path }) => ids.get(path[0] ?? ''));
  if (ids.size < columns.length || found.includes(undefined)) return undefined;
  return found.map(Number);
}

/** The bytes of a chunk's pages, its dictionary among them. */
export function chunkRange({ start, bytes }: ColumnChunk): ByteRange {
  return { start, end: start + bytes };
}

/** What a row group says of the values of a column; bounds in the plain encoding of its physical type. */
export type ChunkStatistics = {
  readonly values: number;
  readonly nulls: bigint | undefined;
  readonly min: Uint8Array | undefined;
  readonly max: Uint8Array | undefined;
};

const DECIMAL = 5;
/** INT96 and bytes of a fixed number, which stand for values of many kinds. */
const ODD_TYPES: ReadonlySet<bigint | undefined> = new Set([3n, 7n, undefined]);

/** Bounds are left out where they may be no values of the column: cut ones, and those of decimals. */
export function chunkStatistics({ meta, values }: ColumnChunk, { node: { element } }: SchemaLeaf): ChunkStatistics {
  const statistics = structAt(meta, 12) ?? new Map();
  const decimal = intAt(element, 6) === BigInt(DECIMAL) || structAt(structAt(element, 10) ?? new Map(), DECIMAL);
  const odd = Boolean(decimal) || ODD_TYPES.has(intAt(meta, 1));
  const bound = (id: number, exact: number): Uint8Array | undefined => {
    const value = statistics.get(id)?.value;
    return Buffer.isBuffer(value) && !odd && statistics.get(exact)?.value !== false ? value : undefined;
  };
  return { values, nulls: intAt(statistics, 3), min: bound(6, 8), max: bound(5, 7) };
}

/**
 * The end of a file that has only these row groups, and none of the indexes that may lie between pages: what is not
 * there is not looked for. Offsets stay.
 */
export function renderEnd(footer: Footer, groups: readonly RowGroup[]): Buffer {
  const kept = new Set(groups.map((group) => footer.rowGroups.indexOf(group)));
  const rows = groups.reduce((sum, group) => sum + group.rows, 0);
  const thrift = new Map(footer.thrift);
  thrift.set(3, { type: TYPE.i64, value: BigInt(rows) });
  const listed = filterStructs(footer.thrift.get(4), (_, at) => kept.has(at));
  if (listed !== undefined) thrift.set(4, mapField(listed, withoutIndexes));
  const bytes = encodeStruct(thrift);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([bytes, length, Buffer.from('PAR1')]);
}

/** Page indexes and Bloom filters of a row group. */
function withoutIndexes(group: ThriftStruct): ThriftStruct {
  const chunks = group.get(1);
  if (chunks === undefined) return group;
  return new Map(group).set(
    1,
    mapField(chunks, (chunk) => {
      const plain = new Map([...chunk].filter(([id]) => id < 4 || id > 7));
      const meta = structAt(chunk, 3) ?? new Map();
      const kept = new Map([...meta].filter(([id]) => id !== 14 && id !== 15));
      return plain.set(3, { type: TYPE.struct, value: kept });
    }),
  );
}

function filterStructs(
  field: ThriftField | undefined,
  keep: (struct: ThriftStruct, at: number) => boolean,
): ThriftField | undefined {
  const list = field?.value;
  if (field === undefined || typeof list !== 'object' || !('items' in list)) return undefined;
  const items = list.items.filter((item, at) => item instanceof Map && keep(item, at));
  return { ...field, value: { ...list, items } };
}

function mapField(field: ThriftField, change: (struct: ThriftStruct) => ThriftStruct): ThriftField {
  const list = field.value;
  if (typeof list !== 'object' || !('items' in list)) return field;
  return { ...field, value: { ...list, items: list.items.map((item) => (item instanceof Map ? change(item) : item)) } };
}
