import type { Stored } from '../../sql/native-type.ts';
import type { Footer, SchemaLeaf } from './footer.ts';
import { encodeStruct, intAt, structAt, type ThriftField, type ThriftStruct, TYPE } from './thrift.ts';

/** Physical types, and the fields of LogicalType that matter here. */
const INT96 = 3n;
const FIXED = 7n;
const DECIMAL = 5;
const TIME = 7;
const TIMESTAMP = 8;
const FLOAT16 = 15;

const DECIMAL_TYPE = 5n;
const TIMESTAMP_MILLIS = 9n;
const TIMESTAMP_MICROS = 10n;

/** What DuckDB holds of each unit since 1970. */
const HELD = {
  millis: [-9_223_372_022_400_000n, 9_223_372_036_854_775n],
  micros: [-9_223_372_022_400_000_000n, 9_223_372_036_854_775_806n],
  nanos: [-9_223_372_036_854_775_000n, 9_223_372_036_854_775_806n],
} as const;

const MOST_DIGITS = 38n;

/** Leaves that DuckDB would cut, wrap or mistake, by their number, with what lies in the file. */
export function findStored(footer: Footer): ReadonlyMap<number, Stored> {
  const found = new Map<number, Stored>();
  for (const [i, leaf] of footer.leaves.entries()) {
    const stored = storedOf(leaf, i, footer);
    if (stored !== undefined) found.set(i, stored);
  }
  return found;
}

/** Of the columns that `wanted` names, those with decimals of more digits than any engine here holds. */
export function longDecimals(footer: Footer, wanted: (column: string) => boolean): readonly string[] {
  return footer.leaves.flatMap(({ path, node: { element } }) => {
    const logical = structAt(structAt(element, 10) ?? new Map(), DECIMAL);
    const isDecimal = logical !== undefined || intAt(element, 6) === DECIMAL_TYPE;
    const digits = (logical && intAt(logical, 2)) ?? intAt(element, 8) ?? 0n;
    if (!isDecimal || digits <= MOST_DIGITS || !wanted(path[0] ?? '')) return [];
    return [`${JSON.stringify(path.join('.'))} has decimals of ${digits} digits; at most ${MOST_DIGITS} are read`];
  });
}

function storedOf({ node: { element } }: SchemaLeaf, index: number, footer: Footer): Stored | undefined {
  if (intAt(element, 1) === INT96) return { kind: 'int96' };
  const logical = structAt(element, 10) ?? new Map();
  if (structAt(logical, FLOAT16) !== undefined) return { kind: 'float16' };
  const time = structAt(logical, TIME);
  if (time !== undefined) return unitOf(time) === 'nanos' ? { kind: 'time_nanos' } : undefined;
  const instant = instantOf(element, structAt(logical, TIMESTAMP));
  if (instant === undefined) return undefined;
  const cut = instant.unit === 'nanos' && instant.utc;
  return cut || !isHeld(instant.unit, index, footer) ? { kind: 'instant', ...instant } : undefined;
}

type Instant = { readonly unit: 'millis' | 'micros' | 'nanos'; readonly utc: boolean };

function instantOf(element: ThriftStruct, timestamp: ThriftStruct | undefined): Instant | undefined {
  if (timestamp !== undefined) return { unit: unitOf(timestamp), utc: timestamp.get(1)?.value === true };
  const converted = intAt(element, 6);
  if (converted === TIMESTAMP_MILLIS) return { unit: 'millis', utc: false };
  return converted === TIMESTAMP_MICROS ? { unit: 'micros', utc: false } : undefined;
}

function unitOf(time: ThriftStruct): Instant['unit'] {
  const unit = structAt(time, 2) ?? new Map();
  return unit.has(3) ? 'nanos' : unit.has(2) ? 'micros' : 'millis';
}

/** Whether DuckDB has a timestamp for all values, as far as their statistics say. */
function isHeld(unit: Instant['unit'], index: number, footer: Footer): boolean {
  const [first, last] = HELD[unit];
  return footer.rowGroups.every((group) => {
    const statistics = structAt(group.chunks[index]?.meta ?? new Map(), 12) ?? new Map();
    const [least, most] = [
      longAt(statistics, 6) ?? longAt(statistics, 2),
      longAt(statistics, 5) ?? longAt(statistics, 1),
    ];
    return (least === undefined || least >= first) && (most === undefined || most <= last);
  });
}

function longAt(struct: ThriftStruct, id: number): bigint | undefined {
  const value = struct.get(id)?.value;
  return Buffer.isBuffer(value) && value.length === 8 ? value.readBigInt64LE() : undefined;
}

/**
 * The footer under which DuckDB hands out these leaves as they lie in the file: counts as whole numbers, INT96 and
 * 16-bit numbers as decimals of their bytes.
 */
export function renderStoredFooter(footer: Footer, stored: ReadonlyMap<number, Stored>): Buffer {
  const leaves = new Map(footer.leaves.map(({ node }, i) => [node.element, i]));
  const schema = mapStructs(footer.thrift.get(2), (element) => {
    const found = stored.get(leaves.get(element) ?? -1);
    return found === undefined ? element : storedElement(element, found);
  });
  const groups = mapStructs(footer.thrift.get(4), (group) =>
    withField(
      group,
      1,
      mapStructs(group.get(1), (chunk, i) => storedChunk(chunk, stored.get(i))),
    ),
  );
  return encodeStruct(withField(withField(footer.thrift, 2, schema), 4, groups));
}

function storedElement(element: ThriftStruct, { kind }: Stored): ThriftStruct {
  const plain = new Map([...element].filter(([id]) => id !== 6 && id !== 10));
  if (kind !== 'int96' && kind !== 'float16') return plain;
  const [bytes, digits] = kind === 'int96' ? [12n, 28n] : [2n, 4n];
  for (const [id, value] of [
    [1, FIXED],
    [2, bytes],
    [6, DECIMAL_TYPE],
    [7, 0n],
    [8, digits],
  ] as const) {
    plain.set(id, { type: TYPE.i32, value });
  }
  return plain;
}

/** Statistics of other types than the column's new one would be taken at their word. */
function storedChunk(chunk: ThriftStruct, stored: Stored | undefined): ThriftStruct {
  const meta = structAt(chunk, 3);
  if (meta === undefined || stored === undefined) return chunk;
  const fixed = stored.kind === 'int96' || stored.kind === 'float16';
  const kept = new Map([...meta].filter(([id]) => id !== 12 && id !== 14));
  if (fixed) kept.set(1, { type: TYPE.i32, value: FIXED });
  return withField(chunk, 3, { type: TYPE.struct, value: kept });
}

function withField(struct: ThriftStruct, id: number, field: ThriftField | undefined): ThriftStruct {
  return field === undefined ? struct : new Map(struct).set(id, field);
}

function mapStructs(
  field: ThriftField | undefined,
  change: (struct: ThriftStruct, index: number) => ThriftStruct,
): ThriftField | undefined {
  const list = field?.value;
  if (field === undefined || typeof list !== 'object' || !('items' in list)) return field;
  const items = list.items.map((item, i) => (item instanceof Map ? change(item, i) : item));
  return { ...field, value: { ...list, items } };
}
