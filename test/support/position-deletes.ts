import assert from 'node:assert/strict';
import { join } from 'node:path';
import { parseTableName, type TableId } from '../../lib/core/tables.ts';
import { applyChange } from '../../lib/iceberg/apply.ts';
import { addSnapshot } from '../../lib/iceberg/changes.ts';
import { encodeManifest } from '../../lib/iceberg/manifest.ts';
import { encodeManifestList, manifestFileOf } from '../../lib/iceberg/manifest-list.ts';
import { resolveSpec, specById } from '../../lib/iceberg/partition.ts';
import { FILE_PATH_ID, POS_ID } from '../../lib/iceberg/position-deletes.ts';
import { currentSchema } from '../../lib/iceberg/schema.ts';
import type { DataFile, ManifestEntry, Snapshot } from '../../lib/iceberg/types.ts';
import type { Ids } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import type { CommitDeps } from '../../lib/table/commit.ts';
import { currentManifests, loadTable, planFiles, type ScannedFile } from '../../lib/table/read.ts';
import type { TestLake } from './test-lake.ts';

/** Deletes rows as other engines do that merge on read: a file of positions for each partition, in a snapshot of its own. */

type Options = {
  /** How the delete files call a data file; default: by its location. */
  readonly spell?: (path: string) => string;
  /** Whether each data file gets a delete file of its own, with its path as both bounds. */
  readonly eachFile?: boolean;
};

export async function deleteByPosition(
  lake: TestLake,
  table: string,
  condition: string,
  options: Options = {},
): Promise<void> {
  const id = parseTableName(table);
  const base = await loadTable(lake.deps.catalog, id);
  assert.ok(base);
  const { metadata } = base;
  const files = await planFiles(lake.store, metadata);
  const scopes = Map.groupBy(files, (file) => (options.eachFile ? file.path : JSON.stringify(file.partition, textOf)));
  const written: DataFile[] = [];
  for (const group of scopes.values()) written.push(...(await writeDeletes(lake, group, condition, options)));
  assert.ok(written.length > 0, 'the condition meets no row');
  await commitDeletes(lake.deps, id, written);
}

/** A snapshot that adds delete files. */
export async function commitDeletes(
  deps: Pick<CommitDeps, 'store' | 'catalog' | 'clock'> & { readonly ids: Pick<Ids, 'snapshot'> },
  id: TableId,
  written: readonly DataFile[],
): Promise<void> {
  const base = await loadTable(deps.catalog, id);
  assert.ok(base);
  const { metadata } = base;
  const snapshotId = deps.ids.snapshot();
  const sequenceNumber = metadata['last-sequence-number'] + 1n;
  const manifests = [...(await currentManifests(deps.store, metadata))];
  for (const [specId, some] of Map.groupBy(written, (file) => file.specId)) {
    const entries = some.map(
      (file): ManifestEntry => ({
        status: 'added',
        snapshotId: null,
        sequenceNumber: null,
        fileSequenceNumber: null,
        file,
      }),
    );
    const spec = specById(metadata, specId);
    const schema = currentSchema(metadata);
    const bytes = encodeManifest({ entries, schema, spec, content: 'deletes' });
    const path = `${metadata.location}/metadata/${snapshotId}-deletes-${specId}.avro`;
    await deps.store.write(deps.store.key(path), bytes, { kind: 'absent' });
    const fields = resolveSpec(spec, schema);
    const length = bytes.length;
    manifests.push(
      manifestFileOf({ path, length, specId, content: 'deletes', fields, entries, snapshotId, sequenceNumber }),
    );
  }
  const list = `${metadata.location}/metadata/snap-${snapshotId}.avro`;
  const parentId = metadata['current-snapshot-id'] ?? null;
  const bytes = encodeManifestList({ manifests, snapshotId, parentId, sequenceNumber });
  await deps.store.write(deps.store.key(list), bytes, { kind: 'absent' });
  const snapshot: Snapshot = {
    'snapshot-id': snapshotId,
    ...(parentId === null ? {} : { 'parent-snapshot-id': parentId }),
    'sequence-number': sequenceNumber,
    'timestamp-ms': BigInt(deps.clock.now().getTime()),
    'manifest-list': list,
    summary: { operation: 'delete' },
    'schema-id': metadata['current-schema-id'],
  };
  const change = addSnapshot(metadata, snapshot);
  const next = applyChange(change, metadata, deps.clock.now().getTime(), base.metadataLocation);
  await deps.catalog.commit(id, base, next);
}

function textOf(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

async function writeDeletes(
  lake: TestLake,
  group: readonly ScannedFile[],
  condition: string,
  { spell = (path) => path, eachFile = false }: Options,
): Promise<readonly DataFile[]> {
  const [first] = group;
  assert.ok(first);
  await using borrowed = await lake.store.borrow(group.map((file) => lake.store.key(file.path)));
  await using session = await lake.deps.engine.open(lake.deps.settings);
  const rows = group.map((file) => {
    const local = borrowed.paths.get(lake.store.key(file.path));
    const numbered = `SELECT *, row_number() OVER () - 1 AS __at FROM read_parquet('${local}')`;
    return `SELECT '${spell(file.path)}' AS file_path, __at AS pos FROM (${numbered}) WHERE ${condition}`;
  });
  const name = `${lake.deps.ids.unique()}-deletes.parquet`;
  const path = join(lake.scratch, name);
  const select = `SELECT * FROM (${rows.join(' UNION ALL ')}) ORDER BY ALL`;
  const ids = `FIELD_IDS {file_path: ${FILE_PATH_ID}, pos: ${POS_ID}}`;
  await session.run({ name: 'deletes', text: userSql(`COPY (${select}) TO '${path}' (FORMAT parquet, ${ids})`) });
  const counted = await session.rows({
    name: 'count',
    text: userSql(`SELECT count(*) AS n, min(file_path) AS lower, max(file_path) AS upper FROM '${path}'`),
  });
  const { n, lower, upper } = counted[0] ?? {};
  if (Number(n) === 0) return [];
  const key = `${lake.store.key(first.path).replace(/\/data\/.*$/, '')}/data/${name}`;
  const { size } = await lake.store.publish(path, key);
  const bounds = (text: unknown) => new Map([[FILE_PATH_ID, Uint8Array.from(Buffer.from(String(text)))]]);
  return [
    {
      ...first,
      path: lake.store.location(key),
      rows: BigInt(Number(n)),
      bytes: BigInt(size),
      columnSizes: new Map(),
      valueCounts: new Map(),
      nullCounts: new Map(),
      nanCounts: new Map(),
      lowerBounds: eachFile ? bounds(lower) : new Map(),
      upperBounds: eachFile ? bounds(upper) : new Map(),
      sortOrderId: null,
    },
  ];
}
