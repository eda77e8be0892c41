import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrent } from '../../core/concurrency.ts';

import { type TableId, tablePrefix } from '../../core/tables.ts';
import { partitionTuple } from '../../iceberg/partition.ts';
import { partitionFolder } from '../../iceberg/partition-path.ts';
import type { PartitionSpec, Schema } from '../../iceberg/types.ts';
import type { WrittenFile } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';
import type { Placed } from '../run/unit-result.ts';

/**
 * Moves the data files that a COPY wrote to their final keys, `<table>/data/<partition>/<run>-<unit>-<unique>.parquet`.
 * Files without rows are left behind. Names are new on every attempt, so a retried unit never touches an earlier one's.
 */
export async function placeDataFiles(
  deps: StepDeps,
  written: readonly WrittenFile[],
  to: { readonly table: TableId; readonly schema: Schema; readonly spec: PartitionSpec; readonly stem: string },
): Promise<readonly Placed[]> {
  const filled = written.filter((file) => file.rows > 0);
  return mapConcurrent(filled, async (file) => {
    const tuple = partitionTuple(
      to.spec,
      to.schema,
      file.partition.map((p) => p.value),
    );
    const folder = partitionFolder(to.spec, to.schema, tuple);
    const name = `${to.stem}-${deps.ids.unique()}.parquet`;
    const key = [tablePrefix(to.table), 'data', ...(folder === '' ? [] : [folder]), name].join('/');
    await deps.store.publish(file.path, key);
    return { key, written: { ...file, path: '' } };
  });
}

/** A fresh local folder for one attempt of a unit, removed when `use` ends. */
export async function withScratch<T>(
  deps: Pick<StepDeps, 'ids' | 'settings'>,
  name: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(deps.settings.scratch, `${name}-${deps.ids.unique()}`);
  await mkdir(folder, { recursive: true });
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
