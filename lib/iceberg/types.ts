/**
 * Iceberg format version 2 as plain data. Key names are the specification's own; 64-bit numbers are bigint.
 * Source: https://iceberg.apache.org/spec/ (Table Metadata Fields, Manifests, Manifest Lists).
 */
export type IcebergType = string | ListType | StructType;

export type ListType = {
  readonly type: 'list';
  readonly 'element-id': number;
  readonly 'element-required': boolean;
  readonly element: IcebergType;
};

export type StructType = { readonly type: 'struct'; readonly fields: readonly NestedField[] };

export type NestedField = {
  readonly id: number;
  readonly name: string;
  readonly required: boolean;
  readonly type: IcebergType;
  readonly doc?: string;
};

export type Schema = StructType & { readonly 'schema-id': number; readonly 'identifier-field-ids'?: readonly number[] };

export type PartitionSpecField = {
  readonly 'source-id': number;
  readonly 'field-id': number;
  readonly name: string;
  /** identity, bucket[N], truncate[W], year, month, day, hour or void. */
  readonly transform: string;
};

export type PartitionSpec = { readonly 'spec-id': number; readonly fields: readonly PartitionSpecField[] };

export type SortField = {
  readonly transform: string;
  readonly 'source-id': number;
  readonly direction: 'asc' | 'desc';
  readonly 'null-order': 'nulls-first' | 'nulls-last';
};

export type SortOrder = { readonly 'order-id': number; readonly fields: readonly SortField[] };

export type Operation = 'append' | 'replace' | 'overwrite' | 'delete';

export type Snapshot = {
  readonly 'snapshot-id': bigint;
  readonly 'parent-snapshot-id'?: bigint;
  readonly 'sequence-number': bigint;
  readonly 'timestamp-ms': bigint;
  readonly 'manifest-list': string;
  readonly summary: { readonly operation: Operation; readonly [key: string]: string };
  readonly 'schema-id'?: number;
};

export type SnapshotRef = { readonly 'snapshot-id': bigint; readonly type: 'branch' | 'tag' };

export type TableMetadata = {
  readonly 'format-version': 2;
  readonly 'table-uuid': string;
  readonly location: string;
  readonly 'last-sequence-number': bigint;
  readonly 'last-updated-ms': bigint;
  readonly 'last-column-id': number;
  readonly schemas: readonly Schema[];
  readonly 'current-schema-id': number;
  readonly 'partition-specs': readonly PartitionSpec[];
  readonly 'default-spec-id': number;
  readonly 'last-partition-id': number;
  readonly properties: { readonly [key: string]: string };
  /** Absent (or null) for a table without a snapshot. */
  readonly 'current-snapshot-id'?: bigint | null;
  readonly snapshots: readonly Snapshot[];
  readonly 'snapshot-log': readonly { readonly 'timestamp-ms': bigint; readonly 'snapshot-id': bigint }[];
  readonly 'metadata-log': readonly { readonly 'timestamp-ms': bigint; readonly 'metadata-file': string }[];
  readonly 'sort-orders': readonly SortOrder[];
  readonly 'default-sort-order-id': number;
  readonly refs?: { readonly [name: string]: SnapshotRef };
  readonly statistics?: readonly StatisticsFile[];
  readonly 'partition-statistics'?: readonly StatisticsFile[];
};

/** A file that another engine wrote about one snapshot, such as a Puffin file. */
export type StatisticsFile = { readonly 'snapshot-id': bigint; readonly 'statistics-path': string };

/**
 * A partition value or a bound as a JavaScript value: int, year, month, day, hour, bucket, date (days) -> number;
 * long, timestamp, timestamptz (microseconds) -> bigint; decimal -> unscaled bigint; float, double -> number;
 * string -> string; binary -> Uint8Array; boolean -> boolean.
 */
export type IcebergValue = null | boolean | number | bigint | string | Uint8Array;

export type DataFile = {
  /** Absolute location. */
  readonly path: string;
  readonly specId: number;
  /** In the order of the partition spec's fields. */
  readonly partition: readonly IcebergValue[];
  readonly rows: bigint;
  readonly bytes: bigint;
  /** Field id -> bytes on disk. */
  readonly columnSizes: ReadonlyMap<number, bigint>;
  readonly valueCounts: ReadonlyMap<number, bigint>;
  readonly nullCounts: ReadonlyMap<number, bigint>;
  readonly nanCounts: ReadonlyMap<number, bigint>;
  /** Field id -> bound in single-value serialisation. */
  readonly lowerBounds: ReadonlyMap<number, Uint8Array>;
  readonly upperBounds: ReadonlyMap<number, Uint8Array>;
  readonly sortOrderId: number | null;
};

export type EntryStatus = 'existing' | 'added' | 'deleted';

export type ManifestEntry = {
  readonly status: EntryStatus;
  /** null in an added entry: inherited from the manifest. */
  readonly snapshotId: bigint | null;
  readonly sequenceNumber: bigint | null;
  readonly fileSequenceNumber: bigint | null;
  readonly file: DataFile;
};

export type PartitionSummary = {
  readonly containsNull: boolean;
  readonly containsNan: boolean | null;
  readonly lower: Uint8Array | null;
  readonly upper: Uint8Array | null;
};

/** One row of a manifest list. */
export type ManifestFile = {
  readonly path: string;
  readonly length: bigint;
  readonly specId: number;
  readonly content: 'data' | 'deletes';
  readonly sequenceNumber: bigint;
  readonly minSequenceNumber: bigint;
  readonly addedSnapshotId: bigint;
  readonly addedFiles: number;
  readonly existingFiles: number;
  readonly deletedFiles: number;
  readonly addedRows: bigint;
  readonly existingRows: bigint;
  readonly deletedRows: bigint;
  readonly partitions: readonly PartitionSummary[];
};
