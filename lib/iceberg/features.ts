import { UnreadableTable } from '../core/errors.ts';
import { parseTransform } from './transforms.ts';
import type { IcebergType, TableMetadata } from './types.ts';

/** Property by which a later Strata can lock out one that would misread its table: names joined by commas. */
export const REQUIRED_FEATURES = 'strata.required-features';

const KNOWN_FEATURES: ReadonlySet<string> = new Set();

const PRIMITIVE =
  /^(boolean|int|long|float|double|date|time|timestamp|timestamptz|string|uuid|binary|fixed\[\d+\]|decimal\(\d+, ?\d+\))$/;

/** What a file of a table can be that Strata does not read, and what mends it; nothing here is damaged. */
const UNREAD_FILES = {
  encrypted: ['is encrypted', 'Write the table anew without encryption, with the engine that holds its keys'],
  'equality-deletes': [
    'holds equality deletes, as Flink and change capture write them',
    'Have the rows rewritten without them: Spark: CALL system.rewrite_data_files(table => ..., options => ' +
      "map('delete-file-threshold', '1')); Trino: ALTER TABLE ... EXECUTE optimize; Athena: OPTIMIZE ... REWRITE DATA USING BIN_PACK",
  ],
  'deletion-vector': [
    'holds deletion vectors (Puffin), which belong to format version 3',
    'Write the table anew in format version 2, such as with CREATE TABLE ... AS SELECT',
  ],
  ORC: ['is an ORC file', parquetAnew()],
  AVRO: ['is an Avro file', parquetAnew()],
} as const;

function parquetAnew(): string {
  return (
    "Spark: ALTER TABLE ... SET TBLPROPERTIES ('write.format.default' = 'parquet'), then CALL system.rewrite_data_files(" +
    "table => ..., options => map('rewrite-all', 'true'))"
  );
}

/** The error for a file that is part of a table and is not read: which, why, and what to do. */
export function unreadFile(path: string, kind: keyof typeof UNREAD_FILES): UnreadableTable {
  const [is, cure] = UNREAD_FILES[kind];
  return new UnreadableTable(`${path} ${is}, which Strata does not read. ${cure}`);
}

/**
 * Refuses a table that we would misread, before anything of it is used. What its files are shows only in manifests and is
 * refused there. Throws UnreadableTable that names the feature.
 */
export function assertReadable(metadata: TableMetadata, where = 'table metadata'): void {
  const feature = unknownFeature(metadata);
  if (feature === undefined) return;
  const cure = CURES.find(([name]) => feature === name)?.[1];
  throw new UnreadableTable(
    `${where} uses ${feature}, which Strata does not read${cure === undefined ? '' : `. ${cure}`}`,
  );
}

const ENCRYPTED = 'encryption';
const MAP = 'the type map';
const CURES: readonly (readonly [string, string])[] = [
  [ENCRYPTED, UNREAD_FILES.encrypted[1]],
  [
    MAP,
    'Keep the entries as a list of structs (key, value) in a column of its own, and drop the map, with the engine that made it',
  ],
];

function unknownFeature(metadata: TableMetadata): string | undefined {
  const required = (metadata.properties[REQUIRED_FEATURES] ?? '').split(',').map((name) => name.trim());
  const unknown = required.find((name) => name !== '' && !KNOWN_FEATURES.has(name));
  if (unknown !== undefined) return `the feature ${JSON.stringify(unknown)}`;
  if ('encryption-keys' in metadata || metadata.properties['encryption.key-id'] !== undefined) return ENCRYPTED;
  if (metadata.snapshots.some((snapshot) => 'key-id' in snapshot)) return 'encrypted manifest lists';
  const type = metadata.schemas.flatMap((schema) => schema.fields).map((field) => unknownType(field.type));
  return type.find((one) => one !== undefined) ?? unknownTransform(metadata);
}

function unknownType(type: IcebergType): string | undefined {
  if (typeof type === 'string') return PRIMITIVE.test(type) ? undefined : `the type ${type}`;
  if (type.type === 'list') return unknownType(type.element);
  if (type.type === 'struct')
    return type.fields.map((field) => unknownType(field.type)).find((one) => one !== undefined);
  return (type as { type: string }).type === 'map' ? MAP : `the type ${(type as { type: string }).type}`;
}

function unknownTransform(metadata: TableMetadata): string | undefined {
  const transforms = metadata['partition-specs'].flatMap((spec) => spec.fields.map((field) => field.transform));
  const unknown = transforms.find((text) => parseTransform(text) === undefined);
  return unknown === undefined ? undefined : `the partition transform ${unknown}`;
}
