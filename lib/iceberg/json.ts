import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { UnreadableTable } from '../core/errors.ts';
import { assertReadable } from './features.ts';
import { parseLossless, renderLossless } from './lossless.ts';
import type { TableMetadata } from './types.ts';

/**
 * Table metadata as JSON, without losing a digit of a long and without dropping fields that we do not know.
 * Source: https://iceberg.apache.org/spec/#table-metadata-and-snapshots, Appendix C.
 */

const long = z.bigint();
const int = z.number().int();
const text = z.string();
const texts = z.record(text, text);

const nestedField = z.looseObject({
  id: int,
  name: text,
  required: z.boolean(),
  get type() {
    return icebergType;
  },
});

const icebergType: z.ZodType = z.union([
  text,
  z.looseObject({ type: z.literal('struct'), fields: z.array(nestedField) }),
  z.looseObject({
    type: z.literal('list'),
    'element-id': int,
    'element-required': z.boolean(),
    element: z.lazy(() => icebergType),
  }),
  z.looseObject({ type: z.literal('map') }),
]);

const schema = z.looseObject({ type: z.literal('struct'), 'schema-id': int, fields: z.array(nestedField) });

const partitionSpec = z.looseObject({
  'spec-id': int,
  fields: z.array(z.looseObject({ 'source-id': int, 'field-id': int, name: text, transform: text })),
});

const sortOrder = z.looseObject({
  'order-id': int,
  fields: z.array(
    z.looseObject({
      transform: text,
      'source-id': int,
      direction: z.enum(['asc', 'desc']),
      'null-order': z.enum(['nulls-first', 'nulls-last']),
    }),
  ),
});

const snapshot = z.looseObject({
  'snapshot-id': long,
  'parent-snapshot-id': long.optional(),
  'sequence-number': long.default(0n),
  'timestamp-ms': long,
  'manifest-list': text,
  summary: texts.default({ operation: 'append' }),
  'schema-id': int.optional(),
});

const statisticsFile = z.looseObject({ 'snapshot-id': long, 'statistics-path': text });

const metadata = z.looseObject({
  'format-version': z.literal(2),
  'table-uuid': text,
  location: text,
  'last-sequence-number': long,
  'last-updated-ms': long,
  'last-column-id': int,
  schemas: z.array(schema).min(1),
  'current-schema-id': int,
  'partition-specs': z.array(partitionSpec).min(1),
  'default-spec-id': int,
  'last-partition-id': int,
  properties: texts.default({}),
  'current-snapshot-id': long
    .nullish()
    // Older writers say -1 for "no snapshot yet".
    .transform((id) => (id === -1n ? null : id)),
  snapshots: z.array(snapshot).default([]),
  'snapshot-log': z.array(z.looseObject({ 'timestamp-ms': long, 'snapshot-id': long })).default([]),
  'metadata-log': z.array(z.looseObject({ 'timestamp-ms': long, 'metadata-file': text })).default([]),
  'sort-orders': z.array(sortOrder).default([{ 'order-id': 0, fields: [] }]),
  'default-sort-order-id': int.default(0),
  refs: z.record(text, z.looseObject({ 'snapshot-id': long, type: z.enum(['branch', 'tag']) })).optional(),
  statistics: z.array(statisticsFile).optional(),
  'partition-statistics': z.array(statisticsFile).optional(),
});

/**
 * Parses and validates a metadata file. `where` names it in errors.
 * Throws UnreadableTable when it is damaged or needs a feature that we do not read.
 */
export function parseMetadata(input: Uint8Array | string, where = 'table metadata'): TableMetadata {
  const json = typeof input === 'string' ? input : decodeText(input, where);
  const known = recent.get(json) ?? metadataOf(parseJson(json, where), where);
  remember(json, known);
  return known;
}

const logged = z.looseObject({ 'metadata-log': z.array(z.looseObject({ 'metadata-file': text })).default([]) });

/** The metadata files before one, as its log names them. Nothing else of the file is looked at, which may be large. */
export function parseMetadataLog(input: Uint8Array, where: string): readonly string[] {
  const parsed = logged.safeParse(parseJson(decodeText(input, where), where, JSON.parse));
  if (!parsed.success) throw new UnreadableTable(`${where} is damaged:\n${z.prettifyError(parsed.error)}`);
  return parsed.data['metadata-log'].map((entry) => entry['metadata-file']);
}

/**
 * The last few files parsed, by their whole text. A commit loads a table more than once, and a table with hundreds of
 * snapshots costs more to parse than all else that the commit does. Metadata is never changed in place.
 */
