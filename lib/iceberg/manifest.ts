import { UnreadableTable } from '../core/errors.ts';
import { type AvroRow, decodeAvro, encodeAvro } from './avro.ts';
import { avroRecord, type MetaStruct, sanitizeName } from './avro-schema.ts';
import { fromAvroValue, mapToRecords, recordsToMap, toAvroValue, toBuffer } from './avro-values.ts';
import { unreadFile } from './features.ts';
import { renderLossless } from './lossless.ts';
import { canonicalName, manifestEntrySchema, partitionName } from './manifest-schema.ts';
import { type ResolvedField, resolveSpec } from './partition.ts';
import type { DataFile, EntryStatus, ManifestEntry, ManifestFile, PartitionSpec, Schema } from './types.ts';

/** Manifests: which data files, or which delete files, a snapshot has. Source: https://iceberg.apache.org/spec/#manifests. */

const DATA = 0;
const POSITION_DELETES = 1;
const EQUALITY_DELETES = 2;

const STATUSES: readonly EntryStatus[] = ['existing', 'added', 'deleted'];

/**
 * A manifest's bytes. All entries belong to `spec`; an added entry's null snapshot id and sequence numbers stay
 * null, so that the manifest list gives them and a commit can be retried without rewriting the manifest.
 */
export function encodeManifest(input: {
  readonly entries: readonly ManifestEntry[];
  readonly schema: Schema;
  readonly spec: PartitionSpec;
  readonly content?: ManifestFile['content'];
}): Uint8Array {
  const { entries, schema, spec, content = 'data' } = input;
  const fields = resolveSpec(spec, schema);
  const partition: MetaStruct = {
    type: 'struct',
    fields: fields.map(({ id, name, type }) => ({ id, name, required: false, type: type as string })),
  };
  const struct = manifestEntrySchema(partition);
  const rows = entries.map((entry) => entryRow(entry, fields, content));
  return encodeAvro(avroRecord('manifest_entry', struct), rows, {
    schema: renderLossless(schema),
    'schema-id': String(schema['schema-id']),
    'partition-spec': renderLossless(spec.fields),
    'partition-spec-id': String(spec['spec-id']),
    'format-version': '2',
    content,
    'iceberg.schema': JSON.stringify({ ...struct, 'schema-id': 0 }),
  });
}

/**
 * The entries of a manifest, with the ids and sequence numbers that they inherit from its row in the manifest
 * list. `fields` are those of the manifest's spec. Throws UnreadableTable when it is damaged, or lists files that we
 * do not read and that are still part of the table (equality deletes, encrypted files, formats other than Parquet).
 */
export function decodeManifest(
  bytes: Uint8Array,
  manifest: ManifestFile,
  fields: readonly ResolvedField[],
): readonly ManifestEntry[] {
  const { rows } = decodeAvro(bytes, canonicalName);
  return rows.map((row) => inherit(entryOf(row, manifest, fields), manifest));
}

/** Sequence number inheritance: only an added entry inherits. Source: spec, "Sequence Number Inheritance". */
function inherit(entry: ManifestEntry, manifest: ManifestFile): ManifestEntry {
  const added = entry.status === 'added';
  // A manifest that format version 1 wrote has no sequence numbers; its files count as sequence 0.
  const sequence = added || manifest.sequenceNumber === 0n ? manifest.sequenceNumber : null;
  return {
    ...entry,
    snapshotId: entry.snapshotId ?? manifest.addedSnapshotId,
    sequenceNumber: entry.sequenceNumber ?? sequence,
    fileSequenceNumber: entry.fileSequenceNumber ?? sequence,
  };
}

function entryRow(entry: ManifestEntry, fields: readonly ResolvedField[], content: ManifestFile['content']): AvroRow {
  return {
    status: STATUSES.indexOf(entry.status),
    snapshot_id: entry.snapshotId,
    sequence_number: entry.sequenceNumber,
    file_sequence_number: entry.fileSequenceNumber,
    data_file: { ...fileRow(entry.file, fields), content: content === 'data' ? DATA : POSITION_DELETES },
  };
}

