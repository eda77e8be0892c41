import type { Change } from './changes.ts';
import { snapshotById } from './snapshot.ts';
import type { Schema, TableMetadata } from './types.ts';

/** The change back to the columns that a snapshot was written with; undefined where they are the table's. */
export function rollbackSchema(metadata: TableMetadata, to: bigint): Change | undefined {
  const schema = schemaOfSnapshot(metadata, to);
  if (schema === undefined || schema['schema-id'] === metadata['current-schema-id']) return undefined;
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      { type: 'assert-current-schema-id', 'current-schema-id': metadata['current-schema-id'] },
    ],
    updates: [{ action: 'set-current-schema', 'schema-id': schema['schema-id'] }],
  };
}

/** The change back to a partition spec that the table had, for new files; undefined where it has it. */
export function rollbackSpec(metadata: TableMetadata, specId: number | undefined): Change | undefined {
  if (specId === undefined || specId === metadata['default-spec-id']) return undefined;
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      { type: 'assert-default-spec-id', 'default-spec-id': metadata['default-spec-id'] },
    ],
    updates: [{ action: 'set-default-spec', 'spec-id': specId }],
  };
}

/** Whether the table's partitioning or order needs a column that a snapshot's schema does not have. */
export function layoutNeedsMore(metadata: TableMetadata, to: bigint): boolean {
  const schema = schemaOfSnapshot(metadata, to);
  if (schema === undefined) return false;
  const known = new Set(schema.fields.map(({ id }) => id));
  const spec = metadata['partition-specs'].find((one) => one['spec-id'] === metadata['default-spec-id']);
  const sort = metadata['sort-orders'].find((one) => one['order-id'] === metadata['default-sort-order-id']);
  const needed = [...(spec?.fields ?? []), ...(sort?.fields ?? [])].map((field) => field['source-id']);
  return needed.some((id) => !known.has(id));
}

function schemaOfSnapshot(metadata: TableMetadata, id: bigint): Schema | undefined {
  const schema = snapshotById(metadata, id)?.['schema-id'] ?? metadata['current-schema-id'];
  return metadata.schemas.find((one) => one['schema-id'] === schema);
}
