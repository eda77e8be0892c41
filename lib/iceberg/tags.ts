import type { Change } from './changes.ts';
import { snapshotById } from './snapshot.ts';
import type { Snapshot, TableMetadata } from './types.ts';

/** The snapshot that a tag names; undefined where there is no tag of this name. */
export function taggedSnapshot(metadata: TableMetadata, name: string): Snapshot | undefined {
  const ref = metadata.refs?.[name];
  return ref?.type === 'tag' ? snapshotById(metadata, ref['snapshot-id']) : undefined;
}

/** By snapshot, the names of its tags and, apart from `main`, its branches. */
export function namesOf(metadata: TableMetadata): ReadonlyMap<bigint, readonly string[]> {
  const names = new Map<bigint, readonly string[]>();
  for (const [name, ref] of Object.entries(metadata.refs ?? {})) {
    if (name === 'main') continue;
    names.set(ref['snapshot-id'], [...(names.get(ref['snapshot-id']) ?? []), name]);
  }
  return names;
}

/** Names a snapshot of the table. Source: https://iceberg.apache.org/docs/latest/branching/. */
export function setTag(metadata: TableMetadata, name: string, snapshotId: bigint): Change {
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      { type: 'assert-ref-snapshot-id', ref: name, 'snapshot-id': metadata.refs?.[name]?.['snapshot-id'] ?? null },
    ],
    updates: [{ action: 'set-snapshot-ref', 'ref-name': name, type: 'tag', 'snapshot-id': snapshotId }],
  };
}

export function removeTag(metadata: TableMetadata, name: string): Change {
  return {
    requirements: [{ type: 'assert-table-uuid', uuid: metadata['table-uuid'] }],
    updates: [{ action: 'remove-snapshot-ref', 'ref-name': name }],
  };
}
