/**
 * Thrift's compact protocol, in which Parquet keeps its footer and page headers, read into plain values that can be
 * changed and written again. Unknown fields stay as they are.
 * Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export type ThriftStruct = Map<number, ThriftField>;

export type ThriftField = { readonly type: number; readonly value: ThriftValue };

export type ThriftValue = boolean | bigint | Buffer | ThriftList | ThriftMap | ThriftStruct;

export type ThriftList = { readonly element: number; readonly items: readonly ThriftValue[] };

type ThriftMap = {
  readonly key: number;
  readonly value: number;
  readonly entries: readonly (readonly [ThriftValue, ThriftValue])[];
};

export const TYPE = {
  true: 1,
  false: 2,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
};

const DEEPEST = 64;

/** One struct from the start of `bytes`, and how many bytes it takes. Throws RangeError when they are none. */
export function decodeStruct(bytes: Buffer): { readonly struct: ThriftStruct; readonly length: number } {
  const cursor = { bytes, at: 0 };
  const struct = readStruct(cursor, 0);
  return { struct, length: cursor.at };
}

type Cursor = { readonly bytes: Buffer; at: number };

function readStruct(cursor: Cursor, depth: number): ThriftStruct {
  if (depth > DEEPEST) throw new RangeError(`structs nested deeper than ${DEEPEST}`);
  const struct: ThriftStruct = new Map();
  let id = 0;
  for (;;) {
    const head = readByte(cursor);
    if (head === 0) return struct;
    const type = head & 15;
    id = head >> 4 === 0 ? Number(zigzag(readVarint(cursor))) : id + (head >> 4);
    struct.set(id, { type, value: type <= TYPE.false ? type === TYPE.true : readValue(cursor, type, depth) });
  }
}

function readValue(cursor: Cursor, type: number, depth: number): ThriftValue {
  switch (type) {
    // A boolean inside a list is a byte of its own.
    case TYPE.true:
    case TYPE.false:
      return readByte(cursor) === 1;
    case TYPE.i8:
      return BigInt((readByte(cursor) << 24) >> 24);
    case TYPE.i16:
    case TYPE.i32:
    case TYPE.i64:
      return zigzag(readVarint(cursor));
    case TYPE.double:
      return readBytes(cursor, 8);
    case TYPE.binary:
      return readBytes(cursor, readSize(cursor));
    case TYPE.list:
    case TYPE.set:
      return readList(cursor, depth);
    case TYPE.map:
      return readMap(cursor, depth);
    case TYPE.struct:
      return readStruct(cursor, depth + 1);
    default:
      throw new RangeError(`type ${type} does not exist`);
  }
}

function readList(cursor: Cursor, depth: number): ThriftList {
  const head = readByte(cursor);
  const size = head >> 4 === 15 ? readSize(cursor) : head >> 4;
  const element = head & 15;
  const items: ThriftValue[] = [];
  for (let i = 0; i < size; i += 1) items.push(readValue(cursor, element, depth + 1));
  return { element, items };
}

function readMap(cursor: Cursor, depth: number): ThriftMap {
  const size = readSize(cursor);
  const types = size === 0 ? 0 : readByte(cursor);
  const [key, value] = [types >> 4, types & 15];
  const entries: (readonly [ThriftValue, ThriftValue])[] = [];
  for (let i = 0; i < size; i += 1) {
    entries.push([readValue(cursor, key, depth + 1), readValue(cursor, value, depth + 1)]);
  }
  return { key, value, entries };
}

function readByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at];
  if (byte === undefined) throw new RangeError('it ends too early');
  cursor.at += 1;
  return byte;
}

function readBytes(cursor: Cursor, length: number): Buffer {
  if (length > cursor.bytes.length - cursor.at) throw new RangeError('it ends too early');
  cursor.at += length;
  return cursor.bytes.subarray(cursor.at - length, cursor.at);
}

