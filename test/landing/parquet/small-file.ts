import { crc32 } from 'node:zlib';
import { encodeStruct, type ThriftStruct, type ThriftValue, TYPE } from '../../../lib/landing/parquet/thrift.ts';

/** One required column, whose values are given as they lie in an uncompressed page. */
export type SmallColumn = {
  readonly name: string;
  /** Physical type: 1 INT32, 2 INT64, 3 INT96, 4 FLOAT, 5 DOUBLE, 6 BYTE_ARRAY, 7 FIXED_LEN_BYTE_ARRAY. */
  readonly physical: number;
  /** Fields of its SchemaElement beside the name and the physical type, by their ids. */
  readonly element?: ThriftStruct | undefined;
  readonly plain: Buffer;
};

/** What the file is to say of itself, where that is not so. */
export type Lies = {
  readonly rows?: number;
  readonly groupRows?: number;
  readonly chunkValues?: number;
  readonly pageValues?: number;
  readonly pageBytes?: number;
  readonly path?: string;
  readonly sum?: number;
  readonly withSum?: boolean;
};

/** A Parquet file of one row group, written by hand, so that it can hold what no writer at hand writes. */
export function smallParquet(columns: readonly SmallColumn[], rows: number, lies: Lies = {}): Buffer {
  const parts: Buffer[] = [Buffer.from('PAR1')];
  let at = 4;
  const chunks = columns.map((column) => {
    const page = renderPage(column.plain, rows, lies);
    const meta = struct({
      1: i32(column.physical),
      2: list(TYPE.i32, [0n]),
      3: list(TYPE.binary, [Buffer.from(lies.path ?? column.name)]),
      4: i32(0),
      5: i64(lies.chunkValues ?? rows),
      6: i64(page.length),
      7: i64(page.length),
      9: i64(at),
    });
    parts.push(page);
    const chunk = struct({ 2: i64(at), 3: { type: TYPE.struct, value: meta } });
    at += page.length;
    return chunk;
  });
  const group = struct({ 1: list(TYPE.struct, chunks), 2: i64(at - 4), 3: i64(lies.groupRows ?? rows) });
  const schema = [struct({ 4: text('schema'), 5: i32(columns.length) }), ...columns.map(elementOf)];
  const footer = encodeStruct(
    struct({ 1: i32(2), 2: list(TYPE.struct, schema), 3: i64(lies.rows ?? rows), 4: list(TYPE.struct, [group]) }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([...parts, footer, length, Buffer.from('PAR1')]);
}

function renderPage(plain: Buffer, rows: number, lies: Lies): Buffer {
  const data = struct({ 1: i32(lies.pageValues ?? rows), 2: i32(0), 3: i32(3), 4: i32(3) });
  const withSum = lies.withSum === true || lies.sum !== undefined;
  const header = struct({
    1: i32(0),
    2: i32(plain.length),
    3: i32(lies.pageBytes ?? plain.length),
    ...(withSum && { 4: i32((lies.sum ?? crc32(plain)) | 0) }),
    5: { type: TYPE.struct, value: data },
  });
  return Buffer.concat([encodeStruct(header), plain]);
}

function elementOf({ name, physical, element }: SmallColumn): ThriftStruct {
  return new Map([...struct({ 1: i32(physical), 3: i32(0), 4: text(name) }), ...(element ?? [])]);
}

type Field = { readonly type: number; readonly value: ThriftValue };

export function struct(fields: Readonly<Record<number, Field>>): ThriftStruct {
  return new Map(Object.entries(fields).map(([id, field]) => [Number(id), field]));
}

export function i32(value: number): Field {
  return { type: TYPE.i32, value: BigInt(value) };
}

export function group(fields: Readonly<Record<number, Field>>): Field {
  return { type: TYPE.struct, value: struct(fields) };
}

export function flag(value: boolean): Field {
  return { type: TYPE.true, value };
}

function i64(value: number): Field {
  return { type: TYPE.i64, value: BigInt(value) };
}

function text(value: string): Field {
  return { type: TYPE.binary, value: Buffer.from(value) };
}

function list(element: number, items: readonly ThriftValue[]): Field {
  return { type: TYPE.list, value: { element, items } };
}
