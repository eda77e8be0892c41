import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import avro from 'avsc';
import { UnreadableTable } from '../core/errors.ts';

/**
 * Avro object container files. `avsc` encodes and decodes the records; the container is here because avsc's is a
 * stream with a random sync marker, and a manifest is a value: equal rows give equal bytes.
 * Source: https://avro.apache.org/docs/1.11.1/specification/#object-container-files.
 */
export type AvroFile = { readonly header: ReadonlyMap<string, string>; readonly rows: readonly AvroRow[] };
export type AvroRow = { readonly [field: string]: unknown };
export type AvroSchema = string | readonly AvroSchema[] | { readonly [attribute: string]: unknown };

const MAGIC = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01);
const ROWS_PER_BLOCK = 1000;
/** Bytes below which a file is not deflated: nothing is saved, and icebird 0.3 recurses 128 KiB / size times over it. */
const LEAST_DEFLATED = 1024;

/** avsc's own long is a number and refuses what a number can't hold. */
const longAsBigint = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

const HEADER = avro.Type.forSchema({
  type: 'record',
  name: 'header',
  fields: [
    { name: 'magic', type: { type: 'fixed', name: 'magic_bytes', size: 4 } },
    { name: 'meta', type: { type: 'map', values: 'bytes' } },
    { name: 'sync', type: { type: 'fixed', name: 'sync_marker', size: 16 } },
  ],
});

const BLOCK = avro.Type.forSchema({
  type: 'record',
  name: 'block',
  fields: [
    { name: 'count', type: 'long' },
    { name: 'data', type: 'bytes' },
    { name: 'sync', type: { type: 'fixed', name: 'sync_marker', size: 16 } },
  ],
});

/** A container file. Longs are bigint, bytes and fixed Buffers; `header` adds to Avro's own keys. */
export function encodeAvro(
  schema: AvroSchema,
  rows: readonly AvroRow[],
  header: Readonly<Record<string, string>>,
): Uint8Array {
  const type = recordType(schema);
  const parts: { count: number; data: Buffer }[] = [];
  for (let at = 0; at < rows.length; at += ROWS_PER_BLOCK) {
    const part = rows.slice(at, at + ROWS_PER_BLOCK).map((row) => type.toBuffer(row));
    parts.push({ count: part.length, data: Buffer.concat(part) });
  }
  const codec = (parts[0]?.data.length ?? 0) < LEAST_DEFLATED ? 'null' : 'deflate';
  const blocks = codec === 'null' ? parts : parts.map(({ count, data }) => ({ count, data: deflateRawSync(data) }));
  const meta = { ...header, 'avro.schema': JSON.stringify(schema), 'avro.codec': codec };
  const digest = createHash('sha256').update(JSON.stringify(meta));
  for (const block of blocks) digest.update(block.data);
  const sync = digest.digest().subarray(0, 16);
  const bytesOfMeta = Object.fromEntries(Object.entries(meta).map(([key, text]) => [key, Buffer.from(text)]));
  return Buffer.concat([
    HEADER.toBuffer({ magic: Buffer.from(MAGIC), meta: bytesOfMeta, sync }),
    ...blocks.map((block) => BLOCK.toBuffer({ ...block, sync })),
  ]);
}

/**
 * Reads a container file by its own schema. `rename` gives a field its name by Iceberg field id, so that a writer's
 * spelling does not matter. Throws UnreadableTable when the bytes are damaged or the codec is not null or deflate.
 */
export function decodeAvro(bytes: Uint8Array, rename: (fieldId: number, name: string) => string): AvroFile {
  try {
    return decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), rename);
  } catch (cause) {
    if (cause instanceof UnreadableTable) throw cause;
    throw new UnreadableTable(`a damaged Avro file: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function decode(bytes: Buffer, rename: (fieldId: number, name: string) => string): AvroFile {
  const { value, offset } = HEADER.decode(bytes, 0);
  if (offset < 0 || !value.magic.equals(MAGIC)) throw new UnreadableTable('not an Avro file: wrong magic bytes');
  const meta: [string, Buffer][] = Object.entries(value.meta);
  const header = new Map(meta.map(([key, bytes]) => [key, bytes.toString()]));
  const inflate = inflaterOf(header.get('avro.codec') ?? 'null');
  const type = recordType(renameFields(JSON.parse(header.get('avro.schema') ?? 'null'), rename));
  const rows: AvroRow[] = [];
  for (let at = offset; at < bytes.length; ) {
    const block = BLOCK.decode(bytes, at);
    if (block.offset < 0) throw new UnreadableTable('a damaged Avro file: it ends inside a block');
    if (!block.value.sync.equals(value.sync)) throw new UnreadableTable('a damaged Avro file: wrong sync marker');
    readRows(type, inflate(block.value.data), block.value.count, rows);
    at = block.offset;
  }
  return { header, rows };
}

function readRows(type: avro.Type, data: Buffer, count: number, rows: AvroRow[]): void {
  let at = 0;
  for (let row = 0; row < count; row += 1) {
    const { value, offset } = type.decode(data, at);
    if (offset < 0) throw new UnreadableTable('a damaged Avro file: it ends inside a row');
    rows.push(value);
    at = offset;
  }
}

function inflaterOf(codec: string): (data: Buffer) => Buffer {
  if (codec === 'deflate') return inflateRawSync;
  if (codec === 'null') return (data) => data;
  throw new UnreadableTable(`an Avro file with codec ${codec}; expected deflate or null`);
}

/** avsc compiles a schema to functions, which costs more than reading a small manifest; few schemas are ever seen. */
const compiled = new Map<string, avro.Type>();
const COMPILED_KEPT = 100;

function recordType(schema: AvroSchema): avro.Type {
  const key = JSON.stringify(schema);
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const type = avro.Type.forSchema(schema as avro.Schema, {
    omitRecordMethods: true,
    typeHook: (part) => (isLong(part as AvroSchema) ? longAsBigint : undefined),
  });
  if (compiled.size >= COMPILED_KEPT) compiled.clear();
  compiled.set(key, type);
  return type;
}

function isLong(schema: AvroSchema): boolean {
  return schema === 'long' || (typeof schema === 'object' && 'type' in schema && schema.type === 'long');
}

function renameFields(schema: AvroSchema, rename: (fieldId: number, name: string) => string): AvroSchema {
  if (typeof schema === 'string') return schema;
  if (isUnion(schema)) return schema.map((branch) => renameFields(branch, rename));
  const renamed = Object.entries(schema).map(([key, part]) => {
    if (key === 'fields') return [key, (part as Record<string, unknown>[]).map((field) => renameField(field, rename))];
    return [key, key === 'items' || key === 'type' ? renameFields(part as AvroSchema, rename) : part];
  });
  return Object.fromEntries(renamed);
}

function renameField(field: Record<string, unknown>, rename: (fieldId: number, name: string) => string): object {
  const id = field['field-id'];
  const name = String(field['name']);
  const type = renameFields(field['type'] as AvroSchema, rename);
  return { ...field, type, name: typeof id === 'number' ? rename(id, name) : name };
}

const isUnion = (schema: AvroSchema): schema is readonly AvroSchema[] => Array.isArray(schema);
