import type { MaintainedTable, MaintenancePlan } from '../../core/maintenance.ts';
import type { RunRef } from '../../core/run.ts';
import { type TableId, tablePrefix } from '../../core/tables.ts';
import { specById } from '../../iceberg/partition.ts';
import { parsePartitionPath, partitionFolder } from '../../iceberg/partition-path.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import type { ObjectStore } from '../../ports.ts';
import { parsePrepared } from '../../table/prepare.ts';
import { readManifestList } from '../../table/read.ts';
import { partitionPrefix } from '../files/stage-files.ts';
import { readOpenRun } from '../run/open-run.ts';
import { readJson, runFolder } from '../run/run-folder.ts';
import { type PreparedRound, readBase, readMaintenancePlan, readRewriteUnit, readRound } from './maintenance-folder.ts';

/**
 * What the names of the data files of a run of maintenance begin with. No other file's does: those of runs begin with the
 * run's id and a dash, and no id has a dot in it.
 */
export function rewriteStem({ run_id }: Pick<RunRef, 'run_id'>): string {
  return `compact.${run_id}.`;
}

/** The run of maintenance of a pipeline that has begun and not ended. */
export async function unfinishedCompaction(store: ObjectStore, pipeline: string): Promise<string | undefined> {
  const { run } = await readOpenRun(store, { pipeline, kind: 'maintenance' });
  if (run === undefined || (await store.head(runFolder.plan(run))) === undefined) return undefined;
  return (await store.head(runFolder.result(run))) === undefined ? run.run_id : undefined;
}

/** More rounds than any run has. */
const MOST_ROUNDS = 8;

/** Removes everything that a run of maintenance wrote which has published nothing: data files, prepared snapshots, its folder. */
export async function discardMaintenance(store: ObjectStore, run: RunRef): Promise<void> {
  const plan = await readMaintenancePlan(store, run);
  for (const key of await findWritten(store, plan)) await store.remove(key);
  for await (const { key } of store.list(`${runFolder.root(run)}/level-`)) {
    const [, id] = /\/prepared\/(.+)-\d+\.json$/.exec(key) ?? [];
    const table = plan.tables.find((one) => one.id === id);
    if (table !== undefined) await discardSnapshot(store, table.table, await readJson<PreparedRound>(store, key));
  }
  await store.remove(runFolder.plan(run));
  const keys: string[] = [];
  for await (const { key } of store.list(`${runFolder.root(run)}/`)) keys.push(key);
  for (const key of keys) await store.remove(key);
}

/**
 * Keys of the data files that a run has written, those of attempts that died included, in the folders of the partitions that it has
 * worked on.
 */
export async function findWritten(store: ObjectStore, plan: MaintenancePlan): Promise<readonly string[]> {
  const prefixes = new Set<string>();
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    for (const item of await readRound(store, plan.run, round)) {
      const { table: id, bins } = await readRewriteUnit(store, plan.run, item);
      const table = plan.tables.find((one) => one.id === id);
      if (table === undefined) continue;
      for (const prefix of await prefixesOf(store, plan, { round, table }, bins)) prefixes.add(prefix);
    }
  }
  const keys: string[] = [];
  for (const prefix of prefixes) for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

async function prefixesOf(
  store: ObjectStore,
  { run }: MaintenancePlan,
  { round, table }: { readonly round: number; readonly table: MaintainedTable },
  bins: readonly { readonly spec: number; readonly partition: string }[],
): Promise<readonly string[]> {
  const base = await readBase(store, run, round, table.id);
  const schema = currentSchema(base);
  return bins.map(({ spec: id, partition }) => {
    const spec = specById(base, id);
    const folder = partitionFolder(spec, schema, parsePartitionPath(spec, schema, partition));
    return `${partitionPrefix(table.table, folder)}${rewriteStem(run)}`;
  });
}

/** Removes the manifests of a prepared snapshot that was not published. */
export async function discardSnapshot(store: ObjectStore, table: TableId, { text }: PreparedRound): Promise<void> {
  if (text === '') return;
  const { metadata, snapshot } = parsePrepared(text, store.location(tablePrefix(table)));
  if (snapshot === undefined || (await store.head(store.key(snapshot['manifest-list']))) === undefined) return;
  for (const manifest of await readManifestList(store, metadata, snapshot)) {
    if (manifest.addedSnapshotId === snapshot['snapshot-id']) await store.remove(store.key(manifest.path));
  }
  await store.remove(store.key(snapshot['manifest-list']));
}
