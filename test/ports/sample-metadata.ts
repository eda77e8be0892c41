import { randomUUID } from 'node:crypto';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import type { TableMetadata } from '../../lib/iceberg/types.ts';

export const codec = { parse: parseMetadata, render: renderMetadata };

/** Metadata of an empty table, different at every call. */
export function sampleMetadata(location = 'memory://store/silver/p/t'): TableMetadata {
  return {
    'format-version': 2,
    'table-uuid': randomUUID(),
    location,
    'last-sequence-number': 0n,
    'last-updated-ms': 1_700_000_000_000n,
    'last-column-id': 1,
    schemas: [
      { type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'a "b" é', required: false, type: 'decimal(38, 3)' }] },
    ],
    'current-schema-id': 0,
    'partition-specs': [{ 'spec-id': 0, fields: [] }],
    'default-spec-id': 0,
    'last-partition-id': 999,
    properties: {},
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
    'sort-orders': [{ 'order-id': 0, fields: [] }],
    'default-sort-order-id': 0,
  };
}

/** The same table with one more snapshot, whose id is `id`. */
export function withSnapshot(metadata: TableMetadata, id: bigint): TableMetadata {
  const sequence = metadata['last-sequence-number'] + 1n;
  const snapshot = {
    'snapshot-id': id,
    'sequence-number': sequence,
    'timestamp-ms': metadata['last-updated-ms'] + sequence,
    'manifest-list': `${metadata.location}/metadata/snap-${id}.avro`,
    summary: { operation: 'append' },
    'schema-id': 0,
  } as const;
  return {
    ...metadata,
    'last-sequence-number': sequence,
    'current-snapshot-id': id,
    snapshots: [...metadata.snapshots, snapshot],
  };
}
