import { UnreadableTable } from '../core/errors.ts';
import { type AvroRow, decodeAvro, encodeAvro } from './avro.ts';
import { avroRecord } from './avro-schema.ts';
import { toBuffer } from './avro-values.ts';
import { outerZero } from './bounds.ts';
import { unreadFile } from './features.ts';
import { canonicalName, MANIFEST_LIST_SCHEMA } from './manifest-schema.ts';
import type { ResolvedField } from './partition.ts';
import type { IcebergType, IcebergValue, ManifestEntry, ManifestFile, PartitionSummary } from './types.ts';
import { compareValues, encodeValue } from './values.ts';

/** Manifest lists: the manifests of one snapshot. Source: https://iceberg.apache.org/spec/#manifest-lists. */

const CONTENTS: readonly ManifestFile['content'][] = ['data', 'deletes'];

export function encodeManifestList(input: {
  readonly manifests: readonly ManifestFile[];
  readonly snapshotId: bigint;
  readonly parentId: bigint | null;
  readonly sequenceNumber: bigint;
}): Uint8Array {
  return encodeAvro(avroRecord('manifest_file', MANIFEST_LIST_SCHEMA), input.manifests.map(manifestRow), {
    'snapshot-id': String(input.snapshotId),
    'parent-snapshot-id': String(input.parentId),
    'sequence-number': String(input.sequenceNumber),
    'format-version': '2',
    'iceberg.schema': JSON.stringify({ ...MANIFEST_LIST_SCHEMA, 'schema-id': 0 }),
  });
}

/** Throws UnreadableTable when it is damaged, or names encrypted manifests. */
export function decodeManifestList(bytes: Uint8Array): readonly ManifestFile[] {
  return decodeAvro(bytes, canonicalName).rows.map(manifestOf);
}

/**
 * A manifest's row in the list. Added entries that carry no sequence number yet get the snapshot's, so the number
 * belongs to the list and not to the manifest.
 */
export function manifestFileOf(input: {
  readonly path: string;
  readonly length: number;
  readonly specId: number;
  readonly fields: readonly ResolvedField[];
  readonly entries: readonly ManifestEntry[];
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  readonly content?: ManifestFile['content'];
}): ManifestFile {
  const { entries, sequenceNumber, content = 'data' } = input;
  const counted = (status: ManifestEntry['status']) => entries.filter((entry) => entry.status === status);
  const rows = (status: ManifestEntry['status']) => counted(status).reduce((sum, entry) => sum + entry.file.rows, 0n);
  return {
    path: input.path,
    length: BigInt(input.length),
    specId: input.specId,
    content,
    sequenceNumber,
    minSequenceNumber: leastSequence(entries, sequenceNumber),
    addedSnapshotId: input.snapshotId,
    addedFiles: counted('added').length,
    existingFiles: counted('existing').length,
    deletedFiles: counted('deleted').length,
    addedRows: rows('added'),
    existingRows: rows('existing'),
    deletedRows: rows('deleted'),
    partitions: input.fields.map(({ type }, at) =>
      summarize(
        type,
        entries.map((entry) => entry.file.partition[at] ?? null),
      ),
    ),
  };
}

/** Of the live files; the snapshot's own number where there are none. */
function leastSequence(entries: readonly ManifestEntry[], own: bigint): bigint {
  let least = own;
  for (const { status, sequenceNumber } of entries) {
    if (status !== 'deleted' && sequenceNumber !== null && sequenceNumber < least) least = sequenceNumber;
  }
  return least;
}

/**
 * Over all entries, deleted ones too: readers of changes prune by it as well. Bounds are whole, however long: Java and
 * PyIceberg take a summary with only one bound for one without values and leave the manifest out.
 */
function summarize(type: IcebergType, values: readonly IcebergValue[]): PartitionSummary {
  const bounded = values.filter((value) => value !== null && !Number.isNaN(value));
  const least = bounded.reduce((a, b) => (compareValues(b, a) < 0 ? b : a), bounded[0] ?? null);
  const greatest = bounded.reduce((a, b) => (compareValues(b, a) > 0 ? b : a), bounded[0] ?? null);
  return {
    containsNull: values.includes(null),
    containsNan: values.some((value) => Number.isNaN(value)),
    lower: least === null ? null : encodeValue(type, outerZero(type, least, -0)),
    upper: greatest === null ? null : encodeValue(type, outerZero(type, greatest, 0)),
  };
}

function manifestRow(manifest: ManifestFile): AvroRow {
  return {
    manifest_path: manifest.path,
    manifest_length: manifest.length,
    partition_spec_id: manifest.specId,
    content: CONTENTS.indexOf(manifest.content),
    sequence_number: manifest.sequenceNumber,
    min_sequence_number: manifest.minSequenceNumber,
    added_snapshot_id: manifest.addedSnapshotId,
    added_files_count: manifest.addedFiles,
    existing_files_count: manifest.existingFiles,
    deleted_files_count: manifest.deletedFiles,
    added_rows_count: manifest.addedRows,
    existing_rows_count: manifest.existingRows,
    deleted_rows_count: manifest.deletedRows,
    partitions: manifest.partitions.map(summaryRow),
    key_metadata: null,
  };
}

function summaryRow(summary: PartitionSummary): AvroRow {
  return {
    contains_null: summary.containsNull,
    contains_nan: summary.containsNan,
    lower_bound: summary.lower === null ? null : toBuffer(summary.lower),
    upper_bound: summary.upper === null ? null : toBuffer(summary.upper),
  };
}

function manifestOf(row: AvroRow): ManifestFile {
  const path = row['manifest_path'] as string;
  const content = CONTENTS[(row['content'] ?? 0) as number];
  if (content === undefined) throw new UnreadableTable(`${path}: got content ${row['content']}; expected 0 or 1`);
  if (row['key_metadata'] != null) throw unreadFile(path, 'encrypted');
  return {
    path,
    length: row['manifest_length'] as bigint,
    specId: row['partition_spec_id'] as number,
    content,
    sequenceNumber: long(row, 'sequence_number'),
    minSequenceNumber: long(row, 'min_sequence_number'),
    addedSnapshotId: long(row, 'added_snapshot_id'),
    addedFiles: fileCount(row, 'added_files_count'),
    existingFiles: fileCount(row, 'existing_files_count'),
    deletedFiles: fileCount(row, 'deleted_files_count'),
    addedRows: long(row, 'added_rows_count'),
    existingRows: long(row, 'existing_rows_count'),
    deletedRows: long(row, 'deleted_rows_count'),
    partitions: ((row['partitions'] ?? []) as readonly AvroRow[]).map(summaryOf),
  };
}

/** Without counts we could not tell an empty manifest, which a commit leaves behind, from a full one. */
function fileCount(row: AvroRow, field: string): number {
  const count = row[field];
  if (typeof count === 'number') return count;
  throw new UnreadableTable(`${row['manifest_path']}: a manifest list without ${field}, as old writers made them`);
}

/** Absent in a list that format version 1 wrote: zero. */
function long(row: AvroRow, field: string): bigint {
  return (row[field] ?? 0n) as bigint;
}

function summaryOf(row: AvroRow): PartitionSummary {
  const bytes = (field: string): Uint8Array | null => {
    const value = row[field] as Uint8Array | null | undefined;
    return value == null ? null : Uint8Array.from(value);
  };
  return {
    containsNull: row['contains_null'] as boolean,
    containsNan: (row['contains_nan'] ?? null) as boolean | null,
    lower: bytes('lower_bound'),
    upper: bytes('upper_bound'),
  };
}