function fileRow(file: DataFile, fields: readonly ResolvedField[]): AvroRow {
  const tuple = fields.map((field, at) => [
    sanitizeName(field.name),
    toAvroValue(field.type, file.partition[at] ?? null),
  ]);
  return {
    file_path: file.path,
    file_format: 'PARQUET',
    partition: Object.fromEntries(tuple),
    record_count: file.rows,
    file_size_in_bytes: file.bytes,
    column_sizes: mapToRecords(file.columnSizes),
    value_counts: mapToRecords(file.valueCounts),
    null_value_counts: mapToRecords(file.nullCounts),
    nan_value_counts: mapToRecords(file.nanCounts),
    lower_bounds: mapToRecords(file.lowerBounds, toBuffer),
    upper_bounds: mapToRecords(file.upperBounds, toBuffer),
    key_metadata: null,
    split_offsets: null,
    equality_ids: null,
    sort_order_id: file.sortOrderId,
  };
}

function entryOf(row: AvroRow, manifest: ManifestFile, fields: readonly ResolvedField[]): ManifestEntry {
  const status = STATUSES[row['status'] as number];
  if (status === undefined)
    throw new UnreadableTable(`${manifest.path}: got entry status ${row['status']}; expected 0, 1 or 2`);
  return {
    status,
    snapshotId: (row['snapshot_id'] ?? null) as bigint | null,
    sequenceNumber: (row['sequence_number'] ?? null) as bigint | null,
    fileSequenceNumber: (row['file_sequence_number'] ?? null) as bigint | null,
    file: fileOf(row['data_file'] as AvroRow, manifest, fields, status !== 'deleted'),
  };
}

/** `live`: it is to be read; of one that is gone it does not matter what it was. */
function fileOf(row: AvroRow, manifest: ManifestFile, fields: readonly ResolvedField[], live: boolean): DataFile {
  const path = row['file_path'] as string;
  if (live) assertRead(row, path, manifest);
  const tuple = row['partition'] as AvroRow;
  return {
    path,
    specId: manifest.specId,
    partition: fields.map((field) => fromAvroValue(field.type, tuple[partitionName(field.id)])),
    rows: row['record_count'] as bigint,
    bytes: row['file_size_in_bytes'] as bigint,
    columnSizes: recordsToMap<bigint>(row['column_sizes']),
    valueCounts: recordsToMap<bigint>(row['value_counts']),
    nullCounts: recordsToMap<bigint>(row['null_value_counts']),
    nanCounts: recordsToMap<bigint>(row['nan_value_counts']),
    lowerBounds: recordsToMap(row['lower_bounds'], (value: Uint8Array) => Uint8Array.from(value)),
    upperBounds: recordsToMap(row['upper_bounds'], (value: Uint8Array) => Uint8Array.from(value)),
    sortOrderId: (row['sort_order_id'] ?? null) as number | null,
  };
}

function assertRead(row: AvroRow, path: string, manifest: ManifestFile): void {
  const format = String(row['file_format']).toUpperCase();
  const content = row['content'] ?? DATA;
  if (row['key_metadata'] != null) throw unreadFile(path, 'encrypted');
  if (content === EQUALITY_DELETES) throw unreadFile(path, 'equality-deletes');
  if (format === 'PUFFIN') throw unreadFile(path, 'deletion-vector');
  if (format === 'ORC' || format === 'AVRO') throw unreadFile(path, format);
  if (format !== 'PARQUET') throw new UnreadableTable(`${path}: got format ${format}; expected PARQUET`);
  const expected = manifest.content === 'data' ? DATA : POSITION_DELETES;
  if (content !== expected) {
    throw new UnreadableTable(`${manifest.path}: got content ${content} for ${path}; expected ${expected}`);
  }
}