const recent = new Map<string, TableMetadata>();
const REMEMBERED = 8;

function remember(json: string, table: TableMetadata): void {
  recent.delete(json);
  recent.set(json, table);
  const oldest = recent.keys().next();
  if (recent.size > REMEMBERED && !oldest.done) recent.delete(oldest.value);
}

/** The same for a tree that parseLossless made. */
export function metadataOf(tree: unknown, where = 'table metadata'): TableMetadata {
  refuseVersion(tree, where);
  const parsed = metadata.safeParse(tree);
  if (!parsed.success) throw new UnreadableTable(`${where} is damaged:\n${z.prettifyError(parsed.error)}`);
  const table = parsed.data as unknown as TableMetadata;
  assertConsistent(table, where);
  assertReadable(table, where);
  return table;
}

/** One line of JSON with the specification's key names. Read back in the same process, it need not be parsed. */
export function renderMetadata(table: TableMetadata): string {
  const fields = Object.entries(table).flatMap(([name, value]) =>
    value === undefined ? [] : `${JSON.stringify(name)}:${LONG.has(name) ? renderList(value) : renderLossless(value)}`,
  );
  const json = `{${fields.join(',')}}`;
  remember(json, table);
  return json;
}

/** What has an element for each snapshot. */
const LONG: ReadonlySet<string> = new Set(['snapshots', 'snapshot-log']);

/** Text of snapshots and of entries of the log, which are never changed in place: a commit adds one of each. */
const rendered = new WeakMap<object, string>();

function renderList(list: unknown): string {
  if (!Array.isArray(list)) return renderLossless(list);
  return `[${list.map(renderElement).join(',')}]`;
}

function renderElement(element: unknown): string {
  if (typeof element !== 'object' || element === null) return renderLossless(element);
  const known = rendered.get(element);
  if (known !== undefined) return known;
  // By way of its bytes the text is in one piece. What was put together from pieces is walked through at every use.
  const text = Buffer.from(renderLossless(element)).toString();
  rendered.set(element, text);
  return text;
}

function decodeText(bytes: Uint8Array, where: string): string {
  const plain = inflate(bytes, where);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch (cause) {
    throw new UnreadableTable(`${where} is not UTF-8 text`, { cause });
  }
}

/** What other engines write under `write.metadata.compression-codec=gzip`, told by how it begins: names are not everywhere known. */
function inflate(bytes: Uint8Array, where: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new UnreadableTable(`${where} is damaged: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function parseJson(json: string, where: string, parse: (text: string) => unknown = parseLossless): unknown {
  try {
    return parse(json);
  } catch (cause) {
    throw new UnreadableTable(`${where} is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** What makes version 2 of a table of another. */
const OTHER_VERSIONS: ReadonlyMap<unknown, string> = new Map([
  [
    1,
    "Upgrade it, which rewrites no data: ALTER TABLE ... SET TBLPROPERTIES ('format-version' = '2') in Spark, SET PROPERTIES format_version = 2 in Trino",
  ],
  [
    3,
    "A table cannot go back: make one of version 2 of it, such as with CREATE TABLE ... TBLPROPERTIES ('format-version' = '2') AS SELECT",
  ],
]);

/** Before everything else: another version has other fields, and naming those would mislead. */
function refuseVersion(tree: unknown, where: string): void {
  const version = tree !== null && typeof tree === 'object' ? Reflect.get(tree, 'format-version') : undefined;
  if (version !== 2) {
    const known = OTHER_VERSIONS.get(version);
    const cure = known === undefined ? '' : `. ${known}`;
    throw new UnreadableTable(
      `${where}: got format-version ${JSON.stringify(version) ?? 'missing'}; expected 2${cure}`,
    );
  }
}

function assertConsistent(table: TableMetadata, where: string): void {
  const missing = (what: string, id: number | bigint): never => {
    throw new UnreadableTable(`${where} is damaged: ${what} ${id} is not among those the file lists`);
  };
  const current = table['current-snapshot-id'] ?? null;
  if (!table.schemas.some((one) => one['schema-id'] === table['current-schema-id'])) {
    missing('current-schema-id', table['current-schema-id']);
  }
  if (!table['partition-specs'].some((one) => one['spec-id'] === table['default-spec-id'])) {
    missing('default-spec-id', table['default-spec-id']);
  }
  if (current !== null && !table.snapshots.some((one) => one['snapshot-id'] === current)) {
    missing('current-snapshot-id', current);
  }
}
