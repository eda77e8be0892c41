import { join } from 'node:path';
import { type TableId, tablePrefix } from '../lib/core/tables.ts';
import { currentSpec } from '../lib/iceberg/partition.ts';
import { currentSchema } from '../lib/iceberg/schema.ts';
import { RUN_ID } from '../lib/iceberg/snapshot.ts';
import type { DataFile } from '../lib/iceberg/types.ts';
import type { StepDeps } from '../lib/lake/deps.ts';
import { dataFilesOf } from '../lib/lake/files/data-files.ts';
import type { WrittenFile } from '../lib/ports.ts';
import { commitChange } from '../lib/table/commit.ts';
import { prepareSnapshot } from '../lib/table/prepare.ts';
import { loadTable } from '../lib/table/read.ts';

/** One snapshot that puts written files into a table, as a run would, in the place of `removed`. Answers the new entries. */
export async function commitFiles(
  deps: StepDeps,
  id: TableId,
  written: readonly WrittenFile[],
  removed: readonly DataFile[] = [],
): Promise<readonly DataFile[]> {
  const base = await loadTable(deps.catalog, id);
  if (base === undefined) throw new Error(`no table ${id.name}`);
  const placed = [];
  for (const file of written) {
    const key = join(tablePrefix(id), 'data', `${deps.ids.unique()}.parquet`);
    await deps.store.publish(file.path, key);
    placed.push({ key, written: file });
  }
  const { metadata } = base;
  const added = dataFilesOf(deps.store, placed, { schema: currentSchema(metadata), spec: currentSpec(metadata) });
  const prepared = await prepareSnapshot(deps.store, {
    base,
    added,
    remove: removed.length === 0 ? { kind: 'nothing' } : { kind: 'files', files: removed },
    snapshotId: deps.ids.snapshot(),
    nowMs: deps.clock.now().getTime(),
    unique: deps.ids.unique(),
    summary: { [RUN_ID]: `made-${deps.ids.unique()}` },
  });
  await commitChange(deps, id, prepared);
  return added;
}