/** A number of bytes or items; each takes a byte at least, so that no size is believed that the bytes don't bear out. */
function readSize(cursor: Cursor): number {
  const size = readVarint(cursor);
  if (size > BigInt(cursor.bytes.length - cursor.at)) throw new RangeError('it ends too early');
  return Number(size);
}

function readVarint(cursor: Cursor): bigint {
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = readByte(cursor);
    low += (byte & 127) * 2 ** shift;
    if (byte < 128) return BigInt(low);
  }
  let value = BigInt(low);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = readByte(cursor);
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return BigInt.asUintN(64, value);
  }
  throw new RangeError('a number has more than 64 bits');
}

function zigzag(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}

/** The bytes of a struct; decoding them gives the struct again. */
export function encodeStruct(struct: ThriftStruct): Buffer {
  const out: Buffer[] = [];
  writeStruct(out, struct);
  return Buffer.concat(out);
}

function writeStruct(out: Buffer[], struct: ThriftStruct): void {
  let last = 0;
  for (const [id, { type, value }] of [...struct].sort(([a], [b]) => a - b)) {
    const head = type <= TYPE.false ? (value === true ? TYPE.true : TYPE.false) : type;
    const delta = id - last;
    if (delta > 0 && delta < 16) out.push(Buffer.of((delta << 4) | head));
    else out.push(Buffer.of(head), varint(unzigzag(BigInt(id))));
    if (type > TYPE.false) writeValue(out, type, value);
    last = id;
  }
  out.push(Buffer.of(0));
}

function writeValue(out: Buffer[], type: number, value: ThriftValue): void {
  if (typeof value === 'boolean') out.push(Buffer.of(value ? 1 : 2));
  else if (typeof value === 'bigint')
    out.push(type === TYPE.i8 ? Buffer.of(Number(value & 255n)) : varint(unzigzag(value)));
  else if (Buffer.isBuffer(value)) out.push(...(type === TYPE.binary ? [varint(BigInt(value.length))] : []), value);
  else if (value instanceof Map) writeStruct(out, value);
  else if ('items' in value) {
    const { element, items } = value;
    if (items.length < 15) out.push(Buffer.of((items.length << 4) | element));
    else out.push(Buffer.of(0xf0 | element), varint(BigInt(items.length)));
    for (const item of items) writeValue(out, element, item);
  } else {
    out.push(varint(BigInt(value.entries.length)));
    if (value.entries.length > 0) out.push(Buffer.of((value.key << 4) | value.value));
    for (const [key, inner] of value.entries) {
      writeValue(out, value.key, key);
      writeValue(out, value.value, inner);
    }
  }
}

function unzigzag(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Buffer.of(...bytes, Number(rest));
}

export function intAt(struct: ThriftStruct, id: number): bigint | undefined {
  const value = struct.get(id)?.value;
  return typeof value === 'bigint' ? value : undefined;
}

/** The text of a binary field. */
export function textAt(struct: ThriftStruct, id: number): string | undefined {
  const value = struct.get(id)?.value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : undefined;
}

export function structAt(struct: ThriftStruct, id: number): ThriftStruct | undefined {
  const value = struct.get(id)?.value;
  return value instanceof Map ? value : undefined;
}

/** The structs of a list field; [] where there is none. */
export function structsAt(struct: ThriftStruct, id: number): readonly ThriftStruct[] {
  const value = struct.get(id)?.value;
  if (typeof value !== 'object' || !('items' in value)) return [];
  return value.items.filter((item): item is ThriftStruct => item instanceof Map);
}

/** The texts of a list field; [] where there is none. */
export function textsAt(struct: ThriftStruct, id: number): readonly string[] {
  const value = struct.get(id)?.value;
  if (typeof value !== 'object' || !('items' in value)) return [];
  return value.items.filter((item): item is Buffer => Buffer.isBuffer(item)).map((item) => item.toString('utf8'));
}
